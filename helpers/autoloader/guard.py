"""The check that every micro-batch goes through, inside Spark's Python workers.

Spark's native reader is fast, but it skips a field that the schema does not have without a word. So each block of a
file is looked at once more, here, when its first rows pass: exactly the files of this micro-batch, before it commits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice, pairwise
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from helpers.autoloader.blocks import Block
from helpers.autoloader.decoding import texts
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.json_rows import Row, json_rows
from helpers.autoloader.json_types import VOID, Type, merge
from helpers.autoloader.records import CORRUPT, Damaged, as_text, beyond, lost, parse
from helpers.autoloader.xml_records import XmlRows, typed

Batches = Iterator[tuple[pa.Array, ...]]


class LinesDoNotMatch(Exception):
    """A file is not what Spark has just read."""


class Rows(Protocol):
    """A block's rows, as often as they are asked for; None for one that surely has no field beyond the schema."""

    def all_known(self, schema: Type) -> bool:
        """A quick look: True when surely no row has a field beyond the schema."""

    def __iter__(self) -> Iterator[Row]: ...


@dataclass(frozen=True)
class Form:
    """How records are written: `rows` are those of a block, looked at with the schema.

    `typed` gives a record's values as what their texts stand for; with `each`, every record is held against its row.
    """

    rows: Callable[[Block, Type], Rows]
    typed: Callable[[Any], Any] = lambda record: record
    each: bool = False
    multi_line: bool = False


@dataclass
class _Reading:
    """How far one task is in one block."""

    block: Block
    rows: Iterator[Row] | None = None

    def next(self, count: int) -> list[Row]:
        """The next rows' records; a damaged line as it stands."""
        rows = list(islice(self.rows or (), count))
        if len(rows) != count:
            raise LinesDoNotMatch(_mismatch(self.block))
        return rows

    def close(self) -> None:
        """Check that no row is left over."""
        if self.rows is not None and next(self.rows, self) is not self:
            raise LinesDoNotMatch(_mismatch(self.block))


@dataclass
class _Watch:
    """The state of one Spark task: the block it is in, and the new fields it has met."""

    evolution: Evolution
    form: Form
    reading: _Reading | None = None
    new: Type = VOID
    first_path: str = ""

    def enter(self, block: Block) -> None:
        if self.reading is None or self.reading.block != block:
            self.leave()
            self.reading = _Reading(block)
            self._look(self.reading)

    def leave(self) -> None:
        if self.reading is not None and self.new == VOID:
            self.reading.close()

    def _look(self, reading: _Reading) -> None:
        schema = self.evolution.schema
        rows = self.form.rows(reading.block, schema)
        if rows.all_known(schema):
            return
        new, hidden = self._beyond(rows)
        fresh = self.evolution.unreserved(new)
        if fresh != VOID and self.evolution.stops:
            self.first_path = self.first_path or reading.block.path
            self.new = merge(self.new, fresh)
        elif hidden or new != VOID or self.form.each:
            reading.rows = iter(rows)

    def _beyond(self, rows: Rows) -> tuple[Type, bool]:
        """The new fields of all rows, and whether there is anything else without a column.

        Where new fields do not stop the stream, the first finding is enough.
        """
        new: Type = VOID
        hidden = False
        for row in rows:
            if row is None:
                continue
            found = None if isinstance(row, str) else beyond(self.form.typed(row), self.evolution.schema)
            new = merge(new, found.new) if found else new
            hidden = hidden or found is None or found.hidden
            if not self.evolution.stops and (hidden or new != VOID):
                break
        return new, hidden


def json_guard(evolution: Evolution, *, multi_line: bool = False) -> Callable[[Batches], Iterator[pa.Array]]:
    """The guard of JSON files; with `multi_line`, a file is one record, or an array of records."""
    return _guard(evolution, Form(json_rows, multi_line=multi_line))


def xml_guard(evolution: Evolution, row_tag: str) -> Callable[[Batches], Iterator[pa.Array]]:
    """The guard of XML files, whose rows are the elements of that name."""
    return _guard(evolution, Form(partial(XmlRows, row_tag=row_tag), typed=typed, each=True))


def _guard(evolution: Evolution, form: Form) -> Callable[[Batches], Iterator[pa.Array]]:
    """A function of batches (path, block start, block length, damaged line, what the columns show of it as JSON).

    It gives the rescued data column. Where new fields stop the stream, they are collected to the end of the task.
    """

    def guard(batches: Batches) -> Iterator[pa.Array]:
        watch = _Watch(evolution, form)
        for batch in batches:
            parts = [_rescue(watch, [column[first:last] for column in batch]) for first, last in runs(*batch[:2])]
            if watch.new == VOID:
                yield pa.concat_arrays(parts) if parts else pa.nulls(0, pa.string())
        if watch.new != VOID:
            raise evolution.error(watch.new, watch.first_path)
        watch.leave()

    return guard


def runs(paths: pa.Array, starts: pa.Array) -> Iterator[tuple[int, int]]:
    """The stretches of a batch that come from one block each."""
    count = len(paths)
    if not count:
        return
    codes = pc.fill_null(pc.dictionary_encode(paths).indices, -1).to_numpy(zero_copy_only=False)
    firsts = starts.to_numpy(zero_copy_only=False)
    changes = ((codes[1:] != codes[:-1]) | (firsts[1:] != firsts[:-1])).nonzero()[0] + 1
    edges = [0, *changes.tolist(), count]
    yield from pairwise(edges)


def _rescue(watch: _Watch, run: list[pa.Array]) -> pa.Array:
    paths, starts, lengths, damaged, shown = run
    path, count = paths[0].as_py(), len(paths)
    watch.enter(Block(path, starts[0].as_py(), lengths[0].as_py(), watch.form.multi_line))
    careful = watch.reading is not None and watch.reading.rows is not None
    if watch.new != VOID or (damaged.null_count == count and not careful):
        return pa.nulls(count, pa.string())
    rows = watch.reading.next(count) if careful else [None] * count  # type: ignore[union-attr]
    odd = {place for place, row in enumerate(rows) if row is not None}
    odd.update(pc.indices_nonzero(damaged.is_valid()).to_pylist())
    places = sorted(odd)
    if not places:
        return pa.nulls(count, pa.string())
    schema, found = watch.evolution.schema, [None] * count
    for place, *seen in zip(places, texts(damaged.take(places)), texts(shown.take(places)), strict=True):
        found[place] = _rescued(*seen, rows[place], path, schema)
    return pa.array(found, pa.string())


def _rescued(damaged: str | None, shown: str | None, row: Any, path: str, schema: Type) -> str | None:
    try:
        record = row if row is not None else parse(damaged)  # type: ignore[arg-type]
    except Damaged:
        record = damaged
    if isinstance(record, str):
        return as_text({CORRUPT: record}, path)
    missing = lost(record, record if damaged is None else parse(shown or "{}"), schema)
    return as_text(missing, path) if missing else None


def _mismatch(block: Block) -> str:
    return (f"The lines of {block.path} (bytes {block.start} to {block.start + block.length}) are not the rows that "
            "Spark read: it was changed meanwhile, or it mixes line ends. Nothing of this micro-batch was written. "
            "Write files under another name and move them in when they are complete; then run the query again.")
