"""The same changes as SCD type 2: the versions that are there in the end."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import apply_changes, saying


def prove(question: Question, lab: Any) -> set[str]:
    rows = apply_changes(lab, question, "12_q3").orderBy("__START_AT").collect()
    told = [f"{row.city}, {row['__START_AT']}, {'NULL' if row['__END_AT'] is None else row['__END_AT']}"
            for row in rows]
    return saying(question, " and ".join(told) or "No row")
