"""The statement is refused; which change makes a published sum that follows a correction?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import true


def prove(question: Question, lab: Any) -> set[str]:
    code = question.code
    lab.spark.sql("CREATE TABLE sales AS SELECT * FROM VALUES (1, 5), (1, 6) AS t(day, amount)")
    assert not _follows(lab, "as_it_is", code)
    return true({
        "materialized-view": _follows(lab, "view", code.replace("STREAMING TABLE", "MATERIALIZED VIEW")),
        "stream-sales": _follows(lab, "stream", code.replace("FROM sales", "FROM STREAM sales")),
        "temporary-view": _follows(lab, "temp", code.replace("OR REFRESH STREAMING TABLE", "TEMPORARY VIEW")),
        "skip-changes": _follows(lab, "skip", code.replace("FROM sales", "FROM STREAM sales WITH (SKIPCHANGECOMMITS)")),
    })


def _follows(lab: Any, name: str, code: str) -> bool:
    pipeline = lab.pipeline(f"proof_10_q5_{name}")
    pipeline.sql(code.replace("revenue_by_day", f"revenue_{name}"))
    lab.spark.sql("UPDATE sales SET amount = 6 WHERE amount = 7")
    if pipeline.update().error:
        return False
    lab.spark.sql("UPDATE sales SET amount = 7 WHERE amount = 6")
    if pipeline.update().error or not lab.spark.catalog.tableExists(f"revenue_{name}"):
        return False
    return [row.revenue for row in lab.spark.table(f"revenue_{name}").collect()] == [12]
