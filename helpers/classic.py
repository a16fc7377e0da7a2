"""Where code that uses either kind of Spark session, Connect's or the classic one, must tell them apart."""

from __future__ import annotations

import re
from typing import Any

_CALLED = re.compile(r"\AAn error occurred while calling \S+\n: ")


def is_classic(spark: Any) -> bool:
    """Whether a session has its JVM beside it; Connect's has a server."""
    from pyspark.sql.session import SparkSession

    return isinstance(spark, SparkSession)


def stack_trace(error: BaseException) -> str:
    """The JVM's stack trace of an error of Spark, with the messages of all causes; empty where it has none."""
    asked = getattr(error, "getStackTrace", None)
    found = asked() if callable(asked) else getattr(error, "_stackTrace", None)
    return str(found or "")


def said(error: BaseException) -> str:
    """An error's own text, without the line that py4j puts before what the JVM said."""
    return _CALLED.sub("", str(error))


def observed(spark: Any, observation: Any) -> dict[str, Any]:
    """What an Observation saw of a write that has ended; empty when Delta has left the write out.

    The classic `Observation.get` cannot read the row without columns that it then is.
    """
    if is_classic(spark) and observation._jo.getRow().schema() is None:
        return {}
    return dict(observation.get or {})


def unsent(spark: Any, text: str) -> Any:
    """A query over Connect that the server hears of only when its columns or rows are asked for."""
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.plan import SQL

    return DataFrame(SQL(text), spark)


def use_in_this_thread(spark: Any) -> None:
    """Let the JVM know which session a new thread works for: some of its parts ask the thread, not their caller."""
    if is_classic(spark):
        type(spark)._get_j_spark_session_class(spark._jvm).setActiveSession(spark._jsparkSession)
