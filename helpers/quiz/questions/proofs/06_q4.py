"""The question's query over a table into which that line was loaded."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, load_files, saying


def prove(question: Question, lab: Any) -> set[str]:
    folder = land(lab, "06_q4/a.json", {"id": "1", "amount": "n/a"})
    load_files(lab, folder, "q4_hinted", table="bronze_orders", schemaHints="id STRING, amount DOUBLE")
    (row,) = lab.spark.sql(question.code).collect()
    return saying(question, ", ".join("NULL" if value is None else str(value) for value in row))
