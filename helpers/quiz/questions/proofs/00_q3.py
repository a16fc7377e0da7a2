"""A field that a line lacks is NULL, and so is one that says null."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, saying


def prove(question: Question, lab: Any) -> set[str]:
    path = land(lab, "00_q3/one.json", {"id": 1, "household": 7}, {"id": 2}, {"id": 3, "household": None})
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(question.code, {"spark": lab.spark, "path": path})
    lines = lab.spark.read.json(path)
    assert lines.filter("household IS NOT NULL").count() == 1
    assert lines.filter("household = NULL").count() == 0
    assert lines.count() == 3
    return saying(question, printed.getvalue().strip())
