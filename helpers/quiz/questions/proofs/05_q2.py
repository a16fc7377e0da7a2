"""Restarted, started with a new checkpoint, and after a file was overwritten in place."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, load_files, true


def prove(question: Question, lab: Any) -> set[str]:
    folder = land(lab, "05_q2/a.json", {"id": 1}, {"id": 2})
    assert load_files(lab, folder, "q2_first").count() == 2
    restarted = load_files(lab, folder, "q2_first").count()
    again = load_files(lab, folder, "q2_second", table="q2_first").count()
    land(lab, "05_q2/a.json", {"id": 1}, {"id": 2}, {"id": 3})
    grown = load_files(lab, folder, "q2_first").count()
    return true({
        "restart-skips": restarted == 2,
        "new-checkpoint": again == 4,
        "overwritten-skipped": grown == 4,
        "overwritten-reread": grown == 7,
        "appended-lines": grown == 5,
    })
