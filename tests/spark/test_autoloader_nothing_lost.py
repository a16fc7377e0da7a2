"""Generated files through a whole stream lose no field.

The unit tests of this name say so of the guards; here Spark's own readers decide what a column shows.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from tests.autoloader_generated import RECORDS, SCHEMA, examples, missing
from tests.spark.autoloader_lab import Lab, new_lab

RESCUED = {"rescuedDataColumn": "_rescued_data"}
NAMES = ("long", "text", "flag", "day", "Long", "TEXT", "new", "née", "x y", "a,b")
CELLS = st.text("ab7-ü ,\"\\\n'", max_size=5).map(str.strip) | st.sampled_from(
    ["7", "true", "2026-01-31", "2026-02-30"])
FILES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True).flatmap(
    lambda names: st.tuples(st.just(names), st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)),
                                                     min_size=1, max_size=12)))


def rows_by_key(lab: Lab) -> dict[int | None, tuple[dict[str, Any], dict[str, Any]]]:
    """What the columns of each row show, and what was rescued of it; the path of its file is checked."""
    found = {}
    for row in lab.spark.read.format("delta").load(str(lab.root / "table")).collect():
        columns = row.asDict(recursive=True)
        rescued = json.loads(columns.pop("_rescued_data") or "{}")
        assert not rescued or "/landing/" in rescued.pop("_file_path")
        if "__file_path" in rescued:
            rescued["_file_path"] = rescued.pop("__file_path")
        found[columns["key"]] = (columns, rescued)
    return found


def test_json_records_are_in_their_columns_or_in_the_rescued_data(spark: SparkSession, tmp_path: Path) -> None:
    lab = new_lab(spark, tmp_path)
    records = [{**record, "key": number} for number, record in enumerate(examples(RECORDS, 300))]
    for first in range(0, len(records), 60):
        lab.land(f"{first}.json", *records[first:first + 60])
    lab.land("damaged.json", '{"key": 1, "long"')
    lab.run(lab.read(StructType.fromJson(SCHEMA), reader=RESCUED))
    found = rows_by_key(lab)
    assert len(found) == len(records) + 1
    assert found[None][1] == {"_corrupt_record": '{"key": 1, "long"'}
    lost = [(record, part) for record in records for part in missing(record, *found[record["key"]], SCHEMA)]
    assert lost == []
    # The records did try what this is about.
    assert sum(bool(rescued) for _, rescued in found.values()) > len(records) / 4


def test_csv_values_are_under_their_headers_or_in_the_rescued_data(spark: SparkSession, tmp_path: Path) -> None:
    lab = new_lab(spark, tmp_path, "csv")
    landed: list[dict[str, str]] = []
    for number, (names, rows) in enumerate(examples(FILES, 40)):
        records = [{**dict(zip(names, row, strict=True)), "key": str(len(landed) + at)} for at, row in enumerate(rows)]
        landed += records
        text = io.StringIO()
        header = [*names[:number % 3], "key", *names[number % 3:]]
        writer = csv.DictWriter(text, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        lab.land(f"{number}.csv", text.getvalue())
    several = {"header": "true", "multiLine": "true", "escape": '"'}
    lab.run(lab.read("key BIGINT, long BIGINT, text STRING, flag BOOLEAN, day DATE", reader={**several, **RESCUED}))
    found = rows_by_key(lab)
    assert len(found) == len(landed)
    lost = [(record, name) for record in landed for name, cell in record.items()
            if cell and not _kept(name, cell, *found[int(record["key"])])]
    assert lost == []
    assert sum(bool(rescued) for _, rescued in found.values()) > len(landed) / 4


def _kept(name: str, cell: str, columns: dict[str, Any], rescued: dict[str, Any]) -> bool:
    value = columns.get(name)
    shown = str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
    return cell == rescued.get(name) or cell == shown or (name in ("key", "long") and value is not None
                                                           and int(cell) == value)
