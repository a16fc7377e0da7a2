"""The triggers of one job while they are watched: each says when to look at it next, and gives the run that is due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from helpers.jobs.model import Job
from helpers.jobs.observing import files_in, folder_of, table_folder, versions_of
from helpers.jobs.triggers import FileArrival, Fire, Memory, Periodic, Schedule, Trigger, Watched, decide, in_utc
from helpers.jobs.upcoming import shown
from helpers.jobs.watch_memory import Shelf
from helpers.runtime.places import Places

#: About as often as Databricks looks for files and tables.
LOOK_EVERY_MS = 60_000


class Source(Protocol):
    """One trigger; `due` is when to look at it next, in milliseconds since 1970, None when it never fires again."""

    due: int | None

    def look(self, now_ms: int) -> Fire | None:
        """Give the run that is due now."""

    def said(self) -> str:
        """What it waits for, in words."""


@dataclass
class Clockwork:
    """A schedule or a periodic trigger; `following` gives the time after a run that started at another."""

    trigger: Schedule | Periodic
    following: Callable[[datetime], datetime | None]
    due: int | None

    def look(self, now_ms: int) -> Fire | None:
        if self.due is None or now_ms < self.due:
            return None
        # What was missed while the machine slept is made up for, once.
        planned, self.due = self.due, _milliseconds(self.following(in_utc(now_ms)))
        late = f", which was due {self._shown(planned)}" if now_ms - planned > LOOK_EVERY_MS else ""
        fire = self.trigger.fire()
        return replace(fire, why=fire.why + late)

    def said(self) -> str:
        return "its schedule never fires again" if self.due is None else f"next run: {self._shown(self.due)}"

    def _shown(self, milliseconds: int) -> str:
        zone = self.trigger.timezone if isinstance(self.trigger, Schedule) else "UTC"
        return f"{shown(in_utc(milliseconds).astimezone(ZoneInfo(zone)))} ({zone})"


@dataclass
class Lookout:
    """A file-arrival or table-update trigger; `observe` gives what is there, None when that cannot be said now.

    `place` is what it looks at, in words; `values` are references that each of its runs gets.
    """

    trigger: Watched
    observe: Callable[[], Mapping[str, Any] | None]
    keep: Callable[[Memory], None]
    memory: Memory | None
    place: str
    values: Mapping[str, str]
    due: int | None = 0

    def look(self, now_ms: int) -> Fire | None:
        if self.due is not None and now_ms < self.due:
            return None
        self.due = now_ms + LOOK_EVERY_MS
        seen = self.observe()
        if seen is None and self.memory is not None:
            return None
        memory, fire = decide(self.trigger, self.memory, seen or {}, now_ms=now_ms)
        if memory != self.memory:
            # Before the run starts: what started a run starts no second one, whatever happens now.
            self.keep(memory)
            self.memory = memory
        return fire and replace(fire, values={**fire.values, **self.values})

    def said(self) -> str:
        return f"looking at {self.place} about every minute"


def source_of(
    trigger: Trigger, job: Job, memory: Path, *, places: Places, now_ms: int, say: Callable[[str], None]
) -> Source:
    """Make the source of one trigger; `memory` is the file of what it has seen. WatchError for what is not here."""
    if isinstance(trigger, Schedule):
        return Clockwork(trigger, trigger.next_after_run, _milliseconds(trigger.next_after(in_utc(now_ms))))
    if isinstance(trigger, Periodic):
        return _periodic(trigger, Shelf(memory, {"periodic": trigger.seconds}, say=say), now_ms)
    if isinstance(trigger, FileArrival):
        folder = folder_of(trigger.url, base=job.source.parent, places=places).resolve()
        shelf = Shelf(memory, {"file_arrival": str(folder)}, say=say)
        there = "" if folder.is_dir() else " (not there yet)"
        values = {"file_arrival.location": str(folder)}
        return _lookout(trigger, shelf, lambda: files_in(folder), f"the files in {folder}{there}", values, now_ms)
    missing = [name for name in trigger.tables if not table_folder(name, places=places).is_dir()]
    named = ", ".join(f"{name} (not there yet)" if name in missing else name for name in trigger.tables)
    shelf = Shelf(memory, {"table_update": sorted(trigger.tables)}, say=say)
    tables = trigger.tables
    return _lookout(trigger, shelf, lambda: versions_of(tables, places=places), f"table {named}", {}, now_ms)


def _periodic(trigger: Periodic, shelf: Shelf, now_ms: int) -> Clockwork:
    since, _ = shelf.read()
    if since is None:
        since = now_ms
        shelf.write(since, None)
    start = in_utc(since)

    def following(moment: datetime) -> datetime:
        return trigger.next_after(moment, since=start)

    return Clockwork(trigger, following, _milliseconds(following(in_utc(now_ms))))


def _lookout(
    trigger: Watched,
    shelf: Shelf,
    observe: Callable[[], Mapping[str, Any] | None],
    place: str,
    values: Mapping[str, str],
    now_ms: int,
) -> Lookout:
    since, memory = shelf.read()
    began = now_ms if since is None else since
    return Lookout(trigger, observe, lambda kept: shelf.write(began, kept), memory, place, values)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
