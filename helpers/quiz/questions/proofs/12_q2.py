"""The changes of the question, landed one file each in their order of arrival, through its own flow."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import apply_changes, saying, true


def prove(question: Question, lab: Any) -> set[str]:
    rows = apply_changes(lab, question, "12_q2").where("customer_id = 7").collect()
    return saying(question, rows[0].city or "NULL") if rows else true({"nothing": True})
