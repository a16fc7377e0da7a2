"""The query as the question shows it."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import saying


def prove(question: Question, spark: Any) -> set[str]:
    return saying(question, spark.sql(question.code).first()[0])
