"""Random feeds of changes, and the tables that a plain sorted replay of them gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

Key = tuple[int, str]


@dataclass(frozen=True)
class Event:
    """One change. ``key`` is None for a truncate."""

    key: Key | None
    op: str
    seq: tuple[int, int]
    a: int | None = None
    s: tuple[int | None, str | None] | None = None

    def as_row(self) -> tuple[Any, ...]:
        """A row of :data:`TABLE`."""
        return (*(self.key or (None, None)), self.op, *self.seq, self.a, self.s)


SCHEMA = "k INT, n STRING, op STRING, major INT, minor INT, a INT, s STRUCT<x: INT, y: STRING>"
VIEW = "CREATE TEMPORARY VIEW keyed AS SELECT * FROM STREAM feed WHERE op <> 'T';"
FLOW = """CREATE OR REFRESH STREAMING TABLE {name};
CREATE FLOW {name}_flow AS AUTO CDC INTO {name} FROM STREAM {source} KEYS (K, n) {nulls}
APPLY AS DELETE WHEN op = 'D' {truncates} SEQUENCE BY STRUCT(major, minor) COLUMNS * EXCEPT (op, major, minor)
STORED AS SCD TYPE {scd} {track};
"""


@dataclass(frozen=True)
class Case:
    """One target and, in words of its own, how a sorted replay of the changes makes it."""

    name: str
    scd: int
    nulls: bool = False
    truncates: bool = False
    tracked: Callable[[Event], Any] = lambda event: (event.a, event.s)
    track: str = ""

    def sql(self) -> str:
        """The target and its flow."""
        return FLOW.format(
            name=self.name, source="feed" if self.truncates else "keyed", scd=self.scd, track=self.track,
            nulls="IGNORE NULL UPDATES" if self.nulls else "",
            truncates="APPLY AS TRUNCATE WHEN op = 'T'" if self.truncates else "")  # fmt: skip

    def expected(self, events: Iterable[Event]) -> list[tuple[Any, ...]]:
        """The target's rows, sorted by what they print."""
        ordered = sorted(set(events), key=_order)
        emptied = max((event.seq for event in ordered if event.op == "T" and self.truncates), default=(0, 0))
        rows: list[tuple[Any, ...]] = []
        keyed = sorted((event for event in ordered if event.key and event.seq >= emptied), key=lambda each: each.key)
        for key, changes in groupby(keyed, key=lambda each: each.key):
            rows += [(*key, *rest) for rest in self._history(list(changes))]
        return sorted(rows, key=repr)

    def _history(self, changes: Sequence[Event]) -> list[tuple[Any, ...]]:
        """One key's rows, without the key: of equal sequences the last change counts."""
        versions: list[list[Any]] = []
        row: Event | None = None
        for seq, tied in groupby(changes, key=lambda each: each.seq):
            for event in tied:
                row = None if event.op == "D" else _filled(event, row) if self.nulls and row else event
            open_ = versions[-1] if versions and versions[-1][2] is None else None
            if open_ and row and self.tracked(row) == self.tracked(open_[0]):
                open_[0] = row
                continue
            if open_:
                open_[2] = seq
            if row:
                versions.append([row, seq, None])
        if self.scd == 2:
            return [(row.a, row.s, start, end) for row, start, end in versions]
        return [(row.a, row.s) for row, _, end in versions if end is None]


def _order(event: Event) -> tuple[Any, ...]:
    """By sequence; of equal ones a truncate first, a delete last, and the others by their values, NULLs first."""
    s = () if event.s is None else tuple((value is not None, value or "") for value in event.s)
    values = ((event.a is not None, event.a or 0), (event.s is not None, *s))
    return event.seq, "TUD".index(event.op), values


def _filled(event: Event, before: Event) -> Event:
    a = before.a if event.a is None else event.a
    if event.s is None or before.s is None:
        return replace(event, a=a, s=event.s or before.s)
    return replace(event, a=a, s=tuple(new if new is not None else old
                                       for new, old in zip(event.s, before.s, strict=True)))  # fmt: skip


CASES = (
    Case("patched", 1, nulls=True, truncates=True),
    Case("history", 2),
    Case("tracked", 2, nulls=True, tracked=lambda event: event.a, track="TRACK HISTORY ON * EXCEPT (s)"),
    Case("latest", 1),
)


def feed(seed: int, *, keys: int) -> list[Event]:
    """Changes of so many keys, each a case of its own, and two truncates, in random order.

    One change in five is delivered twice, and one key in three has changes with equal sequences.
    """
    dice = random.Random(seed)
    events = [Event(None, "T", (at, 0)) for at in dice.sample(range(1, 40), 2)]
    for number in range(keys):
        key = (number // 3, "abc"[number % 3])
        orders = range(1, 4) if dice.random() < 1 / 3 else range(1, 40)
        for _ in range(dice.choice((1, 2, 3, 3, 4, 5, 7))):
            s = dice.choice((None, (dice.choice((None, 1)), dice.choice((None, "y", "z")))))
            seq = (dice.choice(orders), dice.choice((0, 1)))
            events.append(Event(key, dice.choice("UUUD"), seq, dice.choice((None, 1, 2)), s))
    events += dice.sample(events, len(events) // 5)
    dice.shuffle(events)
    return events


def differing(case: Case, found: Iterable[tuple[Any, ...]], events: Sequence[Event]) -> str:
    """What is wrong with a target, key by key, with the key's changes in the order of their arrival; or nothing."""
    found, wanted = set(found), set(case.expected(events))
    keys = sorted({row[:2] for row in found ^ wanted})
    told = [f"{case.name}, key {key}: found {_of(key, found)}, wanted {_of(key, wanted)} after "
            f"{[event for event in events if event.key in (key, None)]}" for key in keys[:3]]  # fmt: skip
    return "\n".join([f"{len(keys)} keys of {case.name} are wrong", *told]) if keys else ""


def _of(key: Key, rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted((row[2:] for row in rows if row[:2] == key), key=repr)
