"""Quartz cron expressions, as a job's schedule has them: 6 or 7 fields, seconds first; checked, never run.

The grammar is that of https://www.quartz-scheduler.org/documentation/quartz-2.3.0/tutorials/crontrigger.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


@dataclass(frozen=True)
class _Field:
    """One field: its range, the names that stand for numbers, and the patterns that only it takes."""

    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()
    special: str = ""

    def number(self, text: str) -> int | None:
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.least
        return int(text) if text.isascii() and text.isdigit() else None

    def has(self, number: int | None) -> bool:
        return number is not None and self.least <= number <= self.most

    @property
    def values(self) -> str:
        named = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.least} to {self.most}{named}"


_FIELDS = (
    _Field("seconds", 0, 59),
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day of month", 1, 31, special=r"L(-([1-9]|[12]\d|30))?|LW|([1-9]|[12]\d|3[01])W"),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 1, 7, _DAYS, special=r"L|([1-7]|SUN|MON|TUE|WED|THU|FRI|SAT)(L|#[1-5])"),
    _Field("year", 1970, 2099),
)


def problems(expression: str) -> Iterator[str]:
    """Say what is wrong with an expression; nothing when Quartz would take it."""
    parts = expression.split()
    if len(parts) not in (6, 7):
        hint = "; five is Unix cron: put the seconds in front" if len(parts) == 5 else ""
        yield f"'{expression}' has {len(parts)} fields; Quartz has 6 or 7, seconds first{hint}"
        return
    for field, part in zip(_FIELDS, parts, strict=False):
        yield from _field(field, part)
    if (parts[3] == "?") == (parts[5] == "?"):
        yield f"'{expression}' needs one '?': in the day of month or in the day of week"


def _field(field: _Field, part: str) -> Iterator[str]:
    if part == "?":
        if field.special == "":
            yield f"'?' is for the day of month or the day of week, not for the {field.name}"
        return
    for item in part.split(","):
        if not _fits(field, item):
            yield f"'{item}' is no {field.name}; it is {field.values}"


def _fits(field: _Field, item: str) -> bool:
    if field.special and re.fullmatch(field.special, item, re.IGNORECASE):
        return True
    value, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    if value == "*" or (value == "" and slash):
        return True
    first, dash, last = value.partition("-")
    return field.has(field.number(first)) and (not dash or field.has(field.number(last)))
