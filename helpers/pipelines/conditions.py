"""What an expectation's condition may not call: Python. It is SQL about one record.

Imitates https://docs.databricks.com/aws/en/ldp/expectations.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.graph import Dataset
from helpers.pipelines.names import quoted_part
from helpers.pipelines.problems import Problems


def refuse_python(spark: Any, datasets: Iterable[Dataset], functions: frozenset[str], problems: Problems) -> None:
    """Tell of every condition that calls a function of the session that is not written in SQL."""
    for dataset in datasets:
        for rule in dataset.expectations:
            called = functions.intersection(re.findall(r"\w+(?=`?\s*\()", rule.condition.lower()))
            for name in sorted(called):
                if not _is_sql(spark, name):
                    problems.tell(InvalidDataset(
                        f"{dataset.defined_at}: the expectation '{rule.name}' of '{dataset.name}' calls '{name}', a "
                        "function that is not written in SQL. Let the query compute it as a column, and write a "
                        "condition on that column."))


def _is_sql(spark: Any, name: str) -> bool:
    """Whether a function shows the SQL text that it stands for."""
    rows = spark.sql(f"DESCRIBE FUNCTION EXTENDED {quoted_part(name)}").collect()
    return any(row[0].startswith("Body:") for row in rows)
