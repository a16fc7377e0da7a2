"""A file with a new field, under each mode: did the stream go on, did the columns stay, is the value kept?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, load_files


def prove(question: Question, lab: Any) -> set[str]:
    modes = {option.key: option.text.strip("`") for option in question.options}
    return {key for key, mode in modes.items() if _never_stops_and_keeps(lab, mode)}


def _never_stops_and_keeps(lab: Any, mode: str) -> bool:
    folder, options = land(lab, f"06_q3_{mode}/a.json", {"id": 1}), {"schemaEvolutionMode": mode}
    before = load_files(lab, folder, f"q3_{mode}", **options).columns
    land(lab, f"06_q3_{mode}/b.json", {"id": 2, "coupon": "x"})
    try:
        frame = load_files(lab, folder, f"q3_{mode}", **options)
    except AssertionError:
        return False
    kept = "_rescued_data" in frame.columns and frame.where("_rescued_data LIKE '%coupon%'").count() == 1
    return kept and frame.columns == before
