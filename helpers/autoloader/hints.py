"""Schema hints: `price DECIMAL(10,2), address.zip STRING, tags.element INT`, read and put into a schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpers.autoloader.errors import InvalidSchemaHint
from helpers.autoloader.json_types import Type, field, kind, struct

_OPENING, _CLOSING = "<(", ">)"


@dataclass(frozen=True)
class Hint:
    """A column or a part of one, and its type in SQL."""

    path: tuple[str, ...]
    ddl: str


def parse_hints(text: str) -> tuple[Hint, ...]:
    """The hints in a list that is written as the columns of a table are."""
    return tuple(_hint(part) for part in _split(text, ",") if part.strip())


def apply_hints(schema: Type, hints: tuple[Hint, ...], types: tuple[Type, ...]) -> dict[str, Any]:
    """The schema with each hint's type at its path; a column that is not there yet comes to the end."""
    for hint, type_ in zip(hints, types, strict=True):
        schema = _put(schema, hint.path, type_, hint)
    return schema  # type: ignore[return-value]


def _split(text: str, separator: str) -> list[str]:
    parts, depth, quoted = [""], 0, False
    for char in text:
        quoted ^= char == "`"
        depth += 0 if quoted else (char in _OPENING) - (char in _CLOSING)
        if char == separator and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    if quoted or depth:
        raise InvalidSchemaHint(f"The schema hint '{text}' has an open bracket or backtick. Close it.")
    return parts


def _hint(text: str) -> Hint:
    words = [word for word in _split(" ".join(text.split()), " ") if word]
    path = tuple(part.strip("`") for part in _split(words[0].removesuffix(":"), "."))
    if len(words) < 2 or not all(path):
        raise InvalidSchemaHint(f"'{text.strip()}' is no schema hint. Write a column and its type: price DOUBLE.")
    return Hint(path, " ".join(words[1:]))


def _put(type_: Type, path: tuple[str, ...], new: Type, hint: Hint) -> Type:
    if not path:
        return new
    name, rest = path[0], path[1:]
    part = {("array", "element"): "elementType", ("map", "key"): "keyType", ("map", "value"): "valueType"}.get(
        (kind(type_), name))
    if part:
        return {**type_, part: _put(type_[part], rest, new, hint)}  # type: ignore
    if kind(type_) != "struct":
        raise InvalidSchemaHint(f"The schema hint '{'.'.join(hint.path)}' goes into a column of type {kind(type_)}. "
                                "Give the whole column a type, such as STRUCT<…>, or set inferColumnTypes to true.")
    fields = list(type_["fields"])  # type: ignore[index]
    at = next((place for place, each in enumerate(fields) if each["name"].lower() == name.lower()), None)
    if at is None:
        return struct([*fields, field(name, _put(struct([]) if rest else new, rest, new, hint))])
    fields[at] = {**fields[at], "type": _put(fields[at]["type"], rest, new, hint)}
    return struct(fields)
