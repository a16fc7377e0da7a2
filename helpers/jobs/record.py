"""A run as events on disk, and as one value shaped like the Jobs API's `runs/get`.

`work/runs/<run id>/events.jsonl` is append-only and fsynced line by line; :func:`apply` folds the lines into a
:class:`Run`, for the runner while it runs and for every reader afterwards.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from helpers.jobs.errors import RunRecordError
from helpers.runtime.processes import Process

VERSION = 1
EVENTS = "events.jsonl"
FINAL = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
_ENDED = ("result_state", "exit_value", "update", "error", "error_trace", "values", "state_message")


@dataclass(frozen=True)
class State:
    """A state with the Jobs API's names."""

    life_cycle_state: str
    result_state: str | None = None
    state_message: str = ""


@dataclass(frozen=True)
class TaskRun:
    """One attempt of one task; times in milliseconds since 1970.

    `folder` is relative to the run's and holds the attempt's log, output notebook and progress.
    """

    run_id: int
    task_key: str
    attempt_number: int
    type: str
    state: State
    depends_on: tuple[str, ...] = ()
    start_time: int | None = None
    end_time: int | None = None
    exit_value: str | None = None
    update: Mapping[str, Any] | None = None
    error: str | None = None
    error_trace: str | None = None
    values: Mapping[str, Any] | None = None
    folder: str | None = None


