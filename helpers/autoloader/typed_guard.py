"""The guard of a stream of Parquet or ORC files, inside Spark's Python workers.

Spark reads the columns that every file has with the schema's own type. Here each file's columns are compared with the
schema once: new ones stop the stream or are rescued, and columns that a file has in another form come from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from helpers.autoloader.blocks import local_path
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.guard import Batches, runs
from helpers.autoloader.json_types import VOID, Type, array, field, kind, nullable, struct
from helpers.autoloader.records import as_text, lost
from helpers.autoloader.typed_files import (
    arrow_type,
    conflicting,
    file_schema,
    holds,
    plain,
    read_columns,
    spark_type,
    widest,
)

_FAMILIES = {"number": ("byte", "short", "integer", "long", "float", "double", "decimal"),
             "time": ("date", "timestamp", "timestamp_ntz")}


class SplitFile(Exception):
    """A file that Spark reads in several parts, whose rows cannot be told apart."""


class OtherType(Exception):
    """A file that came after load(), with a column that Spark would now fail to read, or change."""


@dataclass(frozen=True)
class _File:
    """What this module gives of one file: values of the `differing` columns, and the rescued texts (None without)."""

    values: dict[str, pa.Array]
    rescued: list[str | None] | None


def typed_guard(
    evolution: Evolution, format: str, differing: tuple[str, ...]
) -> Callable[[Batches], Iterator[pa.Array]]:
    """A function of batches (path, block start, place of the row in its file or -1) to structs.

    A struct has the values of the `differing` columns and, last, the rescued text. Where the place is not known, rows
    come in the file's order.
    """

    def guard(batches: Batches) -> Iterator[pa.Array]:
        known: dict[str, _File] = {}
        passed: dict[str, int] = {}
        new: Type = VOID
        first_path = ""
        for paths, starts, places in batches:
            parts = []
            for first, last in runs(paths, starts):
                path = paths[first].as_py()
                if path not in known:
                    known[path], fresh = _look(path, format, evolution, differing)
                    new, first_path = widest(new, fresh), first_path or (path if fresh != VOID else "")
                at = _places(places[first:last], starts[first].as_py(), passed, path)
                if new == VOID:
                    parts.append(_taken(known[path], at, evolution.schema, differing))
            if new == VOID:
                yield pa.concat_arrays(parts) if parts else _empty(evolution.schema, differing)
        if new != VOID:
            raise evolution.error(new, first_path)

    return guard


def fresh_fields(found: Type, known: Type) -> Type:
    """The fields, at any depth, that only `found` has; void without any."""
    kinds = kind(found), kind(known)
    if kinds == ("array", "array"):
        inner = fresh_fields(found["elementType"], known["elementType"])  # type: ignore[index]
        return array(inner) if inner != VOID else VOID
    if kinds != ("struct", "struct"):
        return VOID
    types = {each["name"].lower(): each["type"] for each in known["fields"]}  # type: ignore[index]
    fields = []
    for each in found["fields"]:  # type: ignore[index]
        name = each["name"].lower()
        inner = fresh_fields(each["type"], types[name]) if name in types else each["type"]
        fields += [field(each["name"], inner)] if inner != VOID or name not in types else []
    return struct(fields) if fields else VOID


def _look(path: str, format: str, evolution: Evolution, differing: tuple[str, ...]) -> tuple[_File, Type]:
    found = file_schema(local_path(path), format)
    fresh = evolution.unreserved(fresh_fields(found, evolution.schema))
    if fresh != VOID and evolution.stops:
        return _File({}, None), fresh
    types = {each["name"]: each["type"] for each in evolution.schema["fields"]}
    _refuse_late(path, struct(each for each in evolution.schema["fields"] if each["name"] not in differing), found)
    looked = [each["name"] for each in found["fields"]
              if each["name"] in differing or nullable(types.get(each["name"], VOID)) != each["type"]]
    if not looked:
        return _File({}, None), VOID
    table = read_columns(local_path(path), format, looked)
    values = {name: _cast(table[name].combine_chunks(), types[name]) for name in looked if name in differing}
    rescued = [_rescued(row, path, evolution.schema) for row in _rows(table, values)]
    return _File(values, rescued if any(rescued) else None), VOID


def _refuse_late(path: str, read: dict[str, Any], found: dict[str, Any]) -> None:
    """Raise for another type or case of a column that Spark reads: load() has not seen this file."""
    for _, name in conflicting(read, found, holds):
        raise OtherType(
            f"{path} came after load(), and its column `{name}` has another type than the schema, or its name in "
            "another case. Nothing of this micro-batch was written. Run the cell with readStream … load() and the "
            "query again: what does not fit is rescued then.")


def _rows(table: pa.Table, values: dict[str, pa.Array]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each row as it is, and as the columns show it."""
    columns = {name: _listed(table[name]) for name in table.column_names}
    shown = {name: _listed(its) for name, its in values.items()}
    for place in range(table.num_rows):
        whole = {name: its[place] for name, its in columns.items() if its[place] is not None}
        yield whole, {**whole, **{name: its[place] for name, its in shown.items()}}


