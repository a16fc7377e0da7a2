"""A job as the runner sees it: what its definition says once everything in it has been checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.jobs.plan import Node


@dataclass(frozen=True)
class Emails:
    """Who is told what, by e-mail."""

    on_start: tuple[str, ...] = ()
    on_success: tuple[str, ...] = ()
    on_failure: tuple[str, ...] = ()
    no_alert_for_skipped_runs: bool = False
    no_alert_for_canceled_runs: bool = False
    alert_on_last_attempt: bool = False


@dataclass(frozen=True)
class Notebook:
    """A notebook task's work."""

    path: Path
    base_parameters: Mapping[str, str] = field(default_factory=dict)
    kind = "notebook"

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.base_parameters


@dataclass(frozen=True)
class Pipeline:
    """A pipeline task's work; `settings` is the pipeline's JSON file."""

    settings: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    full_refresh: bool = False
    refresh_selection: tuple[str, ...] = ()
    full_refresh_selection: tuple[str, ...] = ()
    kind = "pipeline"


@dataclass(frozen=True)
class Task:
    """One task; times as the Jobs API has them: seconds for the time-out (0 is none), milliseconds between attempts."""

    key: str
    work: Notebook | Pipeline
    depends_on: tuple[str, ...] = ()
    run_if: str = "ALL_SUCCESS"
    max_retries: int = 0
    min_retry_interval_millis: int = 0
    retry_on_timeout: bool = False
    timeout_seconds: int = 0
    emails: Emails = Emails()

    @property
    def node(self) -> Node:
        return Node(self.key, self.depends_on, self.run_if)


@dataclass(frozen=True)
class Ignored:
    """A setting that means nothing on one machine, and why."""

    path: str
    why: str


@dataclass(frozen=True)
class Job:
    """One job. `settings` is the SDK's own `JobSettings`; `ignored` must be shown to whoever runs it."""

    name: str
    source: Path
    tasks: tuple[Task, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int = 0
    max_concurrent_runs: int = 1
    emails: Emails = Emails()
    tags: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[Ignored, ...] = ()
    settings: Any = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(task.node for task in self.tasks)

    def task(self, key: str) -> Task:
        """The task of this key; KeyError when the job has none."""
        for task in self.tasks:
            if task.key == key:
                return task
        raise KeyError(key)
