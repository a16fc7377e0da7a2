"""What `spark.sql` understands here beyond Spark's own SQL, for either kind of session."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from helpers.classic import is_classic, unsent

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# What may be a statement that Spark does not know, so that all others start without a look at them.
_OURS = re.compile(r"\b(copy|read_files|cloud_files\w*)\b", re.IGNORECASE)
_EVENT_LOG = re.compile("event_log", re.IGNORECASE)
# Spark would take the words for the path of its own REFRESH, and say only that a path has no spaces.
_REFRESH = re.compile(r"\s*+refresh\s+(materialized\s+view|streaming\s+table)\b", re.IGNORECASE)


# pyspark prints every failed statement a second time, as one line of JSON with the whole traceback.
_DUMPS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")


def silence_dumps() -> None:
    from pyspark.logger import PySparkLogger

    for name in _DUMPS:
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL)


def query(spark: Any, text: str) -> DataFrame:
    """As `spark.sql` for a query or a listing, with one call of our server less.

    What is wrong with it shows only when it is used. On any other session than ours it is `spark.sql` itself.
    """
    ours = isinstance(spark, LakeStatements) and not is_classic(spark)
    if not ours or _OURS.search(text) or _EVENT_LOG.search(text):
        return spark.sql(text)  # type: ignore[no-any-return]
    return unsent(spark, text)  # type: ignore[no-any-return]


class LakeStatements:
    """Stands before a SparkSession among the bases of a class."""

    def sql(self, sqlQuery: str, args: Any = None, **kwargs: Any) -> DataFrame:
        """As Spark's, and with COPY INTO, `read_files(…)`, `cloud_files_state(…)` and `event_log(…)`."""
        refresh = _REFRESH.match(sqlQuery)
        if refresh:
            from helpers.pipelines.errors import Unsupported

            words = " ".join(refresh[0].upper().split())
            raise Unsupported(f"{words} is not supported here: start an update of the pipeline that defines it.")
        if _EVENT_LOG.search(sqlQuery):
            from helpers.pipelines.event_query import with_event_log

            sqlQuery = with_event_log(self, sqlQuery)
        if not _OURS.search(sqlQuery):
            return super().sql(sqlQuery, args, **kwargs)  # type: ignore[misc,no-any-return]
        from helpers.autoloader import run_copy_into, with_frames

        result = run_copy_into(self, sqlQuery, arguments=bool(args or kwargs))
        if result is not None:
            return result  # type: ignore[no-any-return]
        text, frames = with_frames(self, sqlQuery, kwargs, arguments=bool(args))
        return super().sql(text, args, **frames)  # type: ignore[misc,no-any-return]
