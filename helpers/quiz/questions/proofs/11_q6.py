"""The statements as the question shows them."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import run_script, saying


def prove(question: Question, spark: Any) -> set[str]:
    (row,) = run_script(question.code, spark)
    return saying(question, row[0])
