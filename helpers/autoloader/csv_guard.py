"""The guard of a CSV stream: puts each file's values under the names of that file's own header.

Spark reads the files by place. Here, in its Python workers, the columns of each batch are put in the schema's order (no
value is copied), and a header with a new name stops the stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from helpers.autoloader.blocks import local_path
from helpers.autoloader.csv_files import Dialect, column_types, header
from helpers.autoloader.decoding import texts
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.guard import Batches, runs
from helpers.autoloader.json_types import Type, field, struct
from helpers.autoloader.records import CORRUPT


@dataclass(frozen=True)
class Places:
    """Where the values of a file are: for each column of the schema its place, and the places of other columns."""

    width: int
    columns: tuple[int | None, ...]
    others: tuple[tuple[int, str], ...]


def csv_guard(evolution: Evolution, dialect: Dialect, width: int) -> Callable[[Batches], Iterator[pa.Array]]:
    """A function of batches (path, block start, damaged line, `width` values) to structs.

    A struct has the values in the schema's order and, last, the map of what has no column (null without any).
    """
    names = [each["name"] for each in evolution.schema["fields"]]
    unstoppable = evolution.reserved | {name.lower() for name in names}

    def guard(batches: Batches) -> Iterator[pa.Array]:
        known: dict[str, Places] = {}
        new: list[str] = []
        for batch in batches:
            parts = []
            for first, last in runs(*batch[:2]):
                path = batch[0][first].as_py()
                if path not in known:
                    known[path] = _places(path, names, dialect, width)
                    new += [path] if evolution.stops and _new_names(path, unstoppable, dialect) else []
                if not new:
                    run = [column[first:last] for column in batch[2:]]
                    parts.append(_in_order(known[path], run, dialect))
            if not new:
                yield pa.concat_arrays(parts) if parts else _struct([pa.nulls(0, pa.string())] * len(names), [])
        if new:
            raise evolution.error(_new_fields(new, unstoppable, dialect), new[0])

    return guard


def _new_names(path: str, known: frozenset[str], dialect: Dialect) -> set[str]:
    return {name for name in header(local_path(path), dialect) if name.lower() not in known}


def _new_fields(paths: list[str], known: frozenset[str], dialect: Dialect) -> Type:
    wanted = {name for path in paths for name in _new_names(path, known, dialect)}
    types = column_types([local_path(path) for path in paths], dialect, wanted.__contains__)
    return struct(field(name, type_) for name, type_ in types.items())


def _places(path: str, names: list[str], dialect: Dialect, width: int) -> Places:
    found = header(local_path(path), dialect)
    first = {name: place for place, name in reversed(list(enumerate(found)))}
    taken = {first[name] for name in names if name in first}
    others = tuple((place, name if name in first and first[name] == place else f"_c{place}")
                   for place, name in enumerate(found) if place not in taken)
    others += tuple((place, f"_c{place}") for place in range(len(found), width))
    return Places(len(found), tuple(first.get(name) for name in names), others)


def _in_order(places: Places, run: list[pa.Array], dialect: Dialect) -> pa.Array:
    damaged, values = run[0], [*run[1:], *_beyond_width(run[0], places.width, len(run) - 1, dialect)]
    count = len(damaged)
    ordered = [pa.nulls(count, pa.string()) if place is None else values[place] for place in places.columns]
    if not places.others and damaged.null_count == count:
        return _struct(ordered, [None] * count)
    others = [(name, texts(values[place])) for place, name in places.others]
    extras = [_extra({name: its[row] for name, its in others if its[row] is not None}, line, places.width, dialect)
              for row, line in enumerate(texts(damaged))]
    return _struct(ordered, extras)


def _beyond_width(damaged: pa.Array, wanted: int, width: int, dialect: Dialect) -> list[pa.Array]:
    """The columns that a file has beyond `width`, the most that any had at load(): from the whole lines.

    Spark gives a line that is wider than it was told to expect as damaged.
    """
    if wanted <= width:
        return []
    rows = [dialect.values(line) if line is not None else [] for line in texts(damaged)]
    return [pa.array([row[place] if place < len(row) else None for row in rows], pa.string())
            for place in range(width, wanted)]


def _extra(extra: dict[str, str], line: str | None, width: int, dialect: Dialect) -> list[tuple[str, str]] | None:
    if line is not None and len(dialect.values(line)) != width:
        extra = {**extra, CORRUPT: line}
    return list(extra.items()) or None


def _struct(values: list[pa.Array], extras: list[list[tuple[str, str]] | None]) -> pa.Array:
    columns = [*values, pa.array(extras, pa.map_(pa.string(), pa.string()))]
    return pa.StructArray.from_arrays(columns, names=[*(f"v{place}" for place in range(len(values))), "extra"])
