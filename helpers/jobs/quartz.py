"""Quartz cron expressions, as a job's schedule has them: 6 or 7 fields, seconds first; read and checked.

The grammar is that of https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html.
When an expression fires is in :mod:`helpers.jobs.firing`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from helpers.jobs.days import Day, FromEnd, NearestWorkday, NthWeekday, Numbered, Weekdays

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_LAST = re.compile(r"L(?:-([1-9]|[12]\d|30))?", re.IGNORECASE)
_WORKDAY = re.compile(r"(L|[1-9]|[12]\d|3[01])W", re.IGNORECASE)
_NTH = re.compile(rf"([1-7]|{'|'.join(_DAYS)})(?:L|#([1-5]))", re.IGNORECASE)


@dataclass(frozen=True)
class Cron:
    """What an expression allows; a day that any of `days` means will do."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: tuple[Day, ...]
    months: frozenset[int]
    years: frozenset[int]


@dataclass(frozen=True)
class _Field:
    """One field: its range, and the names that stand for numbers."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def number(self, text: str) -> int | None:
        """The number that a text stands for, when it is in the field's range."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.least
        found = int(text) if text.isascii() and text.isdigit() else -1
        return found if self.least <= found <= self.most else None

    @property
    def values(self) -> str:
        named = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.least} to {self.most}{named}"


_DAY_OF_MONTH = _Field("day of month", 1, 31)
_DAY_OF_WEEK = _Field("day of week", 1, 7, _DAYS)
_YEAR = _Field("year", 1970, 2099)
_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _DAY_OF_MONTH,
    _Field("month", 1, 12, _MONTHS),
    _DAY_OF_WEEK,
    _YEAR,
)


def problems(expression: str) -> Iterator[str]:
    """Say what is wrong with an expression; nothing when Quartz would take it."""
    parts = expression.split()
    if len(parts) not in (6, 7):
        hint = "; five is Unix cron: put the seconds in front" if len(parts) == 5 else ""
        yield f"'{expression}' has {len(parts)} fields; Quartz has 6 or 7, seconds first{hint}"
        return
    for field, part in zip(_FIELDS, parts, strict=False):
        yield from _field_problems(field, part)
    if (parts[3] == "?") == (parts[5] == "?"):
        yield f"'{expression}' needs one '?': in the day of month or in the day of week"


def parse(expression: str) -> Cron:
    """Read an expression in which :func:`problems` finds none; ValueError with the first problem otherwise."""
    for said in problems(expression):
        raise ValueError(said)
    seconds, minutes, hours, day, month, weekday, year = [*expression.split(), "*"][:7]
    numbers = [_numbers(field, part) for field, part in zip(_FIELDS[:3], (seconds, minutes, hours), strict=True)]
    days = _days(_DAY_OF_WEEK, weekday) if day == "?" else _days(_DAY_OF_MONTH, day)
    return Cron(*numbers, days, _numbers(_FIELDS[4], month), _numbers(_YEAR, year))


def _field_problems(field: _Field, part: str) -> Iterator[str]:
    if part == "?":
        if field not in (_DAY_OF_MONTH, _DAY_OF_WEEK):
            yield f"'?' is for the day of month or the day of week, not for the {field.name}"
        return
    items = part.split(",")
    for item in items:
        if _special(field, item) is None and _range(field, item) is None:
            yield f"'{item}' is no {field.name}; it is {field.values}{_hint(field, item)}"
    if field is _DAY_OF_WEEK and len(items) > 1 and any(_special(field, item) for item in items):
        yield f"'{part}' lists days of the week with an L or a #, and Quartz takes such a day alone"


def _hint(field: _Field, item: str) -> str:
    named = field.names and any(name in item.upper() for name in field.names)
    return "; ranges and steps have two names or numbers only, such as 2-6/2" if named else ""


def _numbers(field: _Field, part: str) -> frozenset[int]:
    return frozenset().union(*(_range(field, item) or () for item in part.split(",")))


def _days(field: _Field, part: str) -> tuple[Day, ...]:
    special = [_special(field, item) for item in part.split(",")]
    plain = ",".join(item for item, found in zip(part.split(","), special, strict=True) if found is None)
    days = [found for found in special if found is not None]
    if plain:
        numbers = _numbers(field, plain)
        days.append(Numbered(numbers) if field is _DAY_OF_MONTH else Weekdays(numbers))
    return tuple(days)


def _special(field: _Field, item: str) -> Day | None:
    """What only days can be: counted from the end, the nearest working day, the so-manieth of its kind."""
    if field is _DAY_OF_MONTH:
        if match := _LAST.fullmatch(item):
            return FromEnd(int(match[1] or 0))
        if match := _WORKDAY.fullmatch(item):
            return NearestWorkday(None if match[1].upper() == "L" else int(match[1]))
    if field is _DAY_OF_WEEK:
        if item.upper() == "L":
            return Weekdays(frozenset({_DAY_OF_WEEK.most}))
        if (match := _NTH.fullmatch(item)) and (weekday := field.number(match[1])):
            return NthWeekday(weekday, int(match[2]) if match[2] else None)
    return None


def _range(field: _Field, item: str) -> frozenset[int] | None:
    """The numbers of `*`, `5`, `5-9`, `55-5` (over the end), `5/10`, `*/10` and `5-30/10`; None when it is none."""
    value, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and 0 < int(step) <= field.most):
        return None
    if value == "*" or (value == "" and slash):
        ends: tuple[int | None, int | None] = field.least, field.most
    else:
        first, dash, last = value.partition("-")
        # Quartz ignores a step behind a name, and takes no range of a name and a number.
        named = {text.isalpha() for text in (first, last) if text}
        if len(named) > 1 or (slash and True in named):
            return None
        start = field.number(first)
        ends = start, field.number(last) if dash else (field.most if slash else start)
    return _stepped(field, *ends, int(step or 1))


def _stepped(field: _Field, start: int | None, end: int | None, step: int) -> frozenset[int] | None:
    if start is None or end is None or (end < start and field is _YEAR):
        return None
    size = field.most - field.least + 1
    end = end + size if end < start else end
    return frozenset(field.least + (number - field.least) % size for number in range(start, end + 1, step))
