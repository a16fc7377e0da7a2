"""What a definition says of a table beside its rows: layout, comments, column names; each over more than one update."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines.notebook import Pipeline, notebook_pipeline

TABLES = """
CREATE STREAMING TABLE flat (id BIGINT COMMENT 'the key', `a-b` STRING) CLUSTER BY (id, `a-b`)
  COMMENT 'as it came' AS SELECT id, v AS `a-b` FROM STREAM source;
CREATE STREAMING TABLE days PARTITIONED BY (v) AS SELECT * FROM STREAM source;
CREATE MATERIALIZED VIEW totals (n COMMENT 'rows', v) PARTITIONED BY (v)
  AS SELECT count(*) AS c, `a-b` FROM flat GROUP BY `a-b`;
CREATE MATERIALIZED VIEW per_v CLUSTER BY (v) AS SELECT v, count(*) AS c FROM source GROUP BY v;
"""


@pytest.fixture
def pipeline(spark: Any, schema: str, tmp_path: Path) -> Iterator[Pipeline]:
    spark.sql("CREATE TABLE source (id BIGINT, v STRING)")
    spark.sql("INSERT INTO source VALUES (1, 'a'), (2, 'b'), (3, 'a')")
    yield notebook_pipeline(spark, "layout", schema=schema, checkpoints=tmp_path, parameters={})
    assert not spark.streams.active


def layout(spark: Any, table: str) -> tuple[list[str], list[str]]:
    """The columns that a table is clustered by, and those that it is partitioned by."""
    detail = spark.sql(f"DESCRIBE DETAIL {table}").collect()[0]
    return list(detail.clusteringColumns), list(detail.partitionColumns)


def comments(spark: Any, table: str) -> tuple[str | None, dict[str, str | None]]:
    """What is said of a table, and of its columns in their order."""
    detail = spark.sql(f"DESCRIBE DETAIL {table}").collect()[0]
    return detail.description, {field.name: field.metadata.get("comment") for field in spark.table(table).schema}


def made(spark: Any, table: str) -> int:
    """How often a table was made."""
    history = spark.sql(f"DESCRIBE HISTORY {table}").collect()
    return [row.operation for row in history].count("CREATE OR REPLACE TABLE")


def test_a_table_lies_and_is_called_as_its_definition_says_in_every_update(pipeline: Pipeline, spark: Any) -> None:
    pipeline.sql(TABLES)
    assert pipeline.update().error is None
    assert [layout(spark, name) for name in ("flat", "per_v")] == [(["id", "`a-b`"], []), (["v"], [])]
    assert [layout(spark, name) for name in ("days", "totals")] == [([], ["v"])] * 2
    assert sorted(tuple(row) for row in spark.table("totals").collect()) == [(1, "b"), (2, "a")]
    assert comments(spark, "flat") == ("as it came", {"id": "the key", "a-b": None})
    assert comments(spark, "totals") == (None, {"n": "rows", "v": None})

    # Streaming tables stay the tables that they are; a comment that is changed or written later arrives.
    spark.sql("INSERT INTO source VALUES (4, 'b')")
    later = (TABLES.replace("as it came", "what came").replace("`a-b` STRING", "`a-b` STRING COMMENT 'it''s'")
             .replace("(n COMMENT 'rows', v)", "(v, n COMMENT 'how many')")
             .replace("count(*) AS c, `a-b`", "`a-b`, count(*)"))
    pipeline.sql(later)
    second = pipeline.update()
    assert second.error is None
    assert [second.dataset(name).rows_read for name in ("flat", "days")] == [1, 1]
    assert comments(spark, "flat") == ("what came", {"id": "the key", "a-b": "it's"})
    assert comments(spark, "totals") == (None, {"v": "it's", "n": "how many"})  # a column that says nothing inherits
    assert [layout(spark, name) for name in ("flat", "totals")] == [(["id", "`a-b`"], []), ([], ["v"])]
    assert layout(spark, "per_v") == (["v"], [])
    assert sorted(tuple(row) for row in spark.table("per_v").collect()) == [("a", 2), ("b", 2)]
    assert [made(spark, name) for name in ("flat", "days", "totals", "per_v")] == [1, 1, 2, 1]
    third = pipeline.update()
    assert {third.dataset(name).status for name in ("flat", "days", "totals", "per_v")} == {"IDLE"}

    # A streaming table keeps its layout until a full refresh; a materialized view is made anew.
    pipeline.sql(later.replace("CLUSTER BY (id, `a-b`)", "CLUSTER BY (id)").replace("PARTITIONED BY (v)", ""))
    assert "'flat' is not partitioned or clustered as its table is. Run a full refresh" in str(pipeline.update().error)
    assert pipeline.update(full_refresh=["flat", "days"], refresh=["totals"]).error is None
    assert [layout(spark, name) for name in ("flat", "days", "totals")] == [(["id"], []), ([], []), ([], [])]
    assert sorted(tuple(row) for row in spark.table("totals").collect()) == [("a", 2), ("b", 2)]
