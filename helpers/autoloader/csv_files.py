"""CSV files as text: their headers, and the types of their columns. Runs in Spark's Python workers too."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import dropwhile, islice

import pyarrow as pa

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?\Z")
_WHOLE = re.compile(r"[+-]?\d+\Z")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z")
_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Dialect:
    """How values are separated and quoted; `names` are the columns of files without a header."""

    sep: str = ","
    quote: str = '"'
    escape: str = "\\"
    null: str = ""
    names: tuple[str, ...] | None = None

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """The values of each line."""
        # Python's own limit is 128 KiB a value; Spark's reader has none.
        csv.field_size_limit(_LARGEST)
        # A quote that is escaped by a quote is what Python reads without being told.
        escape = None if self.escape == self.quote else self.escape or None
        return csv.reader(lines, delimiter=self.sep, quotechar=self.quote or None, escapechar=escape,
                          quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE)

    def values(self, record: str) -> list[str | None]:
        """The values of one record; None for one that is written as null."""
        row = next(self.rows(io.StringIO(record, newline="")), [])
        return [None if value in ("", self.null) else value for value in row]


def header(path: str, dialect: Dialect) -> list[str]:
    """The names in a file's first line that is not blank; a column without a name is `_c<place>`, as in Spark."""
    if dialect.names is not None:
        return list(dialect.names)
    names = next(_rows(path, dialect), [])
    return [name or f"_c{place}" for place, name in enumerate(names)]


def column_types(paths: Iterable[str], dialect: Dialect, wanted: Callable[[str], bool]) -> dict[str, str]:
    """The narrowest type of each wanted column over all files, in the order in which the columns are met."""
    types: dict[str, str] = {}
    for path in paths:
        names = header(path, dialect)
        places = [(place, name) for place, name in enumerate(names) if wanted(name)]
        types |= {name: types.get(name, "void") for _, name in places}
        for row in islice(_rows(path, dialect), 1, None):
            for place, name in places:
                if types[name] != "string" and place < len(row) and row[place] not in ("", dialect.null):
                    types[name] = wider(types[name], type_of(row[place]))
    return {name: "string" if type_ == "void" else type_ for name, type_ in types.items()}


def first_spellings(types: Mapping[str, str]) -> dict[str, str]:
    """The columns without those that differ from an earlier one only in case."""
    kept: dict[str, str] = {}
    for name, type_ in types.items():
        if name.lower() not in {each.lower() for each in kept}:
            kept[name] = type_
    return kept


def type_of(text: str) -> str:
    """The type that a value is written as."""
    if _WHOLE.match(text):
        number = int(text)
        return "integer" if -(2**31) <= number < 2**31 else "long" if -(2**63) <= number < 2**63 else "double"
    for type_, pattern in (("double", _NUMBER), ("date", _DATE), ("timestamp", _TIMESTAMP)):
        if pattern.match(text):
            return type_
    return "boolean" if text.lower() in ("true", "false") else "string"


def wider(type_: str, found: str) -> str:
    """The narrowest type that holds both; a string when nothing else does."""
    if type_ in ("void", found):
        return found
    for order in (("integer", "long", "double"), ("date", "timestamp")):
        if type_ in order and found in order:
            return order[max(order.index(type_), order.index(found))]
    return "string"


def _rows(path: str, dialect: Dialect) -> Iterator[list[str]]:
    """The rows of a file, its header first, which blank lines may precede."""
    with _lines(path) as lines:
        yield from dialect.rows(dropwhile(lambda line: not line.strip(), lines))


def _lines(path: str) -> io.TextIOWrapper:
    stream = pa.input_stream(path, compression="detect")
    return io.TextIOWrapper(io.BufferedReader(stream), encoding="utf-8-sig", errors="replace", newline="")
