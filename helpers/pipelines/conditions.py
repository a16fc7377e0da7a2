"""What a condition may not have: subqueries and, in an expectation, Python. It is SQL about one record.

Imitates https://docs.databricks.com/aws/en/ldp/expectations.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.graph import Dataset
from helpers.pipelines.names import quoted_part
from helpers.pipelines.problems import Problems
from helpers.sql.lexemes import UnreadableText, subquery, tokenize


def refuse_subqueries(dataset: Dataset) -> None:
    """Raise where a condition has a query inside, as the parser does for one that is written in SQL."""
    for rule in dataset.expectations:
        if has_query(rule.condition):
            raise InvalidDataset(
                f"{dataset.defined_at}: the condition of the expectation '{rule.name}' of '{dataset.name}' may not "
                f"contain a subquery. Join the other table in the query of '{dataset.name}', and write a condition on "
                "the joined columns.")


def has_query(condition: str) -> bool:
    """Whether a text has a query inside; False where only Spark can say what is wrong with it."""
    try:
        return subquery(tokenize(condition)) is not None
    except UnreadableText:
        return False


def refuse_python(
    spark: Any, datasets: Iterable[Dataset], functions: Callable[[], frozenset[str]], problems: Problems
) -> None:
    """Tell of every condition that calls one of the session's functions which is not written in SQL."""
    for dataset in datasets:
        for rule in dataset.expectations:
            called = set(re.findall(r"\w+(?=`?\s*\()", rule.condition.lower()))
            for name in sorted(called and called & functions()):
                if not _is_sql(spark, name):
                    problems.tell(InvalidDataset(
                        f"{dataset.defined_at}: the expectation '{rule.name}' of '{dataset.name}' calls '{name}', a "
                        "function that is not written in SQL. Let the query compute it as a column, and write a "
                        "condition on that column."))


def _is_sql(spark: Any, name: str) -> bool:
    """Whether a function shows the SQL text that it stands for."""
    rows = spark.sql(f"DESCRIBE FUNCTION EXTENDED {quoted_part(name)}").collect()
    return any(row[0].startswith("Body:") for row in rows)
