"""What the guards give for a batch of a file, by evolution mode, without Spark."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from helpers.autoloader import is_unknown_field_error, unknown_field_message
from helpers.autoloader.csv_files import Dialect
from helpers.autoloader.csv_guard import csv_guard
from helpers.autoloader.evolution import Evolution, UnknownFields
from helpers.autoloader.guard import LinesDoNotMatch, json_guard
from helpers.autoloader.json_types import Type, array, field, struct
from helpers.autoloader.schema_store import SchemaStore

SCHEMA = struct([field("id", "long"), field("n", struct([field("p", "long")]))])
STOPPING = ("addNewColumns", "failOnNewColumns")


def json_rescued(path: Path, evolution: Evolution, *lines: dict[str, Any]) -> list[dict[str, Any] | None]:
    """What the guard rescues of a file whose lines all fit their types."""
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    count = len(lines)
    batch = (pa.array([path.as_uri()] * count), pa.array([0] * count, pa.int64()),
             pa.array([path.stat().st_size] * count, pa.int64()), pa.nulls(count, pa.string()),
             pa.nulls(count, pa.string()))
    (texts,) = json_guard(evolution)(iter([batch]))
    return [_without_path(text) for text in texts.to_pylist()]


def csv_found(path: Path, evolution: Evolution, dialect: Dialect, *lines: str, width: int) -> list[dict[str, Any]]:
    """The structs that the guard makes of a file, whose rows Spark has cut to `width` values."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    rows = lines[0 if dialect.names else 1:]
    values = [row.split(",") for row in rows]
    columns = [pa.array([(value[place] or None) if place < len(value) else None for value in values], pa.string())
               for place in range(width)]
    damaged = pa.array([row if len(value) != width else None for row, value in zip(rows, values, strict=True)],
                       pa.string())
    batch = (pa.array([path.as_uri()] * len(rows)), pa.array([0] * len(rows), pa.int64()), damaged, *columns)
    (found,) = csv_guard(evolution, dialect, width)(iter([batch]))
    return found.to_pylist()  # type: ignore[no-any-return]


@pytest.fixture
def evolution(tmp_path: Path) -> Callable[[str], Evolution]:
    def made(mode: str, schema: Type = SCHEMA, **more: Any) -> Evolution:
        return Evolution(schema, mode, str(tmp_path / "state"), **more)  # type: ignore[arg-type]

    return made


def test_a_record_over_several_lines_is_looked_at_as_a_whole(
    tmp_path: Path, evolution: Callable[..., Evolution]
) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": 1,\n "new": 2},\n {"id": 3}\n]\n')
    count, size = 2, path.stat().st_size
    batch = (pa.array([path.as_uri()] * count), pa.array([0] * count, pa.int64()), pa.array([size] * count, pa.int64()),
             pa.nulls(count, pa.string()), pa.nulls(count, pa.string()))
    (texts,) = json_guard(evolution("rescue"), multi_line=True)(iter([batch]))
    assert [_without_path(text) for text in texts.to_pylist()] == [{"new": 2}, None]
    with pytest.raises(UnknownFields, match="`new`"):
        list(json_guard(evolution("addNewColumns"), multi_line=True)(iter([batch])))


def test_rows_keep_their_places_between_lines_that_need_no_look(
    tmp_path: Path, evolution: Callable[..., Evolution]
) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"id":1}\n\n{"id":2,"new":2}\r\n  \n{"id":3}\n[{"id":4},{"id":5,"new":5}]\n{"id":"x"}\n{"id":7}')
    count, size = 7, path.stat().st_size
    damaged = [None, None, None, None, None, '{"id":"x"}', None]
    shown = [None if line is None else "{}" for line in damaged]
    batch = (pa.array([path.as_uri()] * count), pa.array([0] * count, pa.int64()), pa.array([size] * count, pa.int64()),
             pa.array(damaged, pa.string()), pa.array(shown, pa.string()))
    batches = [tuple(column[first:first + 2] for column in batch) for first in range(0, count, 2)]
    found = [text for texts in json_guard(evolution("rescue"))(iter(batches)) for text in texts.to_pylist()]
    assert [_without_path(text) for text in found] == [None, {"new": 2}, None, None, {"new": 5}, {"id": "x"}, None]
    short = [tuple(column[:6] for column in batch)]
    with pytest.raises(LinesDoNotMatch, match="Nothing of this micro-batch was written"):
        list(json_guard(evolution("rescue"))(iter(short)))


