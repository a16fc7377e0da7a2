"""When a Quartz expression fires: known times, clock changes, and a plain search through every minute beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.jobs import quartz
from helpers.jobs.firing import next_fire


def fires(expression: str, after: str, *, zone: str = "UTC", count: int = 3) -> list[str]:
    cron, place = quartz.parse(expression), ZoneInfo(zone)
    moment: datetime | None = datetime.fromisoformat(after)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=place)
    found = []
    while len(found) < count and (moment := next_fire(cron, after=moment, zone=place)):
        found.append(moment)
    return [f"{one:%Y-%m-%d %H:%M:%S}" if zone == "UTC" else one.isoformat(sep=" ") for one in found]


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        # The examples of Quartz's own tutorial.
        ("0 0 12 * * ?", "2024-02-28T12:00:00", ["2024-02-29 12:00:00", "2024-03-01 12:00:00", "2024-03-02 12:00:00"]),
        ("0 15 10 * * ? 2005", "2005-12-30T10:15:00", ["2005-12-31 10:15:00"]),
        ("0 * 14 * * ?", "2024-02-28T14:58:30", ["2024-02-28 14:59:00", "2024-02-29 14:00:00", "2024-02-29 14:01:00"]),
        ("0 0/5 14,18 * * ?", "2024-05-01T14:50:00",
         ["2024-05-01 14:55:00", "2024-05-01 18:00:00", "2024-05-01 18:05:00"]),
        ("0 10,44 14 ? 3 WED", "2024-03-27T14:10:00",
         ["2024-03-27 14:44:00", "2025-03-05 14:10:00", "2025-03-05 14:44:00"]),
        ("0 15 10 ? * MON-FRI", "2024-05-03T10:15:00",
         ["2024-05-06 10:15:00", "2024-05-07 10:15:00", "2024-05-08 10:15:00"]),
        ("0 15 10 L * ?", "2024-01-31T10:15:00",
         ["2024-02-29 10:15:00", "2024-03-31 10:15:00", "2024-04-30 10:15:00"]),
        ("0 15 10 L-2 * ?", "2024-01-31T00:00:00",
         ["2024-02-27 10:15:00", "2024-03-29 10:15:00", "2024-04-28 10:15:00"]),
        ("0 15 10 ? * 6L 2002-2005", "2005-11-01T00:00:00", ["2005-11-25 10:15:00", "2005-12-30 10:15:00"]),
        ("0 15 10 ? * 6#3", "2024-01-19T10:15:00",
         ["2024-02-16 10:15:00", "2024-03-15 10:15:00", "2024-04-19 10:15:00"]),
        ("0 0 12 1/5 * ?", "2024-01-30T00:00:00",
         ["2024-01-31 12:00:00", "2024-02-01 12:00:00", "2024-02-06 12:00:00"]),
        ("0 11 11 11 11 ?", "2024-11-11T11:11:00",
         ["2025-11-11 11:11:00", "2026-11-11 11:11:00", "2027-11-11 11:11:00"]),
        # A working day stays in its month: 1 June 2024 is a Saturday, 30 June and 1 September are Sundays.
        ("0 0 6 1W 6,9 ?", "2024-01-01T00:00:00",
         ["2024-06-03 06:00:00", "2024-09-02 06:00:00", "2025-06-02 06:00:00"]),
        ("0 0 6 15W 6,9 ?", "2024-01-01T00:00:00",
         ["2024-06-14 06:00:00", "2024-09-16 06:00:00", "2025-06-16 06:00:00"]),
        ("0 0 6 LW 6,7 ?", "2024-01-01T00:00:00",
         ["2024-06-28 06:00:00", "2024-07-31 06:00:00", "2025-06-30 06:00:00"]),
        ("0 0 6 31W * ?", "2024-03-30T00:00:00", ["2024-05-31 06:00:00", "2024-07-31 06:00:00", "2024-08-30 06:00:00"]),
        # A fifth Friday is not in every month; a month too short for L-30 has no such day.
        ("0 0 6 ? * FRI#5", "2024-04-01T00:00:00",
         ["2024-05-31 06:00:00", "2024-08-30 06:00:00", "2024-11-29 06:00:00"]),
        ("0 0 6 L-30 * ?", "2024-02-01T00:00:00",
         ["2024-03-01 06:00:00", "2024-05-01 06:00:00", "2024-07-01 06:00:00"]),
        ("0 0 6 ? * L", "2024-05-03T00:00:00", ["2024-05-04 06:00:00", "2024-05-11 06:00:00", "2024-05-18 06:00:00"]),
        # Ranges go over the end, with their step.
        ("0 0 22-2/2 * * ?", "2024-05-03T21:00:00",
         ["2024-05-03 22:00:00", "2024-05-04 00:00:00", "2024-05-04 02:00:00"]),
        ("0 0 0 1 NOV-FEB ?", "2024-11-15T00:00:00",
         ["2024-12-01 00:00:00", "2025-01-01 00:00:00", "2025-02-01 00:00:00"]),
        ("0 0 0 ? * fri-mon", "2024-05-03T00:00:00",
         ["2024-05-04 00:00:00", "2024-05-05 00:00:00", "2024-05-06 00:00:00"]),
        ("0 0 0 30-1 * ?", "2024-01-31T00:00:00",
         ["2024-02-01 00:00:00", "2024-03-01 00:00:00", "2024-03-30 00:00:00"]),
        # Items of a list add up.
        ("0 0 0 10,L,15W * ?", "2024-06-01T00:00:00",
         ["2024-06-10 00:00:00", "2024-06-14 00:00:00", "2024-06-30 00:00:00"]),
        ("*/20,5 59 23 31 12 ?", "2024-12-31T23:59:03",
         ["2024-12-31 23:59:05", "2024-12-31 23:59:20", "2024-12-31 23:59:40"]),
        ("0 0 0 29 2 ?", "2024-02-29T00:00:00", ["2028-02-29 00:00:00", "2032-02-29 00:00:00", "2036-02-29 00:00:00"]),
        # Never, or never again.
        ("0 0 0 30 2 ?", "2024-01-01T00:00:00", []),
        ("0 0 0 31 4,6,9,11 ?", "2024-01-01T00:00:00", []),
        ("0 0 0 1 1 ? 2023", "2023-01-01T00:00:00", []),
        ("59 59 23 31 12 ? 2099", "2099-12-31T23:59:58", ["2099-12-31 23:59:59"]),
    ],
)  # fmt: skip
def test_it_fires_when_quartz_does(expression, after, expected):
    assert fires(expression, after) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "after", "expected"),
    [
        # Forward: 02:00 to 03:00 does not exist in Berlin on 31 March 2024, and what is due then is left out.
        ("0 30 2 * * ?", "Europe/Berlin", "2024-03-30T12:00:00", ["2024-04-01 02:30:00+02:00"]),
        ("0 0 * * * ?", "Europe/Berlin", "2024-03-31T00:30:00",
         ["2024-03-31 01:00:00+01:00", "2024-03-31 03:00:00+02:00"]),
        ("0 0/20 2,3 * * ?", "Europe/Berlin", "2024-03-31T01:30:00",
         ["2024-03-31 03:00:00+02:00", "2024-03-31 03:20:00+02:00"]),
        # Back: 02:00 to 03:00 comes twice on 27 October 2024, and only the second hour counts.
        ("0 30 2 * * ?", "Europe/Berlin", "2024-10-26T12:00:00",
         ["2024-10-27 02:30:00+01:00", "2024-10-28 02:30:00+01:00"]),
        ("0 0 * * * ?", "Europe/Berlin", "2024-10-27T01:00:00+02:00",
         ["2024-10-27 02:00:00+01:00", "2024-10-27 03:00:00+01:00"]),
        ("0 0/30 * * * ?", "America/New_York", "2024-11-03T01:10:00-04:00",
         ["2024-11-03 01:30:00-05:00", "2024-11-03 02:00:00-05:00"]),
        # Half an hour, and a day without its midnight.
        ("0 0/15 2 * * ?", "Australia/Lord_Howe", "2024-10-06T00:00:00",
         ["2024-10-06 02:30:00+11:00", "2024-10-06 02:45:00+11:00"]),
        ("0 0 0 * * ?", "Africa/Cairo", "2024-04-25T12:00:00", ["2024-04-27 00:00:00+03:00"]),
        # No clock change: the zone only says what the hours mean.
        ("0 30 6 * * ?", "Asia/Kolkata", "2024-03-31T01:00:00+00:00", ["2024-04-01 06:30:00+05:30"]),
    ],
)  # fmt: skip
def test_clock_changes_skip_what_does_not_exist_and_fire_once_what_comes_twice(expression, zone, after, expected):
    assert fires(expression, after, zone=zone, count=len(expected)) == expected


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("0 0 0 ? * 6L,2", "'6L,2' lists days of the week with an L or a #, and Quartz takes such a day alone"),
        ("0 0 0 ? * MON-FRI/2", "ranges and steps have two names or numbers only, such as 2-6/2"),
        ("0 0 0 ? * MON-6", "ranges and steps have two names or numbers only, such as 2-6/2"),
        ("0 0/60 0 ? * MON", "'0/60' is no minute; it is 0 to 59"),
        ("0 0 0 1 1 ? 2030-2020", "'2030-2020' is no year; it is 1970 to 2099"),
    ],
)
def test_what_quartz_would_not_take_or_would_ignore_is_named(expression, said):
    assert said in " ".join(quartz.problems(expression))
    with pytest.raises(ValueError, match="'"):
        quartz.parse(expression)


def _item(least: int, most: int) -> st.SearchStrategy[str]:
    number = st.integers(least, most)
    step = st.integers(1, most)
    return st.one_of(
        st.just("*"),
        number.map(str),
        st.builds("{}-{}".format, number, number),
        st.builds("{}/{}".format, number, step),
        st.builds("{}-{}/{}".format, number, number, step),
    )


def _field(least: int, most: int) -> st.SearchStrategy[str]:
    return st.lists(_item(least, most), min_size=1, max_size=2).map(",".join)


def _allows(part: str, value: int, least: int, most: int) -> bool:
    """Walk from a range's first number to its last, over the end: the plainest reading of the grammar."""
    for item in part.split(","):
        span, _, step = item.partition("/")
        first, dash, last = span.partition("-")
        start = least if span == "*" else int(first)
        end = int(last) if dash else most if (step or span == "*") else start
        at, steps = start, 0
        while True:
            if at == value and steps % int(step or 1) == 0:
                return True
            if at == end:
                break
            at, steps = (least if at == most else at + 1), steps + 1
    return False


