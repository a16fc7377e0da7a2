"""Four joins of the same sales and products: which gives the lost sales, and nothing else?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question

LOST = [(7,), (None,)]


def prove(question: Question, spark: Any) -> set[str]:
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW sales AS SELECT * FROM VALUES (1), (7), (NULL) AS t(product_id)")
    spark.sql("CREATE OR REPLACE TEMPORARY VIEW products AS SELECT * FROM VALUES (1), (2) AS t(id)")

    def rows(join: str) -> list[tuple[Any, ...]]:
        on = "" if "CROSS" in join else " ON product_id = id"
        return sorted(map(tuple, spark.sql(f"SELECT * FROM {join}{on}").collect()), key=repr)

    return {option.key for option in question.options if rows(option.text.strip("`")) == LOST}
