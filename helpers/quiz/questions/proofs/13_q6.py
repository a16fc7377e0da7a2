"""Two catalogue files, one sale: with which change is it there once, and an unknown product's sale too?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import true

PRODUCTS = "VALUES (1, 'DELI', 1), (1, 'DELI', 2) AS t(product_id, department, file)"
ONE_EACH = "(SELECT * FROM bronze_products QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY file DESC) = 1)"


def prove(question: Question, spark: Any) -> set[str]:
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW silver_transactions AS SELECT * FROM VALUES (1, 2.0), (7, 3.0) "
              "AS t(product_id, sales_value)")
    spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW bronze_products AS SELECT * FROM {PRODUCTS}")
    query = question.code.partition("AS ")[2]
    assert _products(spark, query) == [1, 1, 7]
    return true({
        "several-partners": _products(spark, query.replace("bronze_products", ONE_EACH)) == [1, 7],
        "must-be-inner": _products(spark, query.replace("LEFT JOIN", "JOIN")) == [1, 7],
        "star-selects-twice": _products(spark, query.replace("sale.*", "sale.sales_value, sale.product_id")) == [1, 7],
    })


def _products(spark: Any, query: str) -> list[int]:
    return sorted(row.product_id for row in spark.sql(query).collect())
