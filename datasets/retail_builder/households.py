"""Households as a change feed: the real demographics on the first day, then seeded changes, some out of order."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from random import Random
from typing import Any

from retail_builder.files import Batch, Defect

Household = dict[str, Any]
AGES = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOMES = (
    "Under 15K",
    "15-24K",
    "25-34K",
    "35-49K",
    "50-74K",
    "75-99K",
    "100-124K",
    "125-149K",
    "150-174K",
    "175-199K",
    "200-249K",
    "250K+",
)
HELD_BACK = 40
LATE_BY = 2


@dataclass
class _Feed:
    """What the feed has said so far: households as they are, those still to come, and those it tells no more of."""

    alive: dict[int, Household]
    to_come: list[Household]
    told: set[int] = field(default_factory=set)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    late: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    overtaking: list[tuple[int, int, str]] = field(default_factory=list)

    def insert(self, household: Household) -> dict[str, Any]:
        self.alive[household["household_id"]] = household
        return self._change("INSERT", household)

    def update(self, key: int, *, rng: Random) -> dict[str, Any]:
        household = self.alive[key]
        name = rng.choice([name for name, change in MOVES.items() if change(household[name], rng) is not None])
        self.alive[key] = {**household, name: MOVES[name](household[name], rng)}
        return self._change("UPDATE", self.alive[key])

    def delete(self, key: int) -> dict[str, Any]:
        household = self.alive.pop(key)
        return self._change("DELETE", {name: key if name == "household_id" else None for name in household})

    def pick(self, rng: Random) -> int:
        return rng.choice(sorted(self.alive.keys() - self.told))

    def _change(self, operation: str, household: Household) -> dict[str, Any]:
        return {"operation": operation, "sequence_number": next(self.numbers), **household}


def _neighbour(bands: tuple[str, ...], *, steps: tuple[int, ...]) -> Callable[[str | None, Random], str | None]:
    def move(value: str | None, rng: Random) -> str | None:
        if value is None:
            return None
        reachable = [bands.index(value) + step for step in steps]
        inside = [bands[place] for place in reachable if 0 <= place < len(bands)]
        return rng.choice(inside) if inside else None

    return move


# A move gives the attribute's next plausible value, or None where it stays as it is.
MOVES: Mapping[str, Callable[[str | None, Random], str | None]] = {
    "age": _neighbour(AGES, steps=(1,)),
    "income": _neighbour(INCOMES, steps=(-1, 1)),
    "home_ownership": lambda value, rng: "Renter" if value == "Homeowner" else "Homeowner",
    "marital_status": lambda value, rng: "Unmarried" if value == "Married" else "Married",
}


def household_batches(
    demographics: Iterable[Household], *, days: Iterable[date], seed: int
) -> Iterator[tuple[date, Batch]]:
    """Give the day and the lines of each file of the change feed."""
    listed, ordered_days = list(demographics), list(days)
    to_come = Random(f"{seed}:households:later").sample(listed, min(HELD_BACK, len(ordered_days) // 2))
    feed = _Feed(alive={}, to_come=to_come)
    first = [feed.insert(household) for household in listed if household not in to_come]
    yield ordered_days[0], _batch([(change, None) for change in first])
    for number, day in enumerate(ordered_days[1:], 2):
        rng = Random(f"{seed}:households:{day}")
        yield day, _batch(_day_changes(feed, number, last=len(ordered_days), rng=rng))


def _day_changes(feed: _Feed, number: int, *, last: int, rng: Random) -> list[tuple[dict[str, Any], str | None]]:
    """Give the day's changes as delivered, each with the kind of its disorder or None."""
    delivered: list[tuple[dict[str, Any], str | None]] = _overtaking(feed, number, rng=rng)
    if number % 2 == 0 and feed.to_come:
        delivered.append((feed.insert(feed.to_come.pop()), None))
    if number % 4 == 0:
        delivered.append((feed.delete(feed.pick(rng)), None))
    delivered += [(feed.update(feed.pick(rng), rng=rng), None) for _ in range(rng.randint(4, 8))]
    if number % 3 == 0:
        delivered += _reversed_pair(feed, rng=rng)
    if number % 4 == 1 and number + LATE_BY <= last:
        _hold(feed, number, rng=rng)
    arrived = [change for due, change in feed.late if due <= number]
    feed.late = [(due, change) for due, change in feed.late if due > number]
    return delivered + [(change, "late_change") for change in arrived]


def _reversed_pair(feed: _Feed, *, rng: Random) -> list[tuple[dict[str, Any], str | None]]:
    """Update a household twice and deliver the second update first; it never changes again."""
    key = feed.pick(rng)
    older, newer = feed.update(key, rng=rng), feed.update(key, rng=rng)
    feed.told.add(key)
    return [(newer, None), (older, "reversed_change")]


def _hold(feed: _Feed, number: int, *, rng: Random) -> None:
    """Update a household today, deliver that in two days, and let a newer change overtake it tomorrow."""
    key = feed.pick(rng)
    feed.told.add(key)
    feed.late.append((number + LATE_BY, feed.update(key, rng=rng)))
    feed.overtaking.append((number + 1, key, "DELETE" if number % 8 == 1 else "UPDATE"))


def _overtaking(feed: _Feed, number: int, *, rng: Random) -> list[tuple[dict[str, Any], str | None]]:
    due = [(key, operation) for day, key, operation in feed.overtaking if day == number]
    return [(feed.delete(key) if operation == "DELETE" else feed.update(key, rng=rng), None) for key, operation in due]


def _batch(changes: list[tuple[dict[str, Any], str | None]]) -> Batch:
    lines = tuple(json.dumps(change, separators=(",", ":")) for change, _ in changes)
    defects = tuple(
        Defect(kind, {name: change[name] for name in ("household_id", "sequence_number")} | {"line": number})
        for number, (change, kind) in enumerate(changes, 1)
        if kind
    )
    counts = {
        name: sum(change["operation"] == name for change, _ in changes) for name in ("DELETE", "INSERT", "UPDATE")
    }
    return Batch(lines, defects, counts)
