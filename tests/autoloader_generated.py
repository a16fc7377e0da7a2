"""Generated records, what a plain reader of a schema shows of them, and what is then in neither place.

Independent of the code under test: it knows nothing of how fields are rescued, only where each value has to be.
"""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from helpers.autoloader.json_types import Type, array, field, kind, struct

#: The columns that files are read into: every kind of type, nested.
SCHEMA = struct([
    field("key", "long"), field("long", "long"), field("double", "double"), field("flag", "boolean"),
    field("text", "string"), field("day", "date"),
    field("nested", struct([field("long", "long"), field("text", "string"),
                            field("deep", struct([field("flag", "boolean")]))])),
    field("longs", array("long")), field("items", array(struct([field("long", "long"), field("text", "string")]))),
    field("map", {"type": "map", "keyType": "string", "valueType": "long", "valueContainsNull": True}),
])
_KNOWN = ("long", "double", "flag", "text", "day", "nested", "longs", "items", "map", "deep")
_BESIDE = ("Long", "unknown", "")
_OTHERS = ("Long", "TEXT", "Nested", "unknown", "ünknown", "a.b", "a b", "", "_rescued_data", "_file_path",
           "nested.long", '"', "\\", "long ", "_corrupt_record", "null")
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 5), st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=6),
    st.sampled_from(["", "7", "true", "2026-01-31", "2026-02-30", '{"long":1}', "[1]", "NaN", "\\", '"', "\u2028",
                     "\x00"]))
_KEYS = st.sampled_from([*_KNOWN, *_KNOWN, *_OTHERS])
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
                       max_leaves=8)


def _with_odd(fitting: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Objects of which some have a field that their struct does not have, or not in that case."""
    odd = st.dictionaries(st.sampled_from(_BESIDE), st.integers(0, 9), max_size=1)
    return st.builds(lambda its, beside: {**its, **beside}, fitting, odd)


_FITTING = st.fixed_dictionaries({}, optional={
    "long": st.integers(-9, 9), "double": st.floats(-9, 9), "flag": st.booleans(), "text": st.text(max_size=6),
    "day": st.dates(date(1990, 1, 1), date(2040, 1, 1)).map(str),
    "nested": _with_odd(st.fixed_dictionaries({}, optional={
        "long": st.integers(-9, 9), "deep": _with_odd(st.just({"flag": True}))})),
    "longs": st.lists(st.integers(-9, 9), max_size=3), "map": st.dictionaries(st.text(max_size=3), st.integers(-9, 9)),
    "items": st.lists(_with_odd(st.fixed_dictionaries({"long": st.integers(-9, 9)})), max_size=2)})
#: Records of which some values fit their column, and the others are of another type, unknown, or in another case.
RECORDS = st.builds(lambda fitting, odd: {**fitting, **odd}, _FITTING, st.dictionaries(_KEYS, _VALUES, max_size=4))
CELLS = st.text(st.characters(exclude_characters='\r\n,"\\\x00', exclude_categories=("Cs",)), max_size=6).map(str.strip)
HEADERS = st.lists(st.sampled_from(["long", "text", "flag", "day", "Long", "TEXT", "new", "née", "x y"]), min_size=1,
                   max_size=6, unique=True)


def examples(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """So many examples of a strategy, the same ones in every run."""
    found: list[Any] = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))
    @given(strategy)
    def gather(example: Any) -> None:
        found.append(example)

    gather()
    return found


class Misfit(Exception):
    """A value that is not of its column's type."""


def shown(value: Any, type_: Type) -> Any:
    """What a column of this type shows of a JSON value; Misfit where it cannot."""
    if value is None:
        return None
    if type_ == "string":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    reader = {"long": _long, "double": _double, "boolean": _boolean, "date": _date}.get(kind(type_))
    if reader:
        return reader(value)
    if kind(type_) == "array" and isinstance(value, list):
        return [shown(item, type_["elementType"]) for item in value]  # type: ignore[index]
    if kind(type_) == "map" and isinstance(value, dict):
        return {name: shown(item, type_["valueType"]) for name, item in value.items()}  # type: ignore[index]
    if kind(type_) != "struct" or not isinstance(value, dict):
        raise Misfit
    return {each["name"]: shown(value.get(each["name"]), each["type"]) for each in type_["fields"]}  # type: ignore[index]


def partly_shown(record: dict[str, Any], type_: Type) -> tuple[dict[str, Any], bool]:
    """What the columns of a struct show of a record, and whether all of its values fit."""
    found, fits = {}, True
    for each in type_["fields"]:  # type: ignore[index]
        value = record.get(each["name"])
        if kind(each["type"]) == "struct" and isinstance(value, dict):
            found[each["name"]], inner = partly_shown(value, each["type"])
            fits = fits and inner
            continue
        try:
            found[each["name"]] = shown(value, each["type"])
        except Misfit:
            found[each["name"]], fits = None, False
    return found, fits


def missing(value: Any, column: Any, rescued: Any, type_: Type | None) -> list[Any]:
    """The parts of a value that neither its column nor the rescued data has."""
    if value is None or value == rescued or (type_ is not None and _carries(column, value, type_)):
        return []
    if not isinstance(value, dict) or type_ is None or kind(type_) != "struct":
        return [value]
    types = {each["name"]: each["type"] for each in type_["fields"]}  # type: ignore[index]
    column, rescued = column or {}, rescued if isinstance(rescued, dict) else {}
    return [{name: part} for name, item in value.items()
            for part in missing(item, column.get(name), rescued.get(name), types.get(name))]


def _carries(column: Any, value: Any, type_: Type) -> bool:
    """Whether a column's value is a whole value of a record."""
    if value is None:
        return True
    if column is None:
        # An object without a field and no object are the same in a column.
        return value == {} and kind(type_) == "struct"
    if type_ == "string":
        return column == value if isinstance(value, str) else json.loads(column) == value
    if kind(type_) == "array" and isinstance(value, list):
        return len(column) == len(value) and all(
            _carries(its, item, type_["elementType"]) for its, item in zip(column, value, strict=True))  # type: ignore
    if kind(type_) == "map" and isinstance(value, dict):
        return all(_carries(column.get(name), item, type_["valueType"]) for name, item in value.items())  # type: ignore
    if kind(type_) == "struct" and isinstance(value, dict):
        types = {each["name"]: each["type"] for each in type_["fields"]}  # type: ignore[index]
        return all(item is None or (name in types and _carries(column.get(name), item, types[name]))
                   for name, item in value.items())
    if type_ == "date":
        return str(column) == value
    # A double holds a large whole number as nearly as it can.
    return type(value) is not str and column == (float(value) if type_ == "double" else value)


def _long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise Misfit
    return value


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Misfit
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Misfit
    return value


def _date(value: Any) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise Misfit from None