@settings(max_examples=60, deadline=None)
@given(
    minutes=_field(0, 59), hours=_field(0, 23), days=_field(1, 31), weekdays=_field(1, 7), by_day=st.booleans(),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    start=st.datetimes(datetime(2024, 3, 1), datetime(2024, 11, 10)).map(lambda one: one.replace(microsecond=0)),
)  # fmt: skip
def test_no_minute_before_the_next_one_matches(minutes, hours, days, weekdays, by_day, zone, start):
    place, after = ZoneInfo(zone), start.replace(tzinfo=UTC)
    text = f"0 {minutes} {hours} " + (f"{days} * ?" if by_day else f"? * {weekdays}")
    found = next_fire(quartz.parse(text), after=after, zone=place)

    def matches(moment: datetime) -> bool:
        wall = moment.astimezone(place)
        weekday = wall.isoweekday() % 7 + 1
        day = _allows(days, wall.day, 1, 31) if by_day else _allows(weekdays, weekday, 1, 7)
        twice = wall.replace(fold=1).astimezone(UTC) != moment
        return day and _allows(hours, wall.hour, 0, 23) and _allows(minutes, wall.minute, 0, 59) and not twice

    assert found is not None
    assert found.astimezone(UTC) > after
    assert matches(found.astimezone(UTC))
    # Quartz counts on by the wall clock, so the search starts at the second of two equal times.
    moment = after.astimezone(place).replace(fold=1).astimezone(UTC).replace(second=0) + timedelta(minutes=1)
    until = min(found.astimezone(UTC), moment + timedelta(days=2))
    while moment < until:
        assert not matches(moment), moment
        moment += timedelta(minutes=1)
