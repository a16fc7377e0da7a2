"""The option names that the question lists, tried in its own code."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import fitting, land


def prove(question: Question, lab: Any) -> set[str]:
    landing = land(lab, "06_q6/a.json", {"id": 1, "amount": 12.5})
    tried: list[str] = []

    def works(code: str) -> bool:
        tried.append(code)
        names = {"spark": lab.spark, "landing": landing, "checkpoint": lab.volume(f"state/06_q6_{len(tried)}")}
        try:
            exec(code, names)
            types = dict(names["orders"].dtypes)
        except Exception:  # an option or a value that does not exist
            return False
        return types["amount"] == "decimal(10,2)" and types["id"] == "bigint"

    return fitting(question, works)
