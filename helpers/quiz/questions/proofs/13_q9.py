"""A repeat and a correction: what leaves one right line for each key?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import true

LINES = """VALUES (1, 1, 2.0, 'a'), (1, 1, 2.0, 'b'), (1, 2, 5.0, 'a'), (1, 2, 4.0, 'b')
AS t(basket_id, product_id, sales_value, file)"""
RIGHT = [(1, 1, 2.0), (1, 2, 4.0)]


def prove(question: Question, spark: Any) -> set[str]:
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW lines AS SELECT basket_id, product_id, CAST(sales_value AS DOUBLE) "
              f"AS sales_value, file FROM {LINES}")
    columns = "SELECT basket_id, product_id, sales_value FROM lines"
    newest = "QUALIFY row_number() OVER (PARTITION BY basket_id, product_id ORDER BY file DESC) = 1"
    return true({
        "row-number": _right(spark.sql(f"{columns} {newest}")),
        "distinct": _right(spark.sql(columns).distinct()),
        # Which line is left depends on the order of the rows: with the older one first, it is the wrong amount.
        "drop-duplicates": all(_right(spark.table("lines").orderBy(order).coalesce(1).dropDuplicates(
            ["basket_id", "product_id"]).drop("file")) for order in ("file", "sales_value")),
        "sum-by-key": _right(spark.sql("SELECT basket_id, product_id, sum(sales_value) FROM lines GROUP BY 1, 2")),
    })


def _right(frame: Any) -> bool:
    return sorted(map(tuple, frame.collect())) == RIGHT
