"""When a Quartz expression fires next in its time zone; pure.

Quartz looks at the wall clock only (`CronExpression.getTimeAfter`). A time that does not exist, because the clocks go
forward, is left out. Of a time that comes twice, because they go back, the second is meant; the first never fires.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpers.jobs.quartz import Cron


def next_fire(cron: Cron, *, after: datetime, zone: ZoneInfo) -> datetime | None:
    """Give the first time later than `after` (aware), in `zone`; None when the expression never fires again.

    The search ends with the last year that Quartz allows.
    """
    start = after.astimezone(zone).replace(tzinfo=None, microsecond=0) + timedelta(seconds=1)
    for day in _days(cron, start.date()):
        for clock in _times(cron, start.time() if day == start.date() else time()):
            moment = _at(datetime.combine(day, clock), zone)
            if moment is not None:
                return moment
    return None


def _days(cron: Cron, start: date) -> Iterator[date]:
    for year in sorted(year for year in cron.years if year >= start.year):
        for month in sorted(cron.months):
            if (year, month) >= (start.year, start.month):
                days = frozenset().union(*(rule.of(year, month) for rule in cron.days))
                yield from (found for day in sorted(days) if (found := date(year, month, day)) >= start)


def _times(cron: Cron, start: time) -> Iterator[time]:
    for hour in sorted(hour for hour in cron.hours if hour >= start.hour):
        for minute in sorted(cron.minutes):
            if (hour, minute) >= (start.hour, start.minute):
                clocks = (time(hour, minute, second) for second in sorted(cron.seconds))
                yield from (clock for clock in clocks if clock >= start)


def _at(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The moment at which the wall clock shows this, the second one when there are two; None when there is none."""
    second = wall.replace(tzinfo=zone, fold=1)
    if second.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
        return None
    first = second.replace(fold=0)
    return first if first.utcoffset() == second.utcoffset() else second
