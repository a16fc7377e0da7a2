"""XML files as records: each element of the row's name as the dictionary that Spark's reader makes of it.

Runs in Spark's Python workers too.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from helpers.autoloader.blocks import Block
from helpers.autoloader.csv_files import type_of
from helpers.autoloader.json_types import Number, Type

_VALUE = "_VALUE"


class DamagedXml(Exception):
    """A file that is no well-formed XML."""


@dataclass(frozen=True)
class XmlRows:
    """A file's rows for the guard, as often as they are asked for; `_` is the schema, which says nothing beforehand."""

    block: Block
    _: Type
    row_tag: str

    def all_known(self, _: Type) -> bool:
        """False: only the parser can say."""
        return False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return xml_records(self.block, self.row_tag)


def xml_records(block: Block, row_tag: str) -> Iterator[dict[str, Any]]:
    """The rows of a file, values as they are written."""
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(block.read())):
            if element.tag == row_tag:
                value = _value(element)
                yield value if isinstance(value, dict) else {_VALUE: value}
                element.clear()
    except ElementTree.ParseError as error:
        raise DamagedXml(f"{block.path} is not well-formed XML ({error}). Nothing of this micro-batch was "
                         "written. Write files under another name and move them in when they are complete.") from error


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
    text = (element.text or "").strip() or None
    if not fields:
        return text
    return {**fields, _VALUE: text} if text else fields
