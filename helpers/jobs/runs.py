"""A run as one value, shaped like the Jobs API's `runs/get`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from helpers.runtime.processes import Process

FINAL = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})


@dataclass(frozen=True)
class State:
    """A state with the Jobs API's names."""

    life_cycle_state: str
    result_state: str | None = None
    state_message: str = ""

    @property
    def final(self) -> bool:
        return self.life_cycle_state in FINAL

    @property
    def word(self) -> str:
        """The one word that tells it: the result once there is one."""
        return self.result_state or self.life_cycle_state


@dataclass(frozen=True)
class TaskRun:
    """One attempt of one task; times in milliseconds since 1970.

    `folder` is relative to the run's and holds the attempt's log, output notebook and progress. `outcome` is a
    condition task's, `output` a SQL task's rows or the run that a run-job task started, `iterations` are a for-each
    task's: each has its number, from 0, and its `input`.
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
    outcome: str | None = None
    output: Mapping[str, Any] | None = None
    iterations: tuple[TaskRun, ...] = ()
    iteration: int | None = None
    input: Any = None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs, and when it never ran."""
        if self.start_time is None or self.end_time is None:
            return None
        return (self.end_time - self.start_time) / 1000


@dataclass(frozen=True)
class RepairHistoryItem:
    """The original run (`id` is None) or one repair of it; `task_run_ids` are those that ran in it."""

    type: str
    start_time: int
    id: int | None = None
    end_time: int | None = None
    state: State = State("RUNNING")
    task_run_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Run:
    """One run of a job; times in milliseconds since 1970.

    `warnings` are what was wrong with the record itself, `folder` is where it is now, `queue_duration` the milliseconds
    that it waited for a place, `duration_warnings` what took longer than its health rule allows, `trigger` what started
    it: `type` is one_time, periodic, file_arrival, table or run_job_task.
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
    source: str | None = None
    queue_duration: int | None = None
    duration_warnings: tuple[str, ...] = ()
    repair_history: tuple[RepairHistoryItem, ...] = ()
    trigger: Mapping[str, str] = field(default_factory=dict)

    def latest(self) -> tuple[TaskRun, ...]:
        """The last attempt of each task, in the definition's order."""
        last: dict[str, TaskRun] = {}
        for task in self.tasks:
            last[task.task_key] = task
        return tuple(last.values())

    def task(self, key: str) -> TaskRun:
        """The last attempt of one task; KeyError when the run has none of this key."""
        for task in self.latest():
            if task.task_key == key:
                return task
        raise KeyError(key)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-able data."""
        return asdict(self)

    def text(self) -> str:
        """Say how each task ended and how long it took, as plain text."""
        from helpers.jobs.shown import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from helpers.jobs.shown import as_html

        return as_html(self)

    def _ipython_display_(self) -> None:
        """Show the table, the timeline and the tasks' graph, which go on with a run that is under way."""
        from helpers.jobs.shown import show

        show(self)
