"""Spark's JSON schemas as plain dictionaries: infer a type from a value, merge two types, add new fields.

A type is what `DataType.jsonValue()` gives: a name such as "long", or a dictionary. "void" is the type of null. Nothing
here imports Spark, so it runs in Spark's Python workers and in unit tests alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Type = str | dict[str, Any]
VOID = "void"
_LONG = 2**63
_MAX_DIGITS = 38


class Number(str):
    """A JSON number with a fraction or an exponent, kept as it is written."""


def field(name: str, type_: Type) -> dict[str, Any]:
    """A nullable field."""
    return {"name": name, "type": type_, "nullable": True, "metadata": {}}


def struct(fields: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A struct type, which is also what a schema is."""
    return {"type": "struct", "fields": list(fields)}


def array(element: Type) -> dict[str, Any]:
    """An array type."""
    return {"type": "array", "elementType": element, "containsNull": True}


def kind(type_: Type) -> str:
    """ "struct", "array", "map" or the name of a simple type."""
    return type_ if isinstance(type_, str) else str(type_["type"])


def infer(value: Any) -> Type:
    """The type that Spark's JSON inference gives to a value; objects without any field are void."""
    if value is None:
        return VOID
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, Number | float):
        return "double"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return array(merge_all(infer(item) for item in value))
    return _object(value)


def merge(left: Type, right: Type) -> Type:
    """The narrowest type that holds both; a string when nothing else does."""
    if left == right or right == VOID:
        return left
    if left == VOID:
        return right
    kinds = kind(left), kind(right)
    if kinds == ("struct", "struct"):
        return _merge_structs(left, right)  # type: ignore[arg-type]
    if kinds == ("array", "array"):
        return array(merge(left["elementType"], right["elementType"]))  # type: ignore[index]
    if kinds == ("map", "map"):
        return {**left, "valueType": merge(left["valueType"], right["valueType"])}  # type: ignore
    return _merge_numbers(kinds) or "string"


def merge_all(types: Iterable[Type]) -> Type:
    """`merge` over any number of types; none gives void."""
    merged: Type = VOID
    for type_ in types:
        merged = merge(merged, type_)
    return merged


def settled(type_: Type) -> Type:
    """The type as a column has it: what was never seen with a value becomes a string."""
    if type_ == VOID:
        return "string"
    if kind(type_) == "array":
        return array(settled(type_["elementType"]))  # type: ignore[index]
    if kind(type_) == "struct":
        fields = type_["fields"]  # type: ignore[index]
        return struct(field(each["name"], settled(each["type"])) for each in fields)
    return type_


def nullable(type_: Type) -> Any:
    """The type as a file's columns have it: everything in it may be null, and there are no comments."""
    if kind(type_) == "array":
        return array(nullable(type_["elementType"]))  # type: ignore[index]
    if kind(type_) == "map":
        return {**type_, "valueType": nullable(type_["valueType"]), "valueContainsNull": True}  # type: ignore
    if kind(type_) == "struct":
        return struct(field(each["name"], nullable(each["type"])) for each in type_["fields"])  # type: ignore[index]
    return type_


def add_fields(type_: Type, new: Type) -> Type:
    """`type_` with the fields that only `new` has, at the end of their struct; existing types stay."""
    kinds = kind(type_), kind(new)
    if kinds == ("struct", "struct"):
        return _add_to_struct(type_, new)  # type: ignore[arg-type]
    if kinds == ("array", "array"):
        return {**type_, "elementType": add_fields(type_["elementType"], new["elementType"])}  # type: ignore
    if kinds == ("map", "map"):
        return {**type_, "valueType": add_fields(type_["valueType"], new["valueType"])}  # type: ignore
    return type_


def as_strings(new: Type, known: Type) -> Type:
    """A fragment of new fields with each of them as a string, whatever is in it."""
    if kind(new) != kind(known):
        return "string"
    if kind(new) == "array":
        return array(as_strings(new["elementType"], known["elementType"]))  # type: ignore[index]
    if kind(new) == "map":
        return {**new, "valueType": as_strings(new["valueType"], known["valueType"])}  # type: ignore
    if kind(new) == "struct":
        types = {each["name"]: each["type"] for each in known["fields"]}  # type: ignore[index]
        fields = ((each["name"], each["type"]) for each in new["fields"])  # type: ignore[index]
        return struct(field(name, as_strings(type_, types.get(name, VOID))) for name, type_ in fields)
    return "string"


def names(new: Type, prefix: str = "") -> list[str]:
    """Every leaf of a fragment of new fields, as a dotted path."""
    if kind(new) == "struct":
        return [name for each in new["fields"] for name in names(each["type"], f"{prefix}.{each['name']}")]  # type: ignore
    if kind(new) == "array":
        return names(new["elementType"], prefix)  # type: ignore[index]
    if kind(new) == "map":
        return names(new["valueType"], prefix)  # type: ignore[index]
    return [prefix.removeprefix(".")]


def _integer(value: int) -> Type:
    if -_LONG <= value < _LONG:
        return "long"
    digits = len(str(abs(value)))
    return f"decimal({digits},0)" if digits <= _MAX_DIGITS else "double"


def _object(value: dict[str, Any]) -> Type:
    kept = _first_spellings(name for name in value if value[name] != {})
    fields = [field(name, infer(value[name])) for name in sorted(kept)]
    return struct(fields) if fields else VOID


def _merge_structs(left: dict[str, Any], right: dict[str, Any]) -> Type:
    types = {each["name"]: each["type"] for each in left["fields"]}
    kept = _first_spellings([*types, *(each["name"] for each in right["fields"])])
    for each in right["fields"]:
        if each["name"] in kept:
            types[each["name"]] = merge(types.get(each["name"], VOID), each["type"])
    return struct(field(name, types[name]) for name in sorted(types))


def _first_spellings(names_: Iterable[str]) -> set[str]:
    """One name of those that differ only in case: columns cannot."""
    first: dict[str, str] = {}
    for name in names_:
        first.setdefault(name.lower(), name)
    return set(first.values())


def _merge_numbers(kinds: tuple[str, str]) -> Type | None:
    whole = [each for each in kinds if each == "long" or each.startswith("decimal")]
    if len(whole) == 2:
        digits = max(19 if each == "long" else int(each[8:].partition(",")[0]) for each in whole)
        return f"decimal({max(digits, 20)},0)" if digits <= _MAX_DIGITS else "double"
    return "double" if len(whole) == 1 and "double" in kinds else None


def _add_to_struct(type_: dict[str, Any], new: dict[str, Any]) -> Type:
    added = {each["name"]: each["type"] for each in new["fields"]}
    fields = [
        {**each, "type": add_fields(each["type"], added.pop(each["name"]))} if each["name"] in added else each
        for each in type_["fields"]
    ]
    taken = {each["name"].lower() for each in fields}
    for name, its_type in added.items():
        if name.lower() not in taken:
            fields.append(field(name, settled(its_type)))
            taken.add(name.lower())
    return {**type_, "fields": fields}
