"""What is wrong with a job's schedule or trigger, which `watch` obeys, and with its continuous mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from helpers.jobs import quartz
from helpers.jobs.errors import MissingField, Mistake, NotSupported, WrongValue
from helpers.jobs.schema import nearest

_KINDS = ("file_arrival", "periodic", "table_update")
_SHORTEST = 60
_MOST_TABLES = 10


def mistakes(settings: Mapping[str, Any]) -> Iterator[Mistake]:
    """Everything wrong with when the job starts."""
    if "schedule" in settings and "continuous" in settings:
        yield WrongValue("a job has a schedule or is continuous, not both", path="continuous")
    if "continuous" in settings:
        said = "a continuous job is not supported here; give it a schedule or a trigger, which `watch` obeys"
        yield NotSupported(said, path="continuous")
    yield from _schedule(settings.get("schedule", {}))
    yield from _trigger(settings.get("trigger"))


def _schedule(schedule: Mapping[str, Any]) -> Iterator[Mistake]:
    if "sql_condition" in schedule:
        yield NotSupported("sql_condition is not supported here", path="schedule.sql_condition")
    for said in quartz.problems(schedule.get("quartz_cron_expression", "0 0 0 * * ?")):
        yield WrongValue(said, path="schedule.quartz_cron_expression")
    try:
        ZoneInfo(schedule.get("timezone_id", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, OSError, RecursionError):
        name = schedule["timezone_id"]
        said = f"'{name}' is no time zone, such as 'Europe/Berlin' or 'UTC'{_nearest_zone(name)}"
        yield WrongValue(said, path="schedule.timezone_id")


def _nearest_zone(name: str) -> str:
    zones = sorted(available_timezones())
    of_city = [zone for zone in zones if zone.rpartition("/")[2].lower() == name.lower().replace(" ", "_")]
    return f"; did you mean '{of_city[0]}'?" if of_city else nearest(name, zones)


def _trigger(trigger: Mapping[str, Any] | None) -> Iterator[Mistake]:
    if trigger is None:
        return
    for kind in trigger.keys() - {*_KINDS, "pause_status"}:
        yield NotSupported(f"{kind} is not known here; there are {', '.join(_KINDS)}", path=f"trigger.{kind}")
    kinds = [kind for kind in _KINDS if kind in trigger]
    if len(kinds) != 1:
        said = f"a trigger has one of {', '.join(_KINDS)}; this one has {' and '.join(kinds) or 'none'}"
        yield (WrongValue if kinds else MissingField)(said, path="trigger")
    for kind in kinds:
        yield from _waits(trigger[kind], f"trigger.{kind}")
    tables = trigger.get("table_update", {}).get("table_names", ())
    if len(tables) > _MOST_TABLES:
        said = f"a trigger watches at most {_MOST_TABLES} tables, not {len(tables)}"
        yield WrongValue(said, path="trigger.table_update.table_names")
    if set("*?[") & set(trigger.get("file_arrival", {}).get("url", "")):
        yield WrongValue("a folder is watched by its path, without wildcards", path="trigger.file_arrival.url")
    if trigger.get("periodic", {}).get("interval", 1) < 1:
        yield WrongValue("the interval is 1 or more", path="trigger.periodic.interval")


def _waits(trigger: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for field in ("min_time_between_triggers_seconds", "wait_after_last_change_seconds"):
        if trigger.get(field, _SHORTEST) < _SHORTEST:
            yield WrongValue(f"{trigger[field]} is not {_SHORTEST} or more", path=f"{path}.{field}")
