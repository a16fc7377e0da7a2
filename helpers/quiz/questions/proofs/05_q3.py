"""The names that Spark finds, tried with the code of the question."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import fitting, land


def prove(question: Question, lab: Any) -> set[str]:
    names = {"spark": lab.spark, "checkpoint": lab.volume("state/q3"), "landing": land(lab, "05_q3/a.json", {"id": 1})}

    def works(code: str) -> bool:
        # That a name in another case works too is no part of the question: the documentation's word is asked for.
        if '"cloudfiles"' in code:
            return False
        try:
            exec(code, names)
            return "_rescued_data" in names["orders"].columns
        except Exception:  # no such source, or one that wants a schema
            return False

    return fitting(question, works)
