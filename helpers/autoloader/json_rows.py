"""The rows that Spark makes of a JSON block: which of them need no look, and the records of the others.

Runs in Spark's Python workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from helpers.autoloader.blocks import Block, only_known_fields, text_lines
from helpers.autoloader.json_types import Type
from helpers.autoloader.plain_lines import line_pattern, odd_lines
from helpers.autoloader.records import Damaged, parse

#: A record, a damaged line as it stands, or None for a record that surely has no field beyond the schema.
Row = dict[str, Any] | str | None


@dataclass(frozen=True)
class JsonRows:
    """A block's rows, as often as they are asked for.

    `stretches`: lines that are not plain, as they stand, each behind the number of plain rows before it.
    """

    stretches: list[tuple[int, bytes]]
    multi_line: bool = False

    def all_known(self, schema: Type) -> bool:
        """Whether surely no row has a field beyond the schema; False means "look closer"."""
        odd = b"".join(lines for _, lines in self.stretches)
        return not odd or only_known_fields(odd, schema)

    def __iter__(self) -> Iterator[Row]:
        for plain, lines in self.stretches:
            yield from repeat(None, plain)
            for line in text_lines(lines, multi_line=self.multi_line):
                yield from _records(line)


def json_rows(block: Block, schema: Type) -> JsonRows:
    """The rows of a block, looked at all at once."""
    data = block.read()
    stretches = odd_lines(data, line_pattern(schema))
    if block.multi_line and any(lines for _, lines in stretches):
        stretches = [(0, data)]
    return JsonRows(stretches, block.multi_line)


def _records(line: str) -> Iterator[dict[str, Any] | str]:
    try:
        yield parse(line)
    except Damaged:
        yield from _items(line)


def _items(line: str) -> Iterator[dict[str, Any] | str]:
    # Spark makes a row of each object in an array that is a whole line.
    try:
        items = parse(f'{{"items":{line}}}')["items"]
    except Damaged:
        items = None
    if isinstance(items, list) and all(isinstance(item, dict) for item in items):
        yield from items
    else:
        yield line