@pytest.mark.parametrize("mode", ["rescue", "none"])
def test_a_new_field_is_rescued_at_any_depth_and_stops_nothing(
    tmp_path: Path, evolution: Callable[..., Evolution], mode: str
) -> None:
    found = json_rescued(tmp_path / "a.json", evolution(mode), {"id": 1}, {"id": 2, "new": [1], "n": {"p": 1, "q": 2}})
    assert found == [None, {"new": [1], "n": {"q": 2}}]
    assert SchemaStore(str(tmp_path / "state")).latest() is None


@pytest.mark.parametrize("mode", STOPPING)
def test_the_message_names_fields_and_file_and_says_whether_a_retry_helps(
    tmp_path: Path, evolution: Callable[..., Evolution], mode: str
) -> None:
    with pytest.raises(UnknownFields) as caught:
        json_rescued(tmp_path / "a.json", evolution(mode), {"id": 1, "new": [1.5], "n": {"q": 2}})
    message = unknown_field_message(caught.value) or ""
    assert "`new`, `n.q` in the file" in message
    assert "a.json" in message
    assert is_unknown_field_error(caught.value) == (mode == "addNewColumns")
    assert ("schemaHints" in message) == (mode == "failOnNewColumns")


def test_only_add_new_columns_writes_the_schema_down(tmp_path: Path, evolution: Callable[..., Evolution]) -> None:
    store = SchemaStore(str(tmp_path / "state"))
    with pytest.raises(UnknownFields):
        json_rescued(tmp_path / "a.json", evolution("failOnNewColumns"), {"new": [1.5]})
    assert store.latest() is None
    with pytest.raises(UnknownFields):
        json_rescued(tmp_path / "a.json", evolution("addNewColumns"), {"new": [1.5]})
    latest = store.latest()
    assert latest is not None
    assert latest.schema == struct([*SCHEMA["fields"], field("new", array("double"))])


def test_a_new_field_is_a_string_where_types_are_not_inferred(
    tmp_path: Path, evolution: Callable[..., Evolution]
) -> None:
    with pytest.raises(UnknownFields):
        json_rescued(tmp_path / "a.json", evolution("addNewColumns", typed=False), {"new": [1.5]})
    latest = SchemaStore(str(tmp_path / "state")).latest()
    assert latest is not None
    assert latest.schema["fields"][-1] == field("new", "string")


@pytest.mark.parametrize("mode", [*STOPPING, "rescue"])
def test_a_field_named_like_a_reserved_column_is_rescued_in_every_mode(
    tmp_path: Path, evolution: Callable[..., Evolution], mode: str
) -> None:
    reserving = evolution(mode, reserved=frozenset({"lost"}))
    assert json_rescued(tmp_path / "a.json", reserving, {"id": 1, "Lost": 2}) == [{"Lost": 2}]
    flat = evolution(mode, struct([field("id", "long")]), reserved=frozenset({"lost"}))
    assert csv_found(tmp_path / "a.csv", flat, Dialect(), "LOST,id", "x,1", width=2) == [
        {"v0": "1", "extra": [("LOST", "x")]}]


def test_a_file_wider_than_any_before_is_read_from_its_whole_lines(
    tmp_path: Path, evolution: Callable[..., Evolution]
) -> None:
    schema = struct([field("id", "long"), field("name", "string")])
    found = csv_found(tmp_path / "a.csv", evolution("rescue", schema), Dialect(), "a,b,name,id", "1,,n,7", "2,3",
                      "4,5,m,8,9", width=1)
    assert found == [{"v0": "7", "v1": "n", "extra": [("a", "1")]},
                     {"v0": None, "v1": None, "extra": [("a", "2"), ("b", "3"), ("_corrupt_record", "2,3")]},
                     {"v0": "8", "v1": "m", "extra": [("a", "4"), ("b", "5"), ("_corrupt_record", "4,5,m,8,9")]}]


def test_a_file_without_a_header_is_read_by_place(tmp_path: Path, evolution: Callable[..., Evolution]) -> None:
    schema = struct([field("id", "long"), field("name", "string")])
    found = csv_found(tmp_path / "a.csv", evolution("failOnNewColumns", schema), Dialect(names=("id", "name")),
                      "1,x", "2,y,z", width=2)
    assert found == [{"v0": "1", "v1": "x", "extra": None},
                     {"v0": "2", "v1": "y", "extra": [("_corrupt_record", "2,y,z")]}]


def _without_path(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    found = json.loads(text)
    assert found.pop("_file_path").startswith("file:///")
    return found  # type: ignore[no-any-return]
