"""The question "when would this job start next?", answered from its definition alone."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from helpers.jobs import schedules, schema
from helpers.jobs.errors import JobDefinitionError
from helpers.jobs.model import Job
from helpers.jobs.triggers import FileArrival, Periodic, Schedule, TableUpdate, Trigger, triggers_of

_LOOKED_AT = ("schedule", "trigger", "continuous")


@dataclass(frozen=True)
class NextRuns(Sequence[datetime]):
    """The next times, each in the schedule's own zone; `why` says why there are fewer than asked for, or what holds."""

    times: tuple[datetime, ...] = ()
    why: str = ""

    def __len__(self) -> int:
        return len(self.times)

    def __getitem__(self, place: Any) -> Any:
        return self.times[place]

    def __str__(self) -> str:
        return "\n".join([*map(shown, self.times), *([self.why] if self.why else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def next_fire_times(definition: Mapping[str, Any] | Job, *, after: datetime, count: int = 3) -> NextRuns:
    """Give the next `count` times later than `after` at which the job starts by itself.

    `after` without a time zone is in the schedule's. Only `schedule` and `trigger` are looked at; JobDefinitionError
    with what is wrong in them.
    """
    settings = settings_of(definition) if isinstance(definition, Job) else _checked(definition)
    found = [_next(trigger, after, count) for trigger in triggers_of(settings)]
    if not found:
        return NextRuns(why="The job has no schedule and no trigger: it starts when you start it.")
    times = sorted((time for one in found for time in one.times), key=lambda time: time.astimezone(UTC))
    return NextRuns(tuple(times[:count]), " ".join(dict.fromkeys(one.why for one in found if one.why)))


def settings_of(job: Job) -> dict[str, Any]:
    """A checked job's settings as the Jobs API has them."""
    return job.settings.as_dict()


def shown(moment: datetime) -> str:
    """A time as people read it: day of the week, date, time and offset."""
    return f"{moment:%a} {moment.isoformat(sep=' ', timespec='seconds')}"


def _next(trigger: Trigger, after: datetime, count: int) -> NextRuns:
    if trigger.paused:
        return NextRuns(why="It is paused: nothing starts until pause_status is UNPAUSED.")
    match trigger:
        case Schedule():
            return _of_schedule(trigger, _aware(after, ZoneInfo(trigger.timezone)), count)
        case Periodic():
            start = _aware(after, UTC)
            times = [trigger.next_after(start, since=start)]
            while len(times) < count:
                times.append(trigger.next_after(times[-1], since=start))
            said = f"Every {trigger.words}: Databricks chooses the first time, and these count from {shown(start)}."
            return NextRuns(tuple(times[:count]), said)
        case FileArrival():
            return NextRuns(why=f"It starts when new files arrive in {trigger.url}, and not at a time.")
        case TableUpdate():
            which = "all" if trigger.all else "any"
            return NextRuns(why=f"It starts when {which} of {', '.join(trigger.tables)} changed, and not at a time.")


def _of_schedule(schedule: Schedule, after: datetime, count: int) -> NextRuns:
    times: list[datetime] = []
    following = schedule.next_after(after)
    while following is not None and len(times) < count:
        times.append(following)
        following = schedule.next_after_run(following)
    ends = "It never fires after that." if times else "It never fires again."
    return NextRuns(tuple(times), ends if len(times) < count else "")


def _aware(moment: datetime, zone: Any) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _checked(definition: Mapping[str, Any]) -> dict[str, Any]:
    from databricks.sdk.service.jobs import JobSettings

    given = schema.without_empty({name: definition[name] for name in _LOOKED_AT if name in definition})
    settings, mistakes = schema.check(given, JobSettings)
    mistakes += schedules.mistakes(settings)
    if mistakes:
        raise JobDefinitionError(mistakes, source=Path(str(definition.get("name", "the job"))))
    return settings
