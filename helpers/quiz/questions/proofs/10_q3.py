"""The readers that the question lists, tried in its own code: which makes a streaming table of new rows?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import fitting


def prove(question: Question, lab: Any) -> set[str]:
    lab.spark.sql("CREATE TABLE bronze AS SELECT * FROM VALUES (1), (NULL) AS t(id)")
    tried: list[str] = []

    def works(code: str) -> bool:
        tried.append(code)
        pipeline = lab.pipeline(f"proof_10_q3_{len(tried)}")
        with pipeline:
            exec(code, {"spark": lab.spark})
        return not pipeline.dry_run().error

    return fitting(question, works)
