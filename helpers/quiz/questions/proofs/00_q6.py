"""A second update without a new file adds nothing; a job that appends what it reads does."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, saying


def prove(question: Question, lab: Any) -> set[str]:
    folder = land(lab, "00_q6/a.json", *({"id": number} for number in range(3)))
    land(lab, "00_q6/b.json", *({"id": number} for number in range(2)))
    pipeline = lab.pipeline("proof_00_q6")
    pipeline.sql(question.code.replace("/Volumes/shop/raw/landing", folder))
    reports = [pipeline.update() for _ in range(2)]
    assert [report.dataset("sales").num_output_rows or 0 for report in reports] == [5, 0]
    return saying(question, lab.spark.table("sales").count())
