"""A job as the runner sees it: what its definition says once everything in it has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.jobs.plan import Node
from helpers.jobs.work import Condition, ForEach, Notebook, Pipeline, RunJob, Script, SqlFile, SqlQuery, Wheel, Work

__all__ = [
    "Condition", "ForEach", "Ignored", "Job", "Notebook", "Notifications", "Pipeline", "RunJob", "Script", "SqlFile",
    "SqlQuery", "Task", "Wheel", "Work",
]  # fmt: skip


@dataclass(frozen=True)
class Notifications:
    """Who is told what: mail addresses, and by event the ids of webhooks."""

    on_start: tuple[str, ...] = ()
    on_success: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    on_duration_warning_threshold_exceeded: tuple[str, ...] = ()
    webhooks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    no_alert_for_skipped_runs: bool = False
    no_alert_for_canceled_runs: bool = False
    alert_on_last_attempt: bool = False


@dataclass(frozen=True)
class Task:
    """One task; times as the Jobs API has them: seconds for the time-out (0 is none), milliseconds between attempts.

    `outcomes` says of a condition task that it depends on which outcome it needs. `warn_after_seconds` is its health
    rule (0 is none).
    """

    key: str
    work: Work
    depends_on: tuple[str, ...] = ()
    run_if: str = "ALL_SUCCESS"
    max_retries: int = 0
    min_retry_interval_millis: int = 0
    retry_on_timeout: bool = False
    timeout_seconds: int = 0
    notifications: Notifications = Notifications()
    outcomes: Mapping[str, str] = field(default_factory=dict)
    warn_after_seconds: int = 0

    @property
    def node(self) -> Node:
        return Node(self.key, self.depends_on, self.run_if, self.outcomes)


@dataclass(frozen=True)
class Ignored:
    """A setting that means nothing on one machine, and why."""

    path: str
    why: str


@dataclass(frozen=True)
class Job:
    """One job. `settings` is the SDK's own `JobSettings`; `ignored` must be shown to whoever runs it.

    `resource` is its key in a bundle; `queue` says that a run which is one too many waits.
    """

    name: str
    source: Path
    tasks: tuple[Task, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int = 0
    max_concurrent_runs: int = 1
    notifications: Notifications = Notifications()
    tags: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()
    settings: Any = None
    queue: bool = False
    warn_after_seconds: int = 0
    resource: str = ""

    @property
    def identity(self) -> str:
        """What its number belongs to: its file and, in a bundle, its key there."""
        return f"{self.source}#{self.resource}" if self.resource else str(self.source)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(task.node for task in self.tasks)

    def task(self, key: str) -> Task:
        """The task of this key; KeyError when the job has none."""
        for task in self.tasks:
            if task.key == key:
                return task
        raise KeyError(key)
