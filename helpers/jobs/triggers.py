"""What starts a job by itself, and the rules by which it does: pure, so that every case can be tested without waiting.

A schedule and a periodic trigger know their next time. A file-arrival and a table-update trigger look about once a
minute, and decide from what they see and what they remember; times are milliseconds since 1970. The rules are those of
https://docs.databricks.com/aws/en/jobs/triggers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from helpers.jobs import quartz
from helpers.jobs.firing import next_fire

#: How many seconds Databricks keeps between two runs of a schedule, whatever its expression says.
LEAST_BETWEEN = 10
_UNITS = {"MINUTES": 60, "HOURS": 3600, "DAYS": 86400, "WEEKS": 7 * 86400}


@dataclass(frozen=True)
class Fire:
    """A run that is due: why, in words, and what its references to `job.trigger` stand for."""

    why: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Schedule:
    """A Quartz expression in its time zone."""

    expression: str
    timezone: str
    paused: bool = False

    def next_after(self, moment: datetime) -> datetime | None:
        return next_fire(quartz.parse(self.expression), after=moment, zone=ZoneInfo(self.timezone))

    def next_after_run(self, fired: datetime) -> datetime | None:
        """The first time after a run that was due at `fired`."""
        return self.next_after(fired + timedelta(seconds=LEAST_BETWEEN - 1))

    def fire(self) -> Fire:
        return Fire(f"its schedule '{self.expression}' ({self.timezone})", {"type": "periodic"})


@dataclass(frozen=True)
class Periodic:
    """Every so many seconds, counted from a time that is not the definition's: the one at which watching began."""

    seconds: int
    words: str
    paused: bool = False

    def next_after(self, moment: datetime, *, since: datetime) -> datetime:
        step = timedelta(seconds=self.seconds)
        return since + ((moment - since) // step + 1) * step

    def fire(self) -> Fire:
        return Fire(f"every {self.words}", {"type": "periodic"})


@dataclass(frozen=True)
class Memory:
    """What a trigger remembers over a restart: what its last run knew of, what came since, and when.

    `known` and `pending` are files with their size and time, or tables with their version. `changed` is when `pending`
    last became another, `fired` when the trigger last started a run.
    """

    known: Mapping[str, Any]
    pending: Mapping[str, Any] = field(default_factory=dict)
    changed: int = 0
    fired: int | None = None


@dataclass(frozen=True)
class FileArrival:
    """New files in a folder; `least` and `wait` are seconds between runs, and since the last change."""

    url: str
    least: int = 0
    wait: int = 0
    paused: bool = False

    def news(self, known: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
        """The files that are new; one that is written over is not."""
        return {path: stamp for path, stamp in seen.items() if path not in known}

    def enough(self, news: Mapping[str, Any]) -> bool:
        return bool(news)

    def fire(self, news: Mapping[str, Any]) -> Fire:
        names = sorted(news)
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        return Fire(f"new in {self.url}: {names[0]}{more}", {"type": "file_arrival"})


@dataclass(frozen=True)
class TableUpdate:
    """Tables whose data changed, any of them or all; `least` and `wait` as above."""

    tables: tuple[str, ...]
    all: bool = False
    least: int = 0
    wait: int = 0
    paused: bool = False

    def news(self, known: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
        """The tables with other data than the last run knew of; one that is not there any more is not news."""
        return {name: version for name, version in seen.items() if known.get(name) != version}

    def enough(self, news: Mapping[str, Any]) -> bool:
        return news.keys() >= set(self.tables) if self.all else bool(news)

    def fire(self, news: Mapping[str, Any]) -> Fire:
        updated = [name for name in self.tables if name in news]
        said = ", ".join(f"{name} (version {news[name]})" for name in updated)
        return Fire(f"updated: {said}", {"type": "table", "table_update.updated_tables": json.dumps(updated)})


Watched = FileArrival | TableUpdate
Trigger = Schedule | Periodic | FileArrival | TableUpdate


def decide(
    trigger: Watched, memory: Memory | None, seen: Mapping[str, Any], *, now_ms: int
) -> tuple[Memory, Fire | None]:
    """Say what a look at files or tables means: what to remember from now on, and the run that is due, if any.

    Without a memory everything that is there counts as known: it was there before anybody watched.
    """
    if memory is None:
        return Memory(dict(seen)), None
    news = trigger.news(memory.known, seen)
    changed = memory.changed if news == memory.pending else now_ms
    rested = now_ms - changed >= trigger.wait * 1000
    allowed = memory.fired is None or now_ms - memory.fired >= trigger.least * 1000
    if trigger.enough(news) and rested and allowed:
        return Memory(_kept(trigger, memory, seen) | seen, fired=now_ms), trigger.fire(news)
    return replace(memory, known=_kept(trigger, memory, seen), pending=news, changed=changed), None


def triggers_of(settings: Mapping[str, Any]) -> tuple[Trigger, ...]:
    """Give what starts the job of checked settings by itself: none, its schedule, its trigger."""
    found: list[Trigger] = []
    if schedule := settings.get("schedule"):
        paused = schedule.get("pause_status") == "PAUSED"
        found.append(Schedule(schedule["quartz_cron_expression"], schedule["timezone_id"], paused))
    if trigger := settings.get("trigger"):
        found.append(_trigger(trigger, paused=trigger.get("pause_status") == "PAUSED"))
    return tuple(found)


def in_utc(milliseconds: int) -> datetime:
    """The same time as a datetime."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _trigger(trigger: Mapping[str, Any], *, paused: bool) -> Trigger:
    if periodic := trigger.get("periodic"):
        words = f"{periodic['interval']} {periodic['unit'].lower()}"
        return Periodic(periodic["interval"] * _UNITS[periodic["unit"]], words, paused)
    settings = trigger.get("file_arrival") or trigger["table_update"]
    waits = [settings.get(name, 0) for name in ("min_time_between_triggers_seconds", "wait_after_last_change_seconds")]
    if "file_arrival" in trigger:
        return FileArrival(settings["url"], *waits, paused)
    every = settings.get("condition") == "ALL_UPDATED"
    return TableUpdate(tuple(settings["table_names"]), every, *waits, paused)


def _kept(trigger: Watched, memory: Memory, seen: Mapping[str, Any]) -> dict[str, Any]:
    """What is still known: a file that is gone is forgotten, so that it is new when it comes again."""
    if isinstance(trigger, TableUpdate):
        return dict(memory.known)
    return {path: stamp for path, stamp in memory.known.items() if path in seen}
