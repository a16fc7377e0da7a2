"""A renamed field under addNewColumns with mergeSchema: the table after the restart."""

from __future__ import annotations

import contextlib
from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, load_files, true


def prove(question: Question, lab: Any) -> set[str]:
    folder = land(lab, "06_q8/a.json", {"id": 1, "store": "a"})
    load_files(lab, folder, "q8")
    land(lab, "06_q8/b.json", {"id": 2, "shop": "b"})
    with contextlib.suppress(AssertionError):  # the stop that the mode is known for
        load_files(lab, folder, "q8")
    frame = load_files(lab, folder, "q8")
    columns = [column for column in frame.columns if column != "_rescued_data"]
    new = frame.where("id = 2").first()
    return true({
        "two-columns": columns == ["id", "store", "shop"] and (new["store"], new["shop"]) == (None, "b"),
        "renamed-column": columns == ["id", "shop"] and frame.where("shop = 'a'").count() == 1,
        "rescued-value": columns == ["id", "store"],
        "dropped-column": columns == ["id", "shop"] and frame.where("shop = 'a'").count() == 0,
    })
