"""Which queries our own sessions keep back until they are used, and which `spark.sql` gets at once."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql.connect.dataframe import DataFrame

from helpers.pipelines.errors import Unsupported
from helpers.runtime.statements import LakeStatements, query


class Foreign:
    """A session that only notes what it is sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def sql(self, text: str, *_: Any, **__: Any) -> str:
        self.sent.append(text)
        return "a frame"


class Ours(Foreign, LakeStatements):
    """The same, as one of our sessions."""


def test_a_plain_query_waits_until_it_is_used() -> None:
    spark = Ours()
    frame = query(spark, "SELECT n FROM events")
    assert isinstance(frame, DataFrame)
    assert frame._plan._query == "SELECT n FROM events"
    assert spark.sent == []


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM event_log(TABLE(sales))",
        "SELECT * FROM read_files('/in')",
        "SELECT * FROM CLOUD_FILES_STATE('t')",
    ],
)
def test_what_spark_does_not_know_goes_through_our_own_sql(text: str) -> None:
    spark = Ours()
    assert query(spark, text) == "a frame"
    assert spark.sent == [text]


def test_a_session_of_somebody_else_gets_every_query() -> None:
    spark = Foreign()
    assert query(spark, "SELECT 1") == "a frame"
    assert spark.sent == ["SELECT 1"]


@pytest.mark.parametrize("kind", ["Materialized  View", "streaming table"])
def test_a_refresh_that_spark_would_take_for_a_path_is_refused(kind: str) -> None:
    with pytest.raises(Unsupported, match=f"REFRESH {' '.join(kind.upper().split())} is not supported here: start an"):
        LakeStatements().sql(f"\n refresh {kind} sales")
