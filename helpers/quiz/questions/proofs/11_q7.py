"""Four payments: with which condition is each in exactly one of the two tables?"""

from __future__ import annotations

from typing import Any

from helpers.quiz.model import Question

PAYMENTS = "SELECT * FROM VALUES (2.0), (0.0), (-1.0), (NULL) AS payment(amount)"


def prove(question: Question, spark: Any) -> set[str]:
    good = spark.sql(f"{PAYMENTS} WHERE amount >= 0").collect()

    def apart(condition: str) -> bool:
        bad = spark.sql(f"{PAYMENTS} {condition}").collect()
        return len(bad) == 2 and not {row.amount for row in good} & {row.amount for row in bad}

    assert not apart("WHERE NOT (amount >= 0)")
    changes = {option.key: option.text.strip("`").replace("No `WHERE` at all", "") for option in question.options}
    return {key for key, condition in changes.items() if apart(condition)}
