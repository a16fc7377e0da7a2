"""Rows that are added to a Delta table without Spark."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from helpers.pipelines import table_log

WHEN = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
SCHEMA = pa.schema([("id", pa.string()), ("at", pa.timestamp("us", "UTC")), ("of", pa.struct([("n", pa.int64())])),
                    ("added_later", pa.string())])


def test_rows_are_appended_once_for_each_application(tmp_path: Path) -> None:
    write_deltalake(tmp_path, SCHEMA.empty_table())
    for name, application in (("a", "first"), ("a", "first"), ("b", "second")):
        row = {"id": name, "at": WHEN, "of": {"n": 1, "more": 2}, "unknown": 3}
        assert table_log.append(f"file:{tmp_path}", [row], application=application)
    found = sorted(DeltaTable(tmp_path).to_pyarrow_table().to_pylist(), key=lambda row: row["id"])
    assert found == [{"id": name, "at": WHEN, "of": {"n": 1}, "added_later": None} for name in "ab"]


def test_what_cannot_be_appended_here_is_left_to_spark(tmp_path: Path) -> None:
    for place in (None, "s3://bucket/table", str(tmp_path / "absent")):
        assert not table_log.append(place, [{"id": "a"}], application="x")
    write_deltalake(tmp_path, SCHEMA.empty_table())
    assert not table_log.append(str(tmp_path), [{"id": object()}], application="x")
    assert DeltaTable(tmp_path).version() == 0
