"""Two prices with the same date: which function leaves one row a product, a newest one?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import fitting

PRICES = "VALUES (1, DATE'2026-01-01', 5), (1, DATE'2026-02-01', 6), (1, DATE'2026-02-01', 7) AS t(product_id, \
valid_from, price)"


def prove(question: Question, spark: Any) -> set[str]:
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW bronze_prices AS SELECT * FROM {PRICES}")

    def works(code: str) -> bool:
        try:
            rows = spark.sql(code).collect()
        except Exception:  # no such window function
            return False
        return len(rows) == 1 and rows[0].price in (6, 7)

    return fitting(question, works)
