"""The source is refused; which change lets the pipeline start?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import dry_error, true


def prove(question: Question, lab: Any) -> set[str]:
    lab.spark.sql("CREATE TABLE customer_changes (customer_id BIGINT, number BIGINT, operation STRING)")
    code = question.code
    assert dry_error(lab, code)
    query = "\nAS SELECT * FROM STREAM customer_changes"
    keys = "KEYS (customer_id)"
    return true({
        "has-query": not dry_error(lab, code.replace(query, "")),
        "no-type": not dry_error(lab, code.replace("BY number", "BY number\nSTORED AS SCD TYPE 1")),
        "no-delete": not dry_error(lab, code.replace(keys, f"{keys}\nAPPLY AS DELETE WHEN operation = 'DELETE'")),
        "not-view": not dry_error(lab, code.replace("STREAMING TABLE", "MATERIALIZED VIEW")
                                  .replace("STREAM customer", "customer", 1)),
    })
