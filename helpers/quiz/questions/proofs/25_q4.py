"""Two files, an update, a third file, an update: the rows that the second one wrote."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, saying


def prove(question: Question, lab: Any) -> set[str]:
    lines = {"a": 700, "b": 1200, "c": 500}
    pipeline = lab.pipeline("proof_25_q4")
    for name in ("a", "b"):
        folder = land(lab, f"25_q4/{name}.json", *({"id": number} for number in range(lines[name])))
    pipeline.sql(question.code.replace("/Volumes/shop/landing/receipts", folder))
    assert pipeline.update().dataset("bronze").num_output_rows == 1900
    land(lab, "25_q4/c.json", *({"id": number} for number in range(lines["c"])))
    return saying(question, pipeline.update().dataset("bronze").num_output_rows)
