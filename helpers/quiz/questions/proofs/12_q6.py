"""A late change, a newer one and a new customer, with the MERGE and with each change of it."""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import true

BEFORE = [(1, 5, "as it was"), (2, 5, "as it was")]
TODAY = "VALUES (1, 3, 'late'), (2, 9, 'newer'), (3, 1, 'a new one') AS t(customer_id, number, text)"
RIGHT = [(1, 5, "as it was"), (2, 9, "newer"), (3, 1, "a new one")]


def prove(question: Question, spark: Any) -> set[str]:
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW newest_of_today AS SELECT * FROM {TODAY}")
    rule, code = " AND t.number > c.number", question.code
    assert not _right(spark, code)
    return true({
        "move-rule": _right(spark, code.replace(rule, "").replace("WHEN MATCHED", f"WHEN MATCHED{rule}")),
        "drop-insert": _right(spark, code.rpartition("\n")[0]),
        "newest-only": _right(spark, code),  # the view holds one change of each customer
        "less-than": _right(spark, code.replace("t.number > c.number", "t.number < c.number")),
    })


def _right(spark: Any, merge: str) -> bool:
    rows = ", ".join(f"({key}, {number}, '{text}')" for key, number, text in BEFORE)
    spark.sql(f"CREATE OR REPLACE TABLE customers AS SELECT * FROM VALUES {rows} AS t(customer_id, number, text)")
    spark.sql(merge)
    return sorted(map(tuple, spark.table("customers").collect())) == RIGHT
