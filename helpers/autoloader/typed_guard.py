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

from helpers.autoloader.blocks import local_path
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.guard import Batches, runs
from helpers.autoloader.json_types import VOID, Type, array, field, kind, struct
from helpers.autoloader.records import as_text, lost
from helpers.autoloader.typed_files import arrow_type, file_schema, plain, read_columns, widest


class SplitFile(Exception):
    """A file that Spark reads in several parts, whose rows cannot be told apart."""


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
    looked = [each["name"] for each in found["fields"]
              if each["name"] in differing or types.get(each["name"]) != each["type"]]
    if not looked:
        return _File({}, None), VOID
    table = read_columns(local_path(path), format, looked)
    values = {name: _cast(table[name].combine_chunks(), types[name]) for name in looked if name in differing}
    rescued = [_rescued(row, path, evolution.schema) for row in _rows(table, values)]
    return _File(values, rescued if any(rescued) else None), VOID


def _rows(table: pa.Table, values: dict[str, pa.Array]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each row as it is, and as the columns show it."""
    columns = {name: table[name].to_pylist(maps_as_pydicts="lossy") for name in table.column_names}
    shown = {name: its.to_pylist() for name, its in values.items()}
    for place in range(table.num_rows):
        whole = {name: plain(its[place]) for name, its in columns.items() if its[place] is not None}
        yield whole, {**whole, **{name: its[place] for name, its in shown.items()}}


def _rescued(row: tuple[dict[str, Any], dict[str, Any]], path: str, schema: Type) -> str | None:
    missing = lost(*row, schema)
    return as_text(missing, path) if missing else None


def _cast(values: pa.Array, type_: Type) -> pa.Array:
    """The values in the column's type; null for one that would change."""
    target = arrow_type(type_)
    if target is None or (pa.types.is_string(target) and not pa.types.is_string(values.type)):
        return pa.nulls(len(values), target or pa.null())
    try:
        return values.cast(target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([_one(value, target) for value in values], target)


def _one(value: pa.Scalar, target: pa.DataType) -> Any:
    try:
        return value.cast(target).as_py()
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
