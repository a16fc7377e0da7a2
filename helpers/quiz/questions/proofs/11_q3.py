"""ADD CONSTRAINT looks at the rows that are there, and refuses."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import true


def prove(question: Question, spark: Any) -> set[str]:
    spark.sql("CREATE TABLE orders AS SELECT * FROM VALUES (5), (-1) AS t(amount)")
    added = _done(spark, "ALTER TABLE orders ADD CONSTRAINT amount_positive CHECK (amount > 0)")
    properties = {row["key"] for row in spark.sql("SHOW TBLPROPERTIES orders").collect()}
    assert added == ("delta.constraints.amount_positive" in properties)
    return true({
        "statement-fails": not added,
        "new-rows-only": added and not _done(spark, "INSERT INTO orders VALUES (-2)"),
        "rows-deleted": spark.table("orders").count() < 2,
        "not-enforced": added,
    })


def _done(spark: Any, statement: str) -> bool:
    try:
        spark.sql(statement)
    except Exception:  # refused, which is what is asked
        return False
    return True
