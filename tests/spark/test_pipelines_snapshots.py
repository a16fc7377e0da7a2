"""AUTO CDC from snapshots: each next one is compared with the target, in order, once, whatever cuts the update off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import changes
from helpers.pipelines.notebook import Pipeline, notebook_pipeline

#: Version 2 changes 1, drops 2 and brings 3; version 3 changes of 1 what is not tracked, and has a new column.
SNAPSHOTS = {
    1: "SELECT * FROM VALUES (1, 'a', 'x'), (2, 'b', 'x') AS t(id, name, note)",
    2: "SELECT * FROM VALUES (1, 'A', 'x'), (3, 'c', 'x') AS t(id, name, note)",
    3: "SELECT * FROM VALUES (1, 'A', 'y', NULL), (3, 'c', 'x', 7) AS t(id, name, note, extra)",
}
LATER = {4: "SELECT * FROM VALUES (2, 'B', 'z') AS t(id, name, note)"}


class Feed:
    """The snapshots that are there; ``asked``: the versions after which somebody has asked for the next."""

    def __init__(self, spark: Any) -> None:
        self.spark, self.there, self.asked = spark, dict(SNAPSHOTS), list[Any]()

    def following(self, version: int | None) -> Any:
        self.asked.append(version)
        found = sorted(each for each in self.there if version is None or each > version)
        # An action, which a function that gives snapshots may run.
        assert self.spark.range(1).count() == 1
        return (self.spark.sql(self.there[found[0]]), found[0]) if found else None


@pytest.fixture
def pipeline(spark: Any, schema: str, tmp_path: Path) -> Iterator[Pipeline]:
    yield notebook_pipeline(spark, "snapshots", schema=schema, checkpoints=tmp_path, parameters={})
    assert not spark.streams.active


def rows(spark: Any, table: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in spark.table(table).collect()), key=repr)


def test_snapshots_become_changes_once_and_in_order(
    pipeline: Pipeline, spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(spark)
    spark.sql("CREATE TABLE clients AS SELECT * FROM VALUES (1, 'a'), (2, 'b') AS t(id, name)")
    with pipeline:
        from pyspark import pipelines as dp

        dp.create_streaming_table("history")
        dp.create_auto_cdc_from_snapshot_flow(
            target="history", source=feed.following, keys=["id"], stored_as_scd_type=2,
            track_history_except_column_list=["note"])
        dp.create_streaming_table("latest")
        dp.create_auto_cdc_from_snapshot_flow(target="latest", source="named", keys=["id"])

    pipeline.sql("CREATE TEMPORARY VIEW named AS SELECT * FROM clients WHERE name IS NOT NULL")

    # Cut off after the first snapshots are stored and before they are applied: the next update goes on from there.
    with monkeypatch.context() as broken:
        broken.setattr(changes.cdc, "merge", _interrupted)
        assert "cut off" in str(pipeline.update().error)
    assert rows(spark, "history") == []
    first = pipeline.update()
    assert first.error is None
    assert feed.asked[-3:] == [1, 2, 3]
    # The change of `note` alone opens no version, and 2 is closed by the snapshot that lacks it.
    assert rows(spark, "history") == [
        (1, "A", "y", 2, None, None), (1, "a", "x", 1, 2, None), (2, "b", "x", 1, 2, None),
        (3, "c", "x", 2, 3, None), (3, "c", "x", 3, None, 7)]
    assert rows(spark, "latest") == [(1, "a"), (2, "b")]

    # Nothing new is nothing done; a row that goes from the view goes from the target.
    idle = pipeline.update()
    assert [idle.dataset(name).status for name in ("history", "latest")] == ["IDLE", "IDLE"]
    spark.sql("UPDATE clients SET name = 'A' WHERE id = 1")
    spark.sql("UPDATE clients SET name = NULL WHERE id = 2")
    feed.there |= LATER
    second = pipeline.update()
    assert second.error is None
    assert rows(spark, "latest") == [(1, "A")]
    latest = second.dataset("latest")
    assert (latest.rows_read, latest.num_upserted_rows, latest.num_deleted_rows) == (1, 1, 1)
    assert [row for row in rows(spark, "history") if row[4] is None] == [(2, "B", "z", 4, None, None)]

    # A key twice and a version that goes back end the flow; a full refresh begins with the first snapshot.
    feed.there[5] = "SELECT * FROM VALUES (1, 'a', 'x'), (1, 'b', 'x') AS t(id, name, note)"
    assert "The snapshot of 'history' has a key twice" in str(pipeline.update().error)
    feed.following = lambda version: (spark.sql(SNAPSHOTS[1]), 3)  # type: ignore[method-assign]
    with pipeline:
        dp.create_streaming_table("history")
        dp.create_auto_cdc_from_snapshot_flow(target="history", source=feed.following, keys=["id"])
    assert "Run a full refresh of 'history'" in str(pipeline.update().error)
    again = pipeline.update(full_refresh=["history"])
    assert "3, which does not come after 3" in str(again.error)
    assert rows(spark, "history") == [(1, "a", "x"), (2, "b", "x")]


def _interrupted(*_: Any, **__: Any) -> str:
    raise RuntimeError("cut off")
