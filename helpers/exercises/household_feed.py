"""The change feed of the households replayed in plain Python: what a table of it must hold, and how one differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers import looking

#: What a table keeps of a change: the change's own fields are the operation and the sequence number.
FACTS = ("age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count")


@dataclass(frozen=True)
class Change:
    """One line of the feed; ``facts`` are the household's values in the order of :data:`FACTS`."""

    household: int
    sequence: int
    operation: str
    facts: tuple[str | None, ...]

    @property
    def deletes(self) -> bool:
        return self.operation == "DELETE"

    def only(self, names: Sequence[str]) -> tuple[str | None, ...]:
        return tuple(self.facts[FACTS.index(name)] for name in names)


@dataclass(frozen=True)
class Version:
    """A household's row from change ``start`` up to change ``end``, without it; None: until now."""

    change: Change
    start: int
    end: int | None


def landed_changes(lab: Any, *, upto: str = "") -> list[Change]:
    """The changes of the landed files that have a key; ``upto``: the name of the last file, all by default."""
    files = looking.landed_records(lab, "households")
    return _read(record for name, records in files.items() if not upto or name <= upto for record in records)


def table_changes(lab: Any, name: str = "household_changes") -> list[Change]:
    """The changes that a table of the feed holds."""
    rows = looking.table(lab, name).select("household_id", "sequence_number", "operation", *FACTS).collect()
    return _read(row.asDict() for row in rows)


def _read(records: Iterable[Mapping[str, Any]]) -> list[Change]:
    return [Change(int(record["household_id"]), int(record["sequence_number"]), record["operation"],
                   tuple(record.get(name) for name in FACTS))
            for record in records if record.get("household_id") is not None]


def newest(changes: Iterable[Change]) -> dict[int, Change]:
    """The newest change of each household, deletes too."""
    found: dict[int, Change] = {}
    for change in sorted(changes, key=lambda each: each.sequence):
        found[change.household] = change
    return found


def versions(changes: Iterable[Change], tracked: Sequence[str] = FACTS) -> list[Version]:
    """Every version of every household, where only ``tracked`` facts open one."""
    by_household: dict[int, dict[int, Change]] = {}
    for change in changes:
        by_household.setdefault(change.household, {})[change.sequence] = change
    return [version for own in by_household.values()
            for version in _of_one([own[number] for number in sorted(own)], tracked)]


def _of_one(changes: Sequence[Change], tracked: Sequence[str]) -> list[Version]:
    done: list[Version] = []
    now: Version | None = None
    for change in changes:
        if now and not change.deletes and change.only(tracked) == now.change.only(tracked):
            now = Version(change, now.start, None)
            continue
        if now:
            done.append(Version(now.change, now.start, change.sequence))
        now = None if change.deletes else Version(change, change.sequence, None)
    return [*done, now] if now else done


def known(rows: Iterable[Any]) -> list[Any]:
    """The rows that have a key."""
    return [row for row in rows if row.household_id is not None]


def repeated(rows: Sequence[Any], name: str, why: str) -> list[str]:
    """Whether a household has several rows; ``why`` names the likely cause."""
    twice = sorted(household for household, times in Counter(row.household_id for row in rows).items() if times > 1)
    if not twice:
        return []
    return [f"Household {twice[0]} has more than one row in `{name}`.{others(twice)} {why}"]


def alive(rows: Sequence[Any], wanted: Mapping[int, Change], name: str, why: str) -> list[str]:
    """Whether a household is there that the feed has deleted."""
    deleted = sorted({row.household_id for row in rows if row.household_id in wanted
                      and wanted[row.household_id].deletes})
    if not deleted:
        return []
    change = wanted[deleted[0]]
    return [f"Household {change.household} is in `{name}`, but its newest change, {change.sequence}, is a DELETE."
            f"{others(deleted)} {why}"]


def overtaken(found: Mapping[int, int], wanted: Mapping[int, Change], name: str) -> list[str]:
    """Whether an older change has won; ``found``: the sequence number that each household stands at."""
    old = sorted(household for household, change in wanted.items()
                 if not change.deletes and found.get(household, change.sequence) != change.sequence)
    if not old:
        return []
    return [f"Household {old[0]} stands in `{name}` as change {found[old[0]]} left it, but change "
            f"{wanted[old[0]].sequence} is newer.{others(old)} Which column says which change is newer?"]


def absent(rows: Sequence[Any], wanted: Mapping[int, Change], name: str, why: str) -> list[str]:
    """Whether households are missing."""
    found = {row.household_id for row in rows}
    absent = sorted(household for household, change in wanted.items()
                    if not change.deletes and household not in found)
    return [f"`{name}` has no row of household {absent[0]}.{others(absent)} {why}"] if absent else []


def unequal(rows: Sequence[Any], wanted: Mapping[int, Change], name: str, facts: Sequence[str]) -> list[str]:
    """The first value that is not what the newest change says."""
    for row in rows:
        change = wanted.get(row.household_id)
        if change is None:
            return [f"`{name}` has a household {row.household_id}, which the feed does not know."]
        found = tuple(row[fact] for fact in facts)
        if found != change.only(facts):
            fact = next(fact for fact, value in zip(facts, change.only(facts), strict=True) if row[fact] != value)
            return [f"`{fact}` of household {row.household_id} is {row[fact]!r} in `{name}`, but change "
                    f"{change.sequence} says {change.only([fact])[0]!r}. Which order do the changes have?"]
    return []


def others(households: Collection[int]) -> str:
    """How many more households there are beside the one that is named."""
    return f" ({len(households) - 1} more like it.)" if len(households) > 1 else ""
