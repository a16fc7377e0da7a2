"""The type as the question's code prints it, and as the options of the wrong answers would."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, saying


def prove(question: Question, lab: Any) -> set[str]:
    landing = land(lab, "05_q4/a.json", {"basket_id": 7, "amount": 12.5})

    def printed(name: str, **options: str) -> str:
        more = "".join(f'    .option("cloudFiles.{key}", "{value}")\n' for key, value in options.items())
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(question.code.replace("    .load", f"{more}    .load"),
                 {"spark": lab.spark, "landing": landing, "checkpoint": lab.volume(f"state/{name}")})
        return said.getvalue().strip()

    assert printed("q4_inferred", inferColumnTypes="true") == "double"
    assert printed("q4_hinted", schemaHints="amount DECIMAL(10,2)") == "decimal(10,2)"
    return saying(question, printed("q4"))
