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
        report = pipeline.dry_run()
        # A batch DataFrame is accepted too: it makes a materialized view, which is computed from all rows.
        return not report.error and report.dataset("silver").kind == "STREAMING_TABLE"

    return fitting(question, works)
