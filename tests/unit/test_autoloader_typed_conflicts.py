"""Parquet and ORC columns of another type than the schema's, at any depth, without Spark: no value is lost."""

from __future__ import annotations

import json
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import orc

from helpers.autoloader import UnsupportedPath
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.json_types import Type, array, field, struct
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import check_options
from helpers.autoloader.typed_files import arrow_type, conflicts, holds, plain
from helpers.autoloader.typed_frames import infer_typed
from helpers.autoloader.typed_guard import OtherType, typed_guard
from tests.autoloader_generated import missing

LEAVES = {"long": st.integers(-9, 2**53), "integer": st.integers(-9, 9), "double": st.floats(-1e9, 1e9),
          "float": st.floats(-2, 2, width=32), "boolean": st.booleans(),
          "string": st.text("xü\"\\", max_size=3), "date": st.dates(date(1990, 1, 1), date(2040, 1, 1))}

NAN = float("nan")


def mapped(value: Type, key: Type = "string") -> dict[str, Any]:
    return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}


def struct_of(**types: Type) -> dict[str, Any]:
    return struct(field(name, type_) for name, type_ in types.items())


def pairs_of_structs(fields: dict[str, tuple[Any, str]]) -> tuple[Any, Any]:
    """Structs with these fields, each in both of them or in one."""
    own = {name: pair[0] for name, (pair, where) in fields.items() if where != "found"}
    found = {name: pair[1] for name, (pair, where) in fields.items() if where != "own"}
    return struct_of(**own or {"o": "long"}), struct_of(**found or {"f": "long"})


PAIRS = st.recursive(
    st.tuples(st.sampled_from([*LEAVES]), st.sampled_from([*LEAVES])),
    lambda inner: st.one_of(
        inner.map(lambda pair: tuple(map(array, pair))), inner.map(lambda pair: tuple(map(mapped, pair))),
        st.dictionaries(st.sampled_from("pqP"), st.tuples(inner, st.sampled_from(["own", "found", "both", "both"])),
                        max_size=3).map(pairs_of_structs),
        st.builds(lambda one, other: (one[0], other[1]), inner, inner)), max_leaves=4)


def values(type_: Any) -> st.SearchStrategy[Any]:
    """Values of a type, null among them."""
    if isinstance(type_, str):
        return st.none() | LEAVES[type_]
    if type_["type"] == "array":
        return st.none() | st.lists(values(type_["elementType"]), max_size=3)
    if type_["type"] == "map":
        return st.none() | st.dictionaries(st.text("kl", max_size=2), values(type_["valueType"]), max_size=2)
    return st.none() | st.fixed_dictionaries({each["name"]: values(each["type"]) for each in type_["fields"]})


def guarded(path: Path, known: Any, *differing: str, count: int) -> list[tuple[Any, dict[str, Any] | None]]:
    """What the guard gives for each row: the first of the differing columns, and what was rescued."""
    format = path.suffix[1:]
    places = list(range(count)) if format == "parquet" else [-1] * count
    batch = (pa.array([path.as_uri()] * count, pa.string()), pa.array([0] * count), pa.array(places))
    (found,) = typed_guard(Evolution(known, "rescue"), format, differing)(iter([batch]))
    rows = found.to_pylist(maps_as_pydicts="lossy")
    return [(row.get("v0"), json.loads(row["rescued"]) if row["rescued"] else None) for row in rows]


def landed(root: Path, format: str, **columns: Any) -> Path:
    path = root / f"a.{format}"
    table = pa.table(columns)
    pq.write_table(table, path) if format == "parquet" else orc.write_table(table, path)
    return path


