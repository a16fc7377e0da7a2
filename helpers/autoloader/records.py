"""One JSON record against the schema: fields that are new, and values that the typed columns lost."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from helpers.autoloader.json_types import VOID, Number, Type, array, field, infer, kind, merge, struct

CORRUPT = "_corrupt_record"
FILE_PATH = "_file_path"
RESCUED = "_rescued_data"
_RESERVED = {"", RESCUED, FILE_PATH}
_NUMBER = "\x00number:"
_ESCAPED = "\\u0000number:"
_HALF = re.compile("[\ud800-\udfff]")
_WRITTEN_NUMBER = re.compile(r'"\\u0000number:([^"]*)"')


class _Decoder(json.JSONDecoder):
    """Numbers with a fraction stay as they are written; it travels to workers, which make it anew."""

    def __init__(self) -> None:
        super().__init__(parse_float=Number, parse_constant=str, strict=False)

    def __reduce__(self) -> tuple[type[_Decoder], tuple[()]]:
        return _Decoder, ()


# Made once: what `json.loads` and `json.dumps` make for each line takes as long as the line itself.
_DECODER = _Decoder()
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Unshown:
    """Marks a value of which its column can show only a part."""


class Damaged(ValueError):
    """A line that is no JSON object."""


@dataclass(frozen=True)
class Findings:
    """What one record has beyond the schema.

    `new` is a fragment of schema with the new fields alone (void without one); `hidden` says that the record has fields
    that no column shows and that are not new ones: spelled in another case, reserved names, empty objects.
    """

    new: Type = VOID
    hidden: bool = False


def parse(line: str) -> dict[str, Any]:
    """The object on a line, numbers with a fraction kept as they are written; Damaged when it is none."""
    try:
        value = _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        raise Damaged(line) from error
    if not isinstance(value, dict):
        raise Damaged(line)
    return value


def beyond(value: Any, type_: Type) -> Findings:
    """The fields of `value` that `type_` does not have, at any depth."""
    if isinstance(value, dict) and kind(type_) == "struct":
        return _beyond_struct(value, type_)  # type: ignore[arg-type]
    if isinstance(value, dict) and kind(type_) == "map":
        return _beyond_items(value.values(), type_["valueType"], "map")  # type: ignore[index]
    if isinstance(value, list) and kind(type_) == "array":
        return _beyond_items(value, type_["elementType"], "array")  # type: ignore[index]
    return Findings()


def lost(value: Any, shown: Any, type_: Type) -> Any:
    """What is in the record's `value` and not in `shown`, what the columns show of it; None when nothing is lost.

    A record whose values all fit is its own `shown`: then only the fields without a column are lost.
    """
    if value is None or isinstance(value, Unshown):
        return value
    if isinstance(value, dict) and kind(type_) == "struct" and (isinstance(shown, dict) or value == {}):
        types = {each["name"]: each["type"] for each in type_["fields"]}  # type: ignore[index]
        shown = shown or {}
        parts = {name: _lost_item(item, shown.get(name), types[name]) if name in types else item
                 for name, item in value.items() if item is not None}
        return {name: part for name, part in parts.items() if part is not None} or None
    return None if _kept(value, shown, type_) else value


def _lost_item(value: Any, shown: Any, type_: Type) -> Any:
    if isinstance(type_, str):  # almost every column, so without the other questions
        return value if shown is None or isinstance(value, Unshown) else None
    return lost(value, shown, type_)


def as_text(rescued: dict[str, Any], path: str) -> str:
    """The JSON of the rescued data column; a field that is itself called `_file_path` gets one more underscore."""
    if FILE_PATH in rescued:
        rescued = {f"_{name}" if name == FILE_PATH else name: value for name, value in rescued.items()}
    text = _ENCODER.encode(_writable({**rescued, FILE_PATH: path}))
    # JSON can write half of a surrogate pair, and a column of texts can only hold it so.
    text = _HALF.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
    return _WRITTEN_NUMBER.sub(r"\1", text) if _ESCAPED in text else text


def _beyond_struct(value: dict[str, Any], type_: dict[str, Any]) -> Findings:
    types = {each["name"]: each["type"] for each in type_["fields"]}
    lower = {name.lower() for name in types}
    found, hidden = [], False
    for name, item in value.items():
        if name in types:
            inner = beyond(item, types[name])
            hidden = hidden or inner.hidden
            if inner.new != VOID:
                found.append(field(name, inner.new))
        elif name in _RESERVED or name.lower() in lower or item == {} or _HALF.search(name):
            hidden = True
        else:
            found.append(field(name, infer(item)))
    return Findings(struct(found) if found else VOID, hidden)


def _beyond_items(items: Any, type_: Type, wrap: str) -> Findings:
    new: Type = VOID
    hidden = False
    for item in items:
        inner = beyond(item, type_)
        new, hidden = merge(new, inner.new), hidden or inner.hidden
    if new == VOID:
        return Findings(VOID, hidden)
    return Findings(array(new) if wrap == "array" else {"type": "map", "keyType": "string", "valueType": new}, hidden)


def _kept(value: Any, shown: Any, type_: Type) -> bool:
    if shown is None:
        return False
    if isinstance(value, list) and isinstance(shown, list) and kind(type_) == "array":
        element = type_["elementType"]  # type: ignore[index]
        return len(value) == len(shown) and all(
            lost(item, its, element) is None for item, its in zip(value, shown, strict=True))
    if isinstance(value, dict) and isinstance(shown, dict) and kind(type_) == "map":
        return all(lost(item, shown.get(name), type_["valueType"]) is None for name, item in value.items())  # type: ignore
    return True


def _writable(value: Any) -> Any:
    if isinstance(value, Number):
        return f"{_NUMBER}{value}"
    if isinstance(value, dict):
        return {name: _writable(item) for name, item in value.items()}
    return [_writable(item) for item in value] if isinstance(value, list) else value
