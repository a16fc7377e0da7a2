"""The attempts of each task of one run: when they ran, what they waited for, and which tasks decided the time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from helpers.charts.inputs import RunDict, TaskRunDict

NO_RUN_YET = "Run the job: python3 -m helpers run"

Tasks = Mapping[str, Sequence[TaskRunDict]]


@dataclass(frozen=True)
class Link:
    """One task of the path that decided a run's time, in seconds."""

    task_key: str
    waited: float
    ran: float


def by_task(run: RunDict) -> dict[str, list[TaskRunDict]]:
    """Return the attempts of each task, first attempt first, in the order in which the record names the tasks."""
    grouped: dict[str, list[TaskRunDict]] = defaultdict(list)
    for entry in run.get("tasks") or []:
        grouped[str(entry.get("task_key", ""))].append(entry)
    for attempts in grouped.values():
        attempts.sort(key=lambda entry: entry.get("attempt_number") or 0)
    return dict(grouped)


def limits(run: RunDict) -> tuple[int, int]:
    """Return the first and last moment that the record knows, in epoch milliseconds."""
    entries = run.get("tasks") or []
    known = [
        moment for entry in (run, *entries) for moment in (entry.get("start_time"), entry.get("end_time")) if moment
    ]
    begin = run.get("start_time") or min(known, default=0)
    return begin, max(known, default=begin)


def spent(entry: TaskRunDict, end: int) -> float:
    """Return the seconds of an attempt; one that still runs ends at `end`, one that never started took none."""
    start = entry.get("start_time")
    return max((entry.get("end_time") or end) - start, 0) / 1000 if start else 0.0


def waits(key: str, tasks: Tasks, run: RunDict) -> list[tuple[int, int]]:
    """Return from when to when a task was free to start and did not: after its upstream tasks, and before each retry.

    Nobody waits between the end of a run and its repair.
    """
    upstream = [entry for one in tasks[key][0].get("depends_on") or [] for entry in tasks.get(one, ())]
    free = [limits(run)[0], *_repairs(run), *(entry.get("end_time") or 0 for entry in upstream)]
    found: list[tuple[int, int]] = []
    for entry in tasks[key]:
        start = entry.get("start_time")
        ready = max((moment for moment in free if start and moment <= start), default=start)
        if start and ready and start > ready:
            found.append((ready, start))
        free.append(entry.get("end_time") or 0)
    return found


def deciding_path(run: RunDict) -> tuple[Link, ...]:
    """Return the chain of tasks that decided how long a run took, first task first; of a repaired run, its last repair.

    It goes back from the task that ended last, each time to the upstream task that ended last, so that waits count. A
    task that still runs ends where the record does.
    """
    tasks, end = by_task(run), limits(run)[1]
    begin = max(_repairs(run), default=limits(run)[0] + (run.get("queue_duration") or 0))
    ran = {key: [one for one in entries if (one.get("start_time") or 0) >= begin] for key, entries in tasks.items()}
    started = [key for key, entries in ran.items() if entries]
    if not started:
        return ()
    ends = {key: entries[-1].get("end_time") or end for key, entries in tasks.items()}
    key: str | None = max(started, key=lambda one: (ends[one], -(ran[one][0].get("start_time") or 0)))
    path: list[Link] = []
    while key is not None and key not in {link.task_key for link in path}:
        upstream = [one for one in tasks[key][-1].get("depends_on") or [] if one in tasks and ends[one] >= begin]
        before = max(upstream, key=lambda one: (ends[one], bool(ran[one])), default=None)
        work = sum(spent(entry, end) for entry in ran[key])
        whole = (ends[key] - (ends[before] if before else begin)) / 1000
        path.append(Link(key, max(round(whole - work, 3), 0.0), work))
        key = before
    return tuple(reversed(path))


def _repairs(run: RunDict) -> list[int]:
    """Return when each repair of a run started."""
    history = run.get("repair_history") or []
    return [one["start_time"] for one in history if one.get("type") == "REPAIR" and one.get("start_time")]
