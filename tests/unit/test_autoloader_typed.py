"""Parquet, ORC and XML files against a schema, without Spark."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from helpers.autoloader import typed_guard as typed_guard_module
from helpers.autoloader.blocks import Block
from helpers.autoloader.evolution import Evolution, UnknownFields
from helpers.autoloader.guard import xml_guard
from helpers.autoloader.json_types import Type, array, field, struct
from helpers.autoloader.records import beyond, lost
from helpers.autoloader.typed_files import file_schema, widest
from helpers.autoloader.typed_guard import SplitFile, typed_guard
from helpers.autoloader.xml_records import DamagedXml, fitted, xml_records


def schema(**types: Type) -> dict[str, Any]:
    return struct(field(name, type_) for name, type_ in types.items())


def landed(root: Path, format: str, **columns: Any) -> Path:
    path = root / f"a.{format}"
    table = pa.table(columns)
    pq.write_table(table, path) if format == "parquet" else orc.write_table(table, path)
    return path


def guarded(path: Path, format: str, evolution: Evolution, *differing: str, places: list[int]) -> list[dict[str, Any]]:
    count = len(places)
    batch = (pa.array([path.as_uri()] * count), pa.array([0] * count), pa.array(places))
    (found,) = typed_guard(evolution, format, differing)(iter([batch]))
    return found.to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_a_file_has_the_types_that_spark_gives_it(tmp_path: Path, format: str) -> None:
    path = landed(tmp_path, format, b=pa.array([1], pa.int8()), i=pa.array([1], pa.int32()), d=[Decimal("1.50")],
                  t=pa.array([datetime(2026, 1, 1, tzinfo=UTC)]), s=[{"a": ["x"]}],
                  m=pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())))
    assert file_schema(str(path), format) == schema(
        b="byte", i="integer", d="decimal(3,2)", t="timestamp", s=schema(a=array("string")),
        m={"type": "map", "keyType": "string", "valueType": "long", "valueContainsNull": True})


@pytest.mark.parametrize(("one", "other", "both"), [
    ("integer", "long", "long"), ("float", "double", "double"), ("short", "double", "double"), ("void", "date", "date"),
    ("decimal(4,2)", "decimal(5,1)", "decimal(6,2)"), ("string", "long", "string"), ("long", "string", "long"),
    (schema(a="integer"), schema(b="date", A="long"), schema(a="integer", b="date")),
    (array("integer"), array("long"), array("long")),
])
def test_of_two_types_the_wider_wins_or_else_the_first(one: Type, other: Type, both: Type) -> None:
    assert widest(one, other) == both


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_what_a_typed_file_has_beyond_the_schema_is_rescued_row_by_row(tmp_path: Path, format: str) -> None:
    path = landed(tmp_path, format, id=[1, 2], x=["5", "five"], n=[{"p": 1, "q": None}, {"p": 2, "q": b"ab"}])
    known = schema(id="long", x="integer", n=schema(p="long"))
    places = [1, 0] if format == "parquet" else [-1, -1]
    rows = guarded(path, format, Evolution(known, "rescue"), "x", places=places)
    told = [(row["v0"], row["rescued"] and json.loads(row["rescued"])) for row in rows]
    expected = [(5, None), (None, {"x": "five", "n": {"q": "YWI="}, "_file_path": path.as_uri()})]
    assert told == (expected[::-1] if format == "parquet" else expected)


def test_whole_numbers_fit_a_decimal_column_with_room_for_them(tmp_path: Path) -> None:
    path = landed(tmp_path, "parquet", price=[1, 10 ** 9, None])
    rows = guarded(path, "parquet", Evolution(schema(price="decimal(10,2)"), "rescue"), "price", places=[0, 1, 2])
    assert [(row["v0"], json.loads(row["rescued"] or "{}").get("price")) for row in rows] == [
        (Decimal("1.00"), None), (None, 10 ** 9), (None, None)]


def test_a_map_whose_keys_are_shown_in_another_type_is_not_rescued_too(tmp_path: Path) -> None:
    path = landed(tmp_path, "parquet", m=pa.array([[("1", 5)], [("2", 10 ** 10)]], pa.map_(pa.string(), pa.int64())))
    known = schema(m={"type": "map", "keyType": "long", "valueType": "integer", "valueContainsNull": True})
    rows = guarded(path, "parquet", Evolution(known, "rescue"), "m", places=[0, 1])
    assert [(row["v0"], json.loads(row["rescued"] or "{}").get("m")) for row in rows] == [
        ([(1, 5)], None), (None, {"2": 10 ** 10})]


def test_a_column_that_its_schema_declares_not_null_inside_is_left_to_spark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = landed(tmp_path, "parquet", n=[{"p": 1}])
    known = schema(n=struct([{**field("p", "long"), "nullable": False, "metadata": {"comment": "a number"}}]))
    monkeypatch.setattr(typed_guard_module, "read_columns", None)
    assert guarded(path, "parquet", Evolution(known, "rescue"), places=[0]) == [{"rescued": None}]


def test_a_new_column_stops_the_stream_with_its_type(tmp_path: Path) -> None:
    path = landed(tmp_path, "parquet", id=[1], n=[{"q": 1.5}], Known=["x"], part=["x"])
    evolution = Evolution(schema(id="long", n=schema(p="long"), known="string"), "addNewColumns", str(tmp_path / "s"),
                          reserved=frozenset({"part"}))
    with pytest.raises(UnknownFields, match=r"Unknown fields `n\.q` in"):
        guarded(path, "parquet", evolution, places=[0])
    stored = json.loads((tmp_path / "s" / "_schemas" / "0").read_text())["schema"]
    assert stored == schema(id="long", n=schema(p="long", q="double"), known="string")


def test_rows_of_a_split_orc_file_are_not_mixed_up(tmp_path: Path) -> None:
    path = landed(tmp_path, "orc", id=[1])
    batch = (pa.array([path.as_uri()]), pa.array([100]), pa.array([-1]))
    with pytest.raises(SplitFile, match="smaller files"):
        list(typed_guard(Evolution(schema(id="long"), "rescue"), "orc", ())(iter([batch])))


def test_xml_elements_become_records(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text('<all><r id="1">t<a>x</a><b/><a>y</a><c><d>1</d></c></r><s/><r>only</r></all>')
    block = Block(path.as_uri(), 0, 1000)
    assert list(xml_records(block, "r")) == [
        {"_id": "1", "a": ["x", "y"], "b": None, "c": {"d": "1"}, "_VALUE": "t"}, {"_VALUE": "only"}]
    row = '<r x:id="1"><x:a>1</x:a><b>2</b></r>'
    path.write_text(f'<x:all xmlns="u" xmlns:x="v">{row}{" " * 70_000}<r/></x:all>')
    assert list(xml_records(Block(path.as_uri(), 0, 80_000), "r")) == [
        {"_x:id": "1", "x:a": "1", "b": "2"}, {"_VALUE": None}]
    path.write_text("<all><r>u<b/>v<r>w<c/></r></r><r>x</r></all>")
    assert list(xml_records(block, "r")) == [{"b": None, "r": {"c": None, "_VALUE": "w"}, "_VALUE": ["u", "v"]},
                                             {"_VALUE": "x"}]
    path.write_text("<all><r>")
    with pytest.raises(DamagedXml, match=r"a\.xml"):
        list(xml_records(block, "r"))
    path.write_text("<all>\n<r>" + "<b>" * 2000 + "</b>" * 2000 + "</r></all>")
    with pytest.raises(DamagedXml, match=r"a\.xml .*line 2: more than 200 elements inside each other"):
        list(xml_records(Block(path.as_uri(), 0, 20_000), "r"))


@pytest.mark.parametrize(("type_", "value", "kept"), [
    ("string", {"_lang": "en", "_VALUE": "x"}, None), ("string", ["x", "y"], None), ("string", {"b": "x"}, "<b>x</b>"),
    ("long", ["1", "2"], None), (schema(p="long"), [{"p": "1"}, {"p": "2"}], None), (array("string"), "x", ["x"]),
    (array("string"), ["x", "y"], ["x", "y"]), (array(schema(p="long")), {"p": "1"}, [{"p": 1}]),
    (array("string"), None, None), ("string", {"b": "x", "_VALUE": "y"}, "y<b>x</b>"),
])
def test_what_spark_shows_only_a_part_of_in_an_xml_column_is_rescued_whole(type_: Type, value: Any, kept: Any) -> None:
    record = fitted({"x": value}, schema(x=type_))
    shown = kept or {"string": "y", "long": 2}.get(str(type_), {"p": 2})
    assert lost(record, {"x": shown}, schema(x=type_)) == (None if kept or value is None else {"x": value})


@pytest.mark.parametrize(("type_", "record", "kept"), [
    ("string", {"x": "1", "X": "2"}, {"x": "1", "X": "2"}), ("string", {"x": "1", "y": "2"}, {"y": "2"}),
    (schema(p="string"), {"x": {"p": "1"}, "X": None}, {"x": {"p": "1"}}), ("string", {"X": "2"}, {"X": "2"}),
    (array("string"), {"x": ["1", "2"], "X": "3"}, {"x": ["1", "2"], "X": "3"}),
    (schema(p="string"), {"x": {"p": "1", "P": "2"}}, {"x": {"p": "1", "P": "2"}}),
])
def test_of_two_spellings_of_an_xml_element_the_one_that_spark_does_not_show_is_not_lost(
    type_: Type, record: dict[str, Any], kept: dict[str, Any]
) -> None:
    fits = fitted(record, schema(x=type_))
    assert lost(fits, fits, schema(x=type_)) == kept


@pytest.mark.parametrize(("value_type", "value", "kept"), [
    ("string", {"k": "1", "l": "2"}, None), ("long", {"k": ["1", "2"]}, {"k": ["1", "2"]}),
    ("string", {"k": {"_z": "1", "_VALUE": "2"}}, {"k": {"_z": "1", "_VALUE": "2"}}),
    (array("string"), {"k": "1"}, None), (schema(p="string"), {"k": {"p": "1", "q": "2"}}, {"k": {"p": "1", "q": "2"}}),
])
def test_an_xml_map_is_rescued_where_its_column_shows_a_part_of_it(value_type: Type, value: Any, kept: Any) -> None:
    type_ = schema(x={"type": "map", "keyType": "string", "valueType": value_type})
    fits = fitted({"x": value}, type_)
    assert lost(fits, fits, type_) == ({"x": kept} if kept else None)


def test_an_xml_text_in_a_column_of_elements_is_a_field_of_its_own() -> None:
    type_ = schema(x=schema(p="string"))
    record = fitted({"x": "text"}, type_)
    assert beyond(record, type_).new == schema(x=schema(_VALUE="string"))
    assert lost(record, {"x": {"p": None}}, type_) == {"x": {"_VALUE": "text"}}


def test_a_new_field_in_the_only_element_of_an_xml_array_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<all><r><i><a>1</a><new>2</new></i><t>x</t><t>y</t></r></all>")
    known = schema(i=array(schema(a="long")), t="string")
    none = pa.nulls(1, pa.string())
    batch = (pa.array([path.as_uri()]), pa.array([0]), pa.array([100]), none, none)
    (texts,) = xml_guard(Evolution(known, "rescue"), "r")(iter([batch]))
    assert json.loads(texts[0].as_py()) == {
        "i": [{"a": "1", "new": "2"}], "t": ["x", "y"], "_file_path": path.as_uri()}
    with pytest.raises(UnknownFields, match=r"Unknown fields `i\.new` in"):
        list(xml_guard(Evolution(known, "failOnNewColumns"), "r")(iter([batch])))


def test_new_xml_elements_stop_the_stream_or_are_rescued(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<all><r><id>1</id></r><r><id>2</id><new>7</new></r></all>")
    batch = (pa.array([path.as_uri()] * 2), pa.array([0, 0]), pa.array([100, 100]), pa.nulls(2, pa.string()),
             pa.nulls(2, pa.string()))
    known = schema(id="long")
    (texts,) = xml_guard(Evolution(known, "rescue"), "r")(iter([batch]))
    assert texts.to_pylist() == [None, json.dumps({"new": "7", "_file_path": path.as_uri()}, separators=(",", ":"))]
    with pytest.raises(UnknownFields):
        list(xml_guard(Evolution(known, "addNewColumns", str(tmp_path / "s")), "r")(iter([batch])))
    stored = json.loads((tmp_path / "s" / "_schemas" / "0").read_text())["schema"]
    assert stored == schema(id="long", new="long")
