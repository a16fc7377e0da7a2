"""Random files through the guards lose no field: what no column shows is in the rescued data, with the file's path."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.autoloader.csv_files import Dialect
from helpers.autoloader.csv_guard import csv_guard
from helpers.autoloader.evolution import Evolution, UnknownFields
from helpers.autoloader.guard import json_guard
from helpers.autoloader.json_types import field, struct
from helpers.autoloader.schema_store import SchemaStore
from tests.autoloader_generated import CELLS, HEADERS, RECORDS, SCHEMA, missing, partly_shown

LINES = st.lists(RECORDS | st.sampled_from(['{"long": 1', "5", "oops", '{"long":1} {"long":2}']), max_size=6)
FLAT = ("long", "text", "day")


def rescued_of(path: Path, lines: list[str], rows: list[tuple[dict[str, Any], bool]], evolution: Evolution,
               size: int) -> list[dict[str, Any]]:
    """What the guard rescues of the file, in batches of `size` rows; `rows` are what columns show, and if all fits."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    whole, batches = path.stat().st_size, []
    for first in range(0, len(lines), size):
        part = list(zip(lines[first:first + size], rows[first:first + size], strict=True))
        count = len(part)
        batches.append((
            pa.array([path.as_uri()] * count), pa.array([0] * count, pa.int64()), pa.array([whole] * count, pa.int64()),
            pa.array([None if fits else line for line, (_, fits) in part], pa.string()),
            pa.array([None if fits else json.dumps(_without_nulls(shown)) for _, (shown, fits) in part], pa.string())))
    texts = [text for found in json_guard(evolution)(iter(batches)) for text in found.to_pylist()]
    for text in texts:
        assert text is None or json.loads(text)["_file_path"] == path.as_uri()
    return [json.loads(text or "{}") for text in texts]


def as_it_was(rescued: dict[str, Any]) -> dict[str, Any]:
    """Without the file's path, whose name a field of the record may have too."""
    own = {"_file_path": rescued["__file_path"]} if "__file_path" in rescued else {}
    return {name: value for name, value in rescued.items() if name not in ("_file_path", "__file_path")} | own


@settings(deadline=None, max_examples=150)
@given(LINES, st.integers(1, 4), st.booleans())
def test_a_json_record_is_in_its_columns_or_in_the_rescued_data(lines: list[Any], size: int, ascii: bool) -> None:
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=ascii) for line in lines]
    rows = [({}, False) if isinstance(line, str) else partly_shown(line, SCHEMA) for line in lines]
    with tempfile.TemporaryDirectory() as folder:
        found = rescued_of(Path(folder) / "a b.json", texts, rows, Evolution(SCHEMA, "rescue"), size)
    assert len(found) == len(lines)
    for line, text, (shown, _), rescued in zip(lines, texts, rows, found, strict=True):
        if isinstance(line, str):
            assert rescued["_corrupt_record"] == text
        else:
            assert missing(line, shown, as_it_was(rescued), SCHEMA) == []


@settings(deadline=None, max_examples=150)
@given(st.lists(RECORDS, min_size=1, max_size=4), st.booleans())
def test_after_the_restarts_that_new_fields_ask_for_nothing_is_lost_either(records: list[Any], typed: bool) -> None:
    texts = [json.dumps(record) for record in records]
    with tempfile.TemporaryDirectory() as folder:
        schema, reserved = SCHEMA, frozenset({"_rescued_data"})
        for _ in range(2):
            rows = [partly_shown(record, schema) for record in records]
            evolution = Evolution(schema, "addNewColumns", folder, typed, reserved)
            try:
                found = rescued_of(Path(folder) / "a.json", texts, rows, evolution, 2)
                break
            except UnknownFields:
                latest = SchemaStore(folder).latest()
                assert latest is not None
                schema = latest.schema
        else:
            pytest.fail("a second restart met new fields again")
    for record, (shown, _), rescued in zip(records, rows, found, strict=True):
        assert missing(record, shown, as_it_was(rescued), schema) == []


@settings(deadline=None, max_examples=150)
@given(HEADERS, st.lists(st.lists(CELLS, max_size=7), max_size=5), st.integers(3, 7))
def test_a_csv_value_is_under_its_header_or_in_the_rescued_data(
    names: list[str], rows: list[list[str]], width: int
) -> None:
    rows = [row for row in rows if any(row)]
    lines = [",".join(row) for row in rows]
    schema = struct(field(name, "string") for name in FLAT)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_text("\n".join([",".join(names), *lines]), encoding="utf-8")
        # Spark reads so many values by place, and gives a line with any other number of them as damaged.
        values = [[(row[place] or None) if place < len(row) else None for row in rows] for place in range(width)]
        damaged = [None if len(row) == width else line for row, line in zip(rows, lines, strict=True)]
        batch = (pa.array([path.as_uri()] * len(rows), pa.string()), pa.array([0] * len(rows), pa.int64()),
                 pa.array(damaged, pa.string()), *(pa.array(column, pa.string()) for column in values))
        (found,) = csv_guard(Evolution(schema, "rescue"), Dialect(), width)(iter([batch]))
    for row, line, shown in zip(rows, lines, found.to_pylist(), strict=True):
        extra = dict(shown["extra"] or [])
        columns = {name: shown[f"v{place}"] for place, name in enumerate(FLAT)}
        for place, cell in enumerate(row):
            name = names[place] if place < len(names) else f"_c{place}"
            kept = (columns.get(name), extra.get(name))
            assert not cell or cell in kept or extra["_corrupt_record"] == line


def _without_nulls(value: Any) -> Any:
    """As Spark's to_json writes it."""
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("mode", ["rescue", "addNewColumns"])
def test_half_of_a_surrogate_pair_is_rescued_as_it_is_written(tmp_path: Path, mode: str) -> None:
    line = '{"text": "\\ud800", "long": "x\\udfff", "\\ud83d": 1, "deep\\ud83d\\ude00": null}'
    schema = struct([*SCHEMA["fields"], field("deep\U0001f600", "string")])
    evolution = Evolution(schema, mode, str(tmp_path))
    found = rescued_of(tmp_path / "a.json", [line], [({"text": None}, False)], evolution, 1)
    assert as_it_was(found[0]) == {"text": "\ud800", "long": "x\udfff", "\ud83d": 1}


def test_bytes_that_are_no_text_are_rescued_as_nearly_as_they_can_be_told(tmp_path: Path) -> None:
    lines = [b'{"long": 1, "text": "\xff"}', b'{"text": "\xfc', b'{"long": 2}']
    path = tmp_path / "a.json"
    path.write_bytes(b"\n".join(lines))
    damaged = pa.array([lines[0], lines[1], None], pa.binary()).view(pa.string())
    batch = (pa.array([path.as_uri()] * 3), pa.array([0] * 3, pa.int64()), pa.array([100] * 3, pa.int64()), damaged,
             pa.array(["{}", "{}", None]))
    (found,) = json_guard(Evolution(SCHEMA, "rescue"))(iter([batch]))
    told = [json.loads(text or "{}") for text in found.to_pylist()]
    assert [as_it_was(each) for each in told] == [
        {"long": 1, "text": "\ufffd"}, {"_corrupt_record": '{"text": "\ufffd'}, {}]