@settings(deadline=None, max_examples=100)
@given(PAIRS, st.data())
def test_a_value_is_in_its_column_or_in_the_rescued_data(pair: tuple[Any, Any], data: st.DataObject) -> None:
    own, found = pair
    rows = data.draw(st.lists(values(found), min_size=1, max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        path = landed(Path(folder), "parquet", x=pa.array(rows, arrow_type(found)))
        told = guarded(path, struct_of(x=own), "x", count=len(rows))
    for row, (shown, rescued) in zip(rows, told, strict=True):
        assert missing(plain(row), plain(shown), (rescued or {}).get("x"), own) == []


@pytest.mark.parametrize("format", ["parquet", "orc"])
@pytest.mark.parametrize(("own", "rows", "shown", "rescued"), [
    (struct_of(p="long", q="string", new="date"), [{"p": "x", "q": "y", "r": 1}, {"p": "7", "q": None, "r": None}],
     [{"p": None, "q": "y", "new": None}, {"p": 7, "q": None, "new": None}], [{"p": "x", "r": 1}, None]),
    (struct_of(p="long"), [5, None], [None, None], [5, None]),
    ("long", [{"p": 1}, None], [None, None], [{"p": 1}, None]),
    ("string", [[1], []], [None, None], [[1], []]),
    (array("long"), [["1", "x"], ["2", None], None], [None, [2, None], None], [["1", "x"], None, None]),
    (array(struct_of(k="long")), [[{"k": 1}, {"k": None}], []], [[{"k": 1}, {"k": None}], []], [None, None]),
    (array(struct_of(k="long")), [[{"k": "1"}, {"k": "x"}]], [[{"k": 1}, {"k": None}]], [[{"k": "1"}, {"k": "x"}]]),
])
def test_the_parts_that_fit_are_kept_and_the_others_are_rescued(
    tmp_path: Path, format: str, own: Type, rows: list[Any], shown: list[Any], rescued: list[Any]
) -> None:
    path = landed(tmp_path, format, x=rows)
    told = guarded(path, struct_of(x=own), "x", count=len(rows))
    assert [value for value, _ in told] == shown
    assert [each and each["x"] for _, each in told] == rescued


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_a_map_of_which_an_item_does_not_fit_is_rescued_as_a_whole(tmp_path: Path, format: str) -> None:
    rows = [[("k", "1"), ("l", "x")], [("k", "2"), ("l", None)]]
    path = landed(tmp_path, format, x=pa.array(rows, pa.map_(pa.string(), pa.string())))
    told = guarded(path, struct_of(x=mapped("long")), "x", count=2)
    assert told == [(None, {"x": {"k": "1", "l": "x"}, "_file_path": path.as_uri()}), ({"k": 2, "l": None}, None)]
    path = landed(tmp_path, format, x=pa.array([[(date(2026, 1, 1), 1)]], pa.map_(pa.date32(), pa.int64())))
    assert guarded(path, struct_of(x=mapped("long", "long")), "x", count=1) == [
        (None, {"x": {"2026-01-01": 1}, "_file_path": path.as_uri()})]


@pytest.mark.parametrize(("own", "value", "rescued"), [
    ("boolean", 5, 5), ("long", True, True), ("integer", date(2026, 1, 1), "2026-01-01"), ("string", b"ab", "YWI="),
    ("float", 1.1, 1.1), ("long", 1.5, 1.5), ("byte", 300, 300), ("double", 2**60 + 1, 2**60 + 1),
    ("date", datetime(2026, 1, 1, 5), "2026-01-01T05:00:00"),
])
def test_a_value_that_another_type_would_change_is_rescued(
    tmp_path: Path, own: Type, value: Any, rescued: Any
) -> None:
    path = landed(tmp_path, "parquet", x=[value])
    assert guarded(path, struct_of(x=own), "x", count=1) == [(None, {"x": rescued, "_file_path": path.as_uri()})]


@pytest.mark.parametrize(("own", "type_", "value"), [
    ("long", pa.decimal128(10, 0), 7), ("integer", pa.decimal128(12, 2), 7), ("double", pa.float32(), NAN),
    ("float", pa.float64(), NAN), (array("double"), pa.list_(pa.float32()), [NAN, 1.5]),
])
def test_the_same_number_in_another_type_is_kept(tmp_path: Path, own: Type, type_: pa.DataType, value: Any) -> None:
    path = landed(tmp_path, "parquet", x=pa.array([value], type_))
    ((shown, rescued),) = guarded(path, struct_of(x=own), "x", count=1)
    assert (repr(shown), rescued) == (repr(value), None)


@pytest.mark.parametrize(("own", "type_", "value"), [
    ("string", pa.large_string(), "x"), ("string", pa.string_view(), "x"), ("string", pa.json_(), "{}"),
    ("string", pa.dictionary(pa.int32(), pa.string()), "x"),
    (array("integer"), pa.large_list(pa.int64()), [1]), (array("integer"), pa.list_(pa.int64(), 1), [1]),
])
def test_the_forms_that_only_arrow_has_are_read_as_what_they_hold(
    tmp_path: Path, own: Type, type_: pa.DataType, value: Any
) -> None:
    path = landed(tmp_path, "parquet", x=pa.array([value], type_))
    assert guarded(path, struct_of(x=own), "x", count=1) == [(value, None)]


@pytest.mark.parametrize(("own", "found", "other"), [
    ("long", "string", True), ("long", "integer", True), ("long", "void", False), ("interval", "long", False),
    (struct_of(p="long"), struct_of(p="string"), True), (struct_of(p="long"), struct_of(P="long"), True),
    (struct_of(p="long", q="date"), struct_of(r="long", p="long"), False), (struct_of(p="long"), "long", True),
    ("long", array("long"), True), (array(struct_of(p="long")), array(struct_of(p="date")), True),
    (array("long"), {**array("long"), "containsNull": False}, False), (mapped("long"), mapped("date"), True),
    (mapped("long"), mapped("long", "date"), True),
])
def test_another_type_or_another_case_is_seen_at_any_depth(own: Type, found: Type, other: bool) -> None:
    assert conflicts(own, found) == other


@pytest.mark.parametrize(("own", "found", "takes"), [
    ("long", "integer", True), ("integer", "long", False), ("string", "long", False), ("double", "float", True),
    ("decimal(6,2)", "decimal(5,1)", True), ("decimal(4,2)", "decimal(5,1)", False),
    ("long", struct_of(p="long"), False),
])
def test_a_wider_type_takes_all_values_of_a_narrower_one(own: Type, found: Type, takes: bool) -> None:
    assert holds(own, found) == takes


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_a_file_with_another_type_that_load_has_not_seen_is_refused_before_spark_changes_a_value(
    tmp_path: Path, format: str
) -> None:
    path = landed(tmp_path, format, x=pa.array([5], pa.int32()), n=[{"p": "x"}])
    known = struct_of(x="long", n=struct_of(p="long"))
    with pytest.raises(OtherType, match=rf"a\.{format} came after load\(\), and its column `n`.*readStream … load\(\)"):
        guarded(path, known, count=1)
    with pytest.raises(OtherType, match=r"column `x`.*another case"):
        guarded(path, struct_of(X="long"), count=1)
    assert guarded(path, known, "n", count=1) == [({"p": None}, {"n": {"p": "x"}, "_file_path": path.as_uri()})]


def test_a_time_beyond_those_of_python_is_rescued_as_a_text(tmp_path: Path) -> None:
    path = landed(tmp_path, "parquet", x=pa.array([253_402_300_799_000_000], pa.timestamp("us", "Europe/Berlin")))
    ((_, rescued),) = guarded(path, struct_of(id="long"), count=1)
    assert rescued["x"] == "10000-01-01 00:59:59.000000+0100"


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_a_file_that_is_not_whole_is_named_with_the_next_step(tmp_path: Path, format: str) -> None:
    path = landed(tmp_path, format, x=[1])
    options = check_options({}, explicit_schema=False, format=format)
    assert infer_typed(Landing(str(tmp_path)), options) == struct_of(x="long")
    for content in (path.read_bytes()[:-9], b""):
        path.write_bytes(content)
        with pytest.raises(UnsupportedPath, match=rf"a\.{format} is no whole {format} file.*Remove it.*new name"):
            infer_typed(Landing(str(tmp_path)), options)
