"""Which days of a month a Quartz expression means: by number, from the end, by weekday; pure.

Days of the week are Quartz's: 1 is Sunday, 7 is Saturday.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date

_SUNDAY, _SATURDAY = 1, 7


@dataclass(frozen=True)
class Numbered:
    """`15`, `1-5`, `*`: days by their number; those that a month has not are left out."""

    numbers: frozenset[int]

    def of(self, year: int, month: int) -> frozenset[int]:
        return frozenset(range(1, _length(year, month) + 1)) & self.numbers


@dataclass(frozen=True)
class FromEnd:
    """`L` and `L-3`: the last day, or so many days before it."""

    before: int = 0

    def of(self, year: int, month: int) -> frozenset[int]:
        day = _length(year, month) - self.before
        return frozenset({day} if day > 0 else ())


@dataclass(frozen=True)
class NearestWorkday:
    """`15W` and `LW`: the working day (Monday to Friday) nearest to a day in the same month; None is the last day."""

    day: int | None = None

    def of(self, year: int, month: int) -> frozenset[int]:
        last = _length(year, month)
        day = last if self.day is None else self.day
        if day > last:
            return frozenset()
        weekday = weekday_of(year, month, day)
        if weekday == _SATURDAY:
            return frozenset({day - 1 if day > 1 else day + 2})
        if weekday == _SUNDAY:
            return frozenset({day + 1 if day < last else day - 2})
        return frozenset({day})


@dataclass(frozen=True)
class Weekdays:
    """`MON-FRI`: every such day of the week."""

    weekdays: frozenset[int]

    def of(self, year: int, month: int) -> frozenset[int]:
        every = range(1, _length(year, month) + 1)
        return frozenset(day for day in every if weekday_of(year, month, day) in self.weekdays)


@dataclass(frozen=True)
class NthWeekday:
    """`6#3` and `6L`: the third Friday of the month and the last one, which has no number here."""

    weekday: int
    number: int | None = None

    def of(self, year: int, month: int) -> frozenset[int]:
        days = sorted(Weekdays(frozenset({self.weekday})).of(year, month))
        if self.number is None:
            return frozenset(days[-1:])
        return frozenset(days[self.number - 1 : self.number])


Day = Numbered | FromEnd | NearestWorkday | Weekdays | NthWeekday


def weekday_of(year: int, month: int, day: int) -> int:
    """The day of the week as Quartz counts it: 1 is Sunday."""
    return date(year, month, day).isoweekday() % 7 + 1


def _length(year: int, month: int) -> int:
    return monthrange(year, month)[1]
