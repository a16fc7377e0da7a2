"""A materialized view over STREAM is refused wherever it stands; without STREAM its sums follow."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import land, true

SALES = "CREATE OR REFRESH STREAMING TABLE sales AS SELECT * FROM STREAM read_files('{folder}', format => 'json')"


def prove(question: Question, lab: Any) -> set[str]:
    sales = SALES.format(folder=land(lab, "00_q7/a.json", {"product_id": 1, "sales_value": 2.0}))
    skipping = question.code.replace("STREAM sales", "STREAM sales WITH (SKIPCHANGECOMMITS)")
    return true({
        "no-stream": _follows(lab, sales, question.code.replace("STREAM sales", "sales")),
        "later": not _refused(lab, sales, question.code) or not _refused(lab, question.code, sales),
        "streaming-table": not _refused(lab, sales, question.code.replace("MATERIALIZED VIEW", "STREAMING TABLE")),
        "skip-changes": not _refused(lab, sales, skipping),
    })


def _refused(lab: Any, *statements: str) -> bool:
    pipeline = lab.pipeline("proof_00_q7_refused")
    pipeline.sql(";\n".join(statements))
    return bool(pipeline.dry_run().error)


def _follows(lab: Any, *statements: str) -> bool:
    pipeline = lab.pipeline("proof_00_q7")
    pipeline.sql(";\n".join(statements))
    pipeline.update()
    land(lab, "00_q7/b.json", {"product_id": 1, "sales_value": 3.0})
    pipeline.update()
    return bool(lab.spark.table("revenue").first()["revenue"] == 5.0)