@dataclass(frozen=True)
class Run:
    """One run of a job; times in milliseconds since 1970.

    `warnings` are what was wrong with the record itself, `folder` is where it is now.
    """

    run_id: int
    job_id: int
    run_name: str
    state: State
    start_time: int
    job_parameters: Mapping[str, str]
    end_time: int | None = None
    tasks: tuple[TaskRun, ...] = ()
    ignored: tuple[Mapping[str, str], ...] = ()
    notifications: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    runner: Process | None = None
    folder: str | None = None

    def latest(self) -> tuple[TaskRun, ...]:
        """The last attempt of each task, in the definition's order."""
        last: dict[str, TaskRun] = {}
        for task in self.tasks:
            last[task.task_key] = task
        return tuple(last.values())

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-able data."""
        return asdict(self)


class RunLog:
    """Where the runner writes its events; closes with its owner."""

    def __init__(self, folder: Path) -> None:
        self.run: Run | None = None
        self._folder = str(folder)
        self._file = os.open(folder / EVENTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        _sync_folder(folder)

    def add(self, event: Mapping[str, Any], *, now_ms: int) -> Run:
        """Write one event, so that it outlives a crash, and give the run as it is then."""
        written = {"version": VERSION, "time": now_ms, **event}
        line = (json.dumps(written, ensure_ascii=False) + "\n").encode()
        while line:
            line = line[os.write(self._file, line) :]
        os.fsync(self._file)
        self.run = replace(apply(self.run, written), folder=self._folder)
        return self.run

    def close(self) -> None:
        os.close(self._file)


def apply(run: Run | None, event: Mapping[str, Any]) -> Run:
    """Give the run as it is after one more event."""
    kind = event["type"]
    if kind == "run_started":
        return _started(event)
    if run is None:
        raise RunRecordError("the record does not begin with run_started")
    if kind == "run_ended":
        state = State(event["life_cycle_state"], event["result_state"], event.get("state_message", ""))
        return replace(run, state=state, end_time=event["time"])
    if kind == "notified":
        told = {key: item for key, item in event.items() if key not in ("version", "time", "type")}
        return replace(run, notifications=(*run.notifications, told))
    return replace(run, tasks=_with_task(run, event))


def load_run(folder: Path) -> Run:
    """Read a run's record; one whose runner is gone without having ended it says so.

    Damaged lines, such as the last one after a crash, are left out and named in `warnings`. RunRecordError when nothing
    is left.
    """
    run, warnings = None, []
    for number, line in enumerate(_lines(folder), start=1):
        try:
            event = json.loads(line)
            if event["version"] != VERSION:
                raise ValueError(f"version {event['version']} is not {VERSION}")
            run = apply(run, event)
        except (ValueError, KeyError, TypeError, RunRecordError) as error:
            warnings.append(f"line {number} of {folder / EVENTS} is damaged and was left out ({error})")
    if run is None:
        raise RunRecordError(f"{folder / EVENTS} has no whole event; delete the folder {folder}")
    return _with_death(replace(run, warnings=tuple(warnings), folder=str(folder)))


def list_runs(runs: Path) -> list[Run]:
    """Every run whose record can be read, the newest first."""
    found = []
    for folder in sorted(_folders(runs), key=lambda path: int(path.name), reverse=True):
        try:
            found.append(load_run(folder))
        except RunRecordError:
            continue
    return found


def _folders(runs: Path) -> list[Path]:
    return [path for path in runs.iterdir() if path.name.isdigit()] if runs.is_dir() else []


def _lines(folder: Path) -> list[str]:
    try:
        return (folder / EVENTS).read_bytes().decode(errors="replace").splitlines()
    except OSError as error:
        raise RunRecordError(f"there is no record in {folder}: {error.strerror or error}") from None


def _started(event: Mapping[str, Any]) -> Run:
    tasks = tuple(
        TaskRun(
            run_id=task["run_id"],
            task_key=task["task_key"],
            attempt_number=0,
            type=task["type"],
            state=State("BLOCKED" if task["depends_on"] else "PENDING"),
            depends_on=tuple(task["depends_on"]),
        )
        for task in event["tasks"]
    )
    return Run(
        run_id=event["run_id"],
        job_id=event["job_id"],
        run_name=event["run_name"],
        state=State("RUNNING"),
        start_time=event["time"],
        job_parameters=event["job_parameters"],
        tasks=tasks,
        ignored=tuple(event["ignored"]),
        runner=Process(event["pid"], event["process_start"]),
    )


def _with_task(run: Run, event: Mapping[str, Any]) -> tuple[TaskRun, ...]:
    """The run's tasks after a task event; a new attempt goes behind the earlier ones of its task."""
    key, number = event["task_key"], event["attempt_number"]
    tasks = list(run.tasks)
    places = [place for place, task in enumerate(tasks) if task.task_key == key]
    for place in places:
        if tasks[place].attempt_number == number:
            tasks[place] = _changed(tasks[place], event)
            return tuple(tasks)
    last = tasks[places[-1]]
    fresh = TaskRun(event["run_id"], key, number, last.type, State("PENDING"), last.depends_on)
    tasks.insert(places[-1] + 1, _changed(fresh, event))
    return tuple(tasks)


def _changed(task: TaskRun, event: Mapping[str, Any]) -> TaskRun:
    match event["type"]:
        case "task_waiting":
            return replace(task, state=State(event["life_cycle_state"]))
        case "task_started":
            return replace(task, state=State("RUNNING"), start_time=event["time"], folder=event["folder"])
        case "task_ended":
            given = {name: event.get(name) for name in _ENDED}
            state = State("TERMINATED", given.pop("result_state"), given.pop("state_message") or "")
            return replace(task, state=state, end_time=event["time"], **given)
    raise ValueError(f"event '{event['type']}' is unknown")


def _with_death(run: Run) -> Run:
    if run.state.life_cycle_state in FINAL or run.runner is None or run.runner.alive:
        return run
    said = f"the runner (pid {run.runner.pid}) died before the run ended; start the job again"
    died = State("INTERNAL_ERROR", "FAILED", said)
    cut = replace(died, state_message="the runner died")
    tasks = tuple(task if task.state.life_cycle_state in FINAL else replace(task, state=cut) for task in run.tasks)
    return replace(run, state=died, tasks=tasks)


def _sync_folder(folder: Path) -> None:
    """Make the new file's name itself outlive a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
