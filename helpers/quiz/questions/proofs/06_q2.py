"""After the stop and the restart: with which change does the write to the older table succeed?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, true


def prove(question: Question, lab: Any) -> set[str]:
    assert not _arrives(lab, question, "as_it_is")
    return true({
        "merge-schema": _arrives(lab, question, "merge", writer='.option("mergeSchema", "true")'),
        "schema-hint": _arrives(lab, question, "hint", schemaHints="coupon_upc STRING"),
        "other-checkpoint": _arrives(lab, question, "other", again="other_2"),
        "rescue-mode": _arrives(lab, question, "rescue", schemaEvolutionMode="rescue"),
    })


def _arrives(lab: Any, question: Question, name: str, *, writer: str = "", again: str = "", **options: str) -> bool:
    """Whether the table has the new column, and each line once, after one stop and one start with the change."""
    place = f"06_q2_{name}"
    code = question.code.replace("bronze_orders", place)
    run(lab, code, land(lab, f"{place}/a.json", {"id": 1}), place, place)
    land(lab, f"{place}/b.json", {"id": 2, "coupon_upc": "x"})
    run(lab, code, str(lab.volume(f"landing/{place}")), place, place)
    changed = code.replace("    .trigger", f"    {writer}\n    .trigger") if writer else code
    run(lab, changed, str(lab.volume(f"landing/{place}")), place, again or place, **options)
    frame = lab.spark.table(place)
    return "coupon_upc" in frame.columns and frame.count() == 2


def run(lab: Any, code: str, folder: str, schema: str, checkpoint: str, **options: str) -> None:
    orders = lab.spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").options(
        **{"cloudFiles.schemaLocation": lab.volume(f"state/{schema}_schema")},
        **{f"cloudFiles.{key}": value for key, value in options.items()}).load(folder)
    names = {"orders": orders, "checkpoint": lab.volume(f"state/{checkpoint}")}
    exec(f"query = {code}", names)  # the question's own code
    lab.outcome(names["query"])
