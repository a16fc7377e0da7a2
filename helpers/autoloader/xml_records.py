"""XML files as records: each element of the row's name as the dictionary that Spark's reader makes of it.

Runs in Spark's Python workers too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from helpers.autoloader.blocks import Block
from helpers.autoloader.csv_files import type_of
from helpers.autoloader.json_types import Number, Type, kind
from helpers.autoloader.records import Unshown

_VALUE = "_VALUE"
_PIECE = 1 << 16
# Deeper elements could exceed Python's own limit, and Spark's reader gives up at about a thousand.
_DEEPEST = 200


class DamagedXml(Exception):
    """A file that is no well-formed XML."""


@dataclass(frozen=True)
class XmlRows:
    """A file's rows for the guard, as often as they are asked for."""

    block: Block
    schema: Type
    row_tag: str

    def all_known(self, _: Type) -> bool:
        """False: only the parser can say."""
        return False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (fitted(record, self.schema) for record in xml_records(self.block, self.row_tag))


def xml_records(block: Block, row_tag: str) -> Iterator[dict[str, Any]]:
    """The rows of a file, values as they are written, and names with the prefixes of their namespaces."""
    found: list[ElementTree.Element] = []
    parser, builder = expat.ParserCreate(), ElementTree.TreeBuilder()
    opened: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(opened) == _DEEPEST:
            raise ValueError(f"line {parser.CurrentLineNumber}: more than {_DEEPEST} elements inside each other")
        opened.append(name)
        builder.start(name, attributes)

    def end(name: str) -> None:
        element = builder.end(name)
        opened.pop()
        if name == row_tag and row_tag not in opened:  # inside of a row it is a field
            found.append(element)

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, builder.data
    data = block.read()
    try:
        for first in range(0, len(data) + 1, _PIECE):
            parser.Parse(data[first:first + _PIECE], first + _PIECE > len(data))
            for element in found:
                value = _value(element)
                yield value if isinstance(value, dict) else {_VALUE: value}
                element.clear()
            found.clear()
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise DamagedXml(f"{block.path} is no XML that can be read here ({error}). Nothing of this micro-batch was "
                         "written. Write files under another name and move them in when they are complete.") from error


class _List(list[Any], Unshown):
    """Elements of one name, of which Spark shows the last."""


class _Fields(dict[str, Any], Unshown):
    """An element of which Spark shows the text, and no attribute."""


class _Text(str, Unshown):
    """A text beside another one for its column."""


def fitted(value: Any, type_: Type) -> Any:
    """The value as a column of this type has it, a list where that is one; marked where it shows only a part."""
    if kind(type_) == "array" and value is not None:
        items = value if isinstance(value, list) else [value]
        return [fitted(item, type_["elementType"]) for item in items]  # type: ignore[index]
    if isinstance(value, list):
        return _unshown(value)
    if isinstance(value, str) and kind(type_) == "struct":
        value = {_VALUE: value}
    if isinstance(value, dict) and kind(type_) == "struct":
        return _fitted_fields(value, {each["name"]: each["type"] for each in type_["fields"]})  # type: ignore[index]
    if isinstance(value, dict) and kind(type_) == "map":
        return {name: fitted(item, type_["valueType"]) for name, item in value.items()}  # type: ignore[index]
    if isinstance(value, dict) and isinstance(type_, str):
        return _unshown(value) if any(name.startswith("_") and name != _VALUE for name in value) else value
    return value


def _fitted_fields(value: dict[str, Any], types: dict[str, Type]) -> dict[str, Any]:
    # Spark takes names in any case for a column's own, so of two spellings the column shows one.
    spelled = Counter(map(str.lower, value))
    found = {name: fitted(item, types[name]) if name in types else item for name, item in value.items()}
    return {name: _unshown(item) if name in types and spelled[name.lower()] > 1 else item
            for name, item in found.items()}


def _unshown(value: Any) -> Any:
    marks: dict[type, type] = {list: _List, dict: _Fields, str: _Text}
    return marks[type(value)](value) if type(value) in marks else value


def typed(value: Any) -> Any:
    """The record with the values that their texts stand for, from which the types of new fields come."""
    if isinstance(value, dict):
        return {name: typed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    kind = type_of(value) if isinstance(value, str) else ""
    if kind in ("integer", "long"):
        return int(value)
    if kind == "double":
        return Number(value)
    return value.lower() == "true" if kind == "boolean" else value


def _value(element: ElementTree.Element) -> Any:
    fields: dict[str, Any] = {f"_{name}": value for name, value in element.attrib.items()}
    for child in element:
        value = _value(child)
        if child.tag not in fields:
            fields[child.tag] = value
        elif isinstance(fields[child.tag], list):
            fields[child.tag].append(value)
        else:
            fields[child.tag] = [fields[child.tag], value]
    # A text stands before the first child and behind each.
    texts = [text for part in (element.text, *(child.tail for child in element)) if (text := (part or "").strip())]
    text = texts[0] if len(texts) == 1 else texts or None
    if not fields:
        return text
    return {**fields, _VALUE: text} if text else fields