def _listed(values: pa.Array | pa.ChunkedArray) -> list[Any]:
    try:
        return plain(values.to_pylist(maps_as_pydicts="lossy"))  # type: ignore[no-any-return]
    except OverflowError:  # Python's times end with the year 9999, in any zone
        return values.cast(pa.string()).to_pylist()  # type: ignore[no-any-return]


def _rescued(row: tuple[dict[str, Any], dict[str, Any]], path: str, schema: Type) -> str | None:
    missing = lost(*row, schema)
    return as_text(missing, path) if missing else None


def _cast(values: pa.Array, type_: Type) -> pa.Array:
    """The values in the column's type; null for one that would change."""
    target, own = arrow_type(type_) or pa.null(), spark_type(values.type)
    kinds = kind(type_), kind(own)
    if kinds == ("struct", "struct"):
        return _cast_struct(values, target, type_)  # type: ignore[arg-type]
    if kinds in (("array", "array"), ("map", "map")):
        return pa.array([_items(row.values, type_) if row.is_valid else None for row in values], target)
    if own != "string" and _family(own) != _family(type_):
        return pa.nulls(len(values), target)
    try:
        return _exactly(values, target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([_one(values.slice(place, 1), target) for place in range(len(values))], target)


def _family(type_: Type) -> str:
    """What a type is of: only numbers go into numbers, and only times into times."""
    name = kind(type_).partition("(")[0]
    return next((family for family, names in _FAMILIES.items() if name in names), name)


def _exactly(values: pa.Array, target: pa.DataType) -> pa.Array:
    """The values in another type; null for one that is not the same again in its own. A text may be written anew."""
    wide = pa.types.is_integer(values.type) and pa.types.is_decimal(target)
    # Arrow wants room for every whole number of a type, though those that are there may need less.
    found = (values.cast(pa.decimal128(38, target.scale)) if wide else values).cast(target)
    if spark_type(values.type) == "string":
        return found
    own = values.type
    # As many digits as there are, since 1 as a whole number may have more than the column that it comes from.
    again = found.cast(pa.decimal128(38, own.scale) if pa.types.is_decimal(own) else own)
    same = pc.equal(again, values)
    if pa.types.is_floating(own) and pa.types.is_floating(target):
        same = pc.or_(same, pc.and_(pc.is_nan(again), pc.is_nan(values)))
    return pc.if_else(same, found, None)


def _cast_struct(values: pa.Array, target: pa.StructType, type_: dict[str, Any]) -> pa.Array:
    """The fields that fit; the others are null, each by itself."""
    names = [each.name for each in values.type]
    fields = [_cast(values.field(name), its["type"]) if (name := its["name"]) in names else
              pa.nulls(len(values), target.field(name).type) for its in type_["fields"]]
    return pa.StructArray.from_arrays(fields, fields=list(target), mask=values.is_null())


def _items(items: pa.Array, type_: dict[str, Any]) -> list[Any] | None:
    """The items of a list or a map; None where one would be lost, as Spark's JSON reader has it."""
    parts = ([(items, type_["elementType"])] if kind(type_) == "array"
             else [(items.field(0), type_["keyType"]), (items.field(1), type_["valueType"])])
    found = [_cast(*part) for part in parts]
    if any(its.null_count > before.null_count for its, (before, _) in zip(found, parts, strict=True)):
        return None
    columns = [each.to_pylist() for each in found]
    return columns[0] if len(columns) == 1 else list(zip(*columns, strict=True))


def _one(value: pa.Array, target: pa.DataType) -> Any:
    try:
        return _exactly(value, target)[0].as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _places(given: pa.Array, start: int, passed: dict[str, int], path: str) -> list[int]:
    places = given.to_pylist()
    if not places or places[0] >= 0:
        return places
    if start:
        raise SplitFile(f"{path} is read in several parts, so what it has beyond the schema cannot be told row by row. "
                        "Write smaller files.")
    first = passed.get(path, 0)
    passed[path] = first + len(places)
    return list(range(first, passed[path]))


def _taken(file: _File, places: list[int], schema: Type, differing: tuple[str, ...]) -> pa.Array:
    at = pa.array(places, pa.int64())
    pick = partial(_picked, count=len(places), at=at)
    types = {each["name"]: arrow_type(each["type"]) for each in schema["fields"]}  # type: ignore[index]
    columns = [pick(file.values.get(name), types[name] or pa.null()) for name in differing]
    rescued = None if file.rescued is None else pa.array(file.rescued, pa.string())
    return _struct([*columns, pick(rescued, pa.string())])


def _picked(values: pa.Array | None, type_: pa.DataType, *, count: int, at: pa.Array) -> pa.Array:
    return pa.nulls(count, type_) if values is None else values.take(at)


def _empty(schema: Type, differing: tuple[str, ...]) -> pa.Array:
    return _taken(_File({}, None), [], schema, differing)


def _struct(columns: list[pa.Array]) -> pa.Array:
    return pa.StructArray.from_arrays(columns, names=[*(f"v{place}" for place in range(len(columns) - 1)), "rescued"])
