"""A history of one customer and of one that was deleted: with which column does the query give those of now?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import fitting

HISTORY = """VALUES (7, 'Ulm', 1, 3), (7, 'Bonn', 3, NULL), (8, 'Kiel', 2, 4)
AS t(customer_id, city, __START_AT, __END_AT)"""


def prove(question: Question, spark: Any) -> set[str]:
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW customers_history AS SELECT * FROM {HISTORY}")

    def works(code: str) -> bool:
        try:
            return list(map(tuple, spark.sql(code).collect())) == [(7, "Bonn")]
        except Exception:  # no such column
            return False

    return fitting(question, works)
