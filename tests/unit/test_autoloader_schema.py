"""Inference, schema hints and the schema location, without Spark."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from helpers.autoloader import InvalidSchemaHint
from helpers.autoloader.hints import Hint, apply_hints, parse_hints
from helpers.autoloader.json_types import Type, add_fields, array, field, infer, merge_all, settled, struct
from helpers.autoloader.schema_store import SchemaFileError, SchemaStore


def schema(**types: Type) -> dict[str, Any]:
    return struct(field(name, type_) for name, type_ in types.items())


@pytest.mark.parametrize(("values", "expected"), [
    ([1, None], "long"), ([1, 2.5], "double"), ([True], "boolean"), (["x", 1], "string"), ([None], "string"),
    ([2**63], "decimal(19,0)"), ([10**40], "double"), ([[1], [2.5]], array("double")), ([[]], array("string")),
    ([{"b": 1}, {"a": "x"}], schema(a="string", b="long")), ([{"b": None}], schema(b="string")),
    ([True, 1], "string"), ([2**63, 1], "decimal(20,0)"),
])
def test_values_have_the_type_that_holds_all_of_them(values: list[Any], expected: Type) -> None:
    assert settled(merge_all(infer(value) for value in values)) == expected


def test_of_two_spellings_the_first_becomes_the_field() -> None:
    assert merge_all([infer({"name": 1}), infer({"Name": "x"})]) == schema(name="long")


def test_new_fields_come_to_the_end_of_their_struct_and_types_stay() -> None:
    old = schema(b="long", n=schema(x="long"), r=array(schema(p="long")))
    new = schema(a="double", b="string", n=schema(w="string"), r=array(schema(q="void")), B="string")
    assert add_fields(old, new) == schema(b="long", n=schema(x="long", w="string"),
                                          r=array(schema(p="long", q="string")), a="double")


def test_hints_are_split_at_the_commas_between_them() -> None:
    assert parse_hints("a DECIMAL(10,2), n.p  MAP<STRING, INT>, `x y`.element INT,") == (
        Hint(("a",), "DECIMAL(10,2)"), Hint(("n", "p"), "MAP<STRING, INT>"), Hint(("x y", "element"), "INT"))


@pytest.mark.parametrize("text", ["a", "a DECIMAL(10", ". INT", "`a INT"])
def test_a_hint_that_does_not_parse_is_named(text: str) -> None:
    with pytest.raises(InvalidSchemaHint, match="(?s)" + text[0].replace(".", r"\.")):
        parse_hints(text)


def test_hints_replace_types_and_add_missing_columns_at_the_end() -> None:
    before = schema(a="long", n=schema(p="long"), r=array("long"),
                    m={"type": "map", "keyType": "string", "valueType": "long"})
    hints = parse_hints("A INT, n.p X, n.q X, r.element X, m.value X, new.deep X")
    assert apply_hints(before, hints, ("integer", *["string"] * 5)) == schema(
        a="integer", n=schema(p="string", q="string"), r=array("string"),
        m={"type": "map", "keyType": "string", "valueType": "string"}, new=schema(deep="string"))


def test_a_hint_into_a_plain_column_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidSchemaHint, match=r"'n\.p'.*STRUCT"):
        apply_hints(schema(n="string"), parse_hints("n.p INT"), ("integer",))


def test_a_new_version_is_written_only_when_the_schema_changes(tmp_path: Path) -> None:
    store = SchemaStore(str(tmp_path))
    assert store.latest() is None
    assert store.update(lambda _: schema(a="long")).version == 0
    assert store.update(lambda now: now or {}).version == 0
    assert store.update(lambda now: add_fields(now or {}, schema(b="long"))).version == 1  # type: ignore[arg-type]
    assert sorted(path.name for path in (tmp_path / "_schemas").iterdir()) == ["0", "1"]
    assert json.loads((tmp_path / "_schemas" / "1").read_text())["version"] == 1


def test_writers_at_the_same_time_all_keep_their_field(tmp_path: Path) -> None:
    store = SchemaStore(str(tmp_path))
    store.update(lambda _: schema(id="long"))
    start = threading.Barrier(8)

    def add(name: str) -> None:
        start.wait()
        store.update(lambda now: add_fields(now or {}, schema(**{name: "long"})))  # type: ignore[arg-type]

    writers = [threading.Thread(target=add, args=(f"c{number}",)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    latest = store.latest()
    assert latest is not None
    assert latest.version == 8
    assert {each["name"] for each in latest.schema["fields"]} == {"id", *(f"c{number}" for number in range(8))}


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": 1}', '{"version": 1, "schema": {"type": "array"}}',
                                     '{"version": 2, "schema": {"type": "struct", "fields": []}}'])
def test_a_damaged_schema_file_is_named_and_nothing_is_overwritten(tmp_path: Path, content: str) -> None:
    store = SchemaStore(str(tmp_path))
    store.update(lambda _: schema(a="long"))
    damaged = tmp_path / "_schemas" / "1"
    damaged.write_text(content)
    with pytest.raises(SchemaFileError, match=f"{damaged} is damaged"):
        store.update(lambda now: schema(b="long"))
    assert damaged.read_text() == content
    assert sorted(path.name for path in (tmp_path / "_schemas").iterdir()) == ["0", "1"]


def test_what_the_first_load_took_or_left_out_holds_for_all_later_ones(tmp_path: Path) -> None:
    leaving = SchemaStore(str(tmp_path / "leaving"))
    assert leaving.existing(lambda: ["old"]) == {"old"}
    leaving.takes_existing()
    assert leaving.existing(lambda: ["old", "new"]) == {"old"}
    taking = SchemaStore(str(tmp_path / "taking"))
    taking.takes_existing()
    assert taking.existing(lambda: ["new"]) == frozenset()


def test_a_stream_that_ran_without_a_note_leaves_out_no_file(tmp_path: Path) -> None:
    inferred = SchemaStore(str(tmp_path / "inferred"))
    inferred.update(lambda _: schema(a="long"))
    given = SchemaStore(str(tmp_path / "given"))
    (tmp_path / "given" / "offsets").mkdir(parents=True)
    assert inferred.existing(lambda: ["new"]) == given.existing(lambda: ["new"]) == frozenset()


def test_a_damaged_note_of_the_files_that_are_left_out_is_named(tmp_path: Path) -> None:
    (tmp_path / "_existing_files.json").write_text('{"files": 1')
    with pytest.raises(SchemaFileError, match=r"_existing_files\.json, .*includeExistingFiles=false.* is damaged"):
        SchemaStore(str(tmp_path)).existing(list)
