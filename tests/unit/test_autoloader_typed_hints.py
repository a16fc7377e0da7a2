"""Hints that go into a column: the key and the value of a map, and what is below them, without Spark."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.autoloader import InvalidSchemaHint
from helpers.autoloader.hints import apply_hints, parse_hints
from helpers.autoloader.json_types import Type, array, field, nullable, struct


def schema(**types: Type) -> dict[str, Any]:
    return struct(field(name, type_) for name, type_ in types.items())


def mapped(key: Type, value: Type) -> dict[str, Any]:
    return {"type": "map", "keyType": key, "valueType": value, "valueContainsNull": True}


def test_a_hint_names_the_key_of_a_map_or_its_value() -> None:
    before = schema(m=mapped("string", "long"), deep=array(mapped("string", schema(p="long"))))
    hints = parse_hints("m.key DATE, m.value DOUBLE, deep.element.key INT, deep.element.value.p STRING")
    assert apply_hints(before, hints, ("date", "double", "integer", "string")) == schema(
        m=mapped("date", "double"), deep=array(mapped("integer", schema(p="string"))))


def test_key_and_value_are_plain_names_where_there_is_no_map() -> None:
    before = schema(n=schema(key="long", element="long"))
    assert apply_hints(before, parse_hints("n.key STRING, n.value DATE"), ("string", "date")) == schema(
        n=schema(key="string", element="long", value="date"))
    with pytest.raises(InvalidSchemaHint, match=r"'m\.other'.*map"):
        apply_hints(schema(m=mapped("string", "long")), parse_hints("m.other INT"), ("integer",))


def test_everything_in_a_files_column_may_be_null() -> None:
    strict = {**field("p", "long"), "nullable": False, "metadata": {"comment": "c"}}
    inner = {**mapped("string", struct([strict])), "valueContainsNull": False}
    assert nullable(struct([{**strict, "type": {**array(inner), "containsNull": False}}])) == schema(
        p=array(mapped("string", schema(p="long"))))
