"""What a task does: one frozen class a kind, each of which can fill in the references in its own parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from helpers.jobs.model import Job, Task

#: Fills in the references of one text.
Fill = Callable[[str], str]
_W = TypeVar("_W", "Pipeline", "RunJob", "SqlFile", "SqlQuery")


@dataclass(frozen=True)
class Notebook:
    """A notebook task's work; `wheels` can be imported in it."""

    path: Path
    base_parameters: Mapping[str, str] = field(default_factory=dict)
    wheels: tuple[Path, ...] = ()
    kind = "notebook"

    @property
    def parameters(self) -> Mapping[str, str]:
        return self.base_parameters

    def filled(self, fill: Fill, pushed: Mapping[str, str]) -> Notebook:
        """The same with its references filled in and the job's parameters, which win, pushed down."""
        return replace(self, base_parameters={**_filled(self.base_parameters, fill), **pushed})


@dataclass(frozen=True)
class Pipeline:
    """A pipeline task's work; `settings` is the pipeline's JSON file.

    `inline` are the settings themselves where `settings` is a bundle's file.
    """

    settings: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    full_refresh: bool = False
    refresh_selection: tuple[str, ...] = ()
    full_refresh_selection: tuple[str, ...] = ()
    inline: Mapping[str, Any] | None = None
    kind = "pipeline"

    def filled(self, fill: Fill, pushed: Mapping[str, str]) -> Pipeline:
        return _with_parameters(self, fill, pushed)


@dataclass(frozen=True)
class Script:
    """A Python file and its command line; the job's parameters do not reach it by themselves."""

    path: Path
    arguments: tuple[str, ...] = ()
    wheels: tuple[Path, ...] = ()
    kind = "spark_python"

    @property
    def parameters(self) -> Mapping[str, str]:
        return {}

    def filled(self, fill: Fill, pushed: Mapping[str, str]) -> Script:
        del pushed
        return replace(self, arguments=tuple(fill(text) for text in self.arguments))


@dataclass(frozen=True)
class Wheel:
    """A package's entry point and its command line; the job's parameters reach it only where it has `named` ones."""

    package: str
    entry_point: str
    arguments: tuple[str, ...] = ()
    named: Mapping[str, str] | None = None
    wheels: tuple[Path, ...] = ()
    kind = "python_wheel"

    @property
    def parameters(self) -> Mapping[str, str]:
        return {}

    @property
    def command_line(self) -> tuple[str, ...]:
        return self.arguments if self.named is None else tuple(f"--{name}={text}" for name, text in self.named.items())

    def filled(self, fill: Fill, pushed: Mapping[str, str]) -> Wheel:
        if self.named is not None:
            return replace(self, named={**_filled(self.named, fill), **pushed})
        return replace(self, arguments=tuple(fill(text) for text in self.arguments))


@dataclass(frozen=True)
class SqlFile:
    """A SQL file's statements; `:name` in them is a parameter."""

    path: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    kind = "sql"

    def filled(self, fill: Fill, pushed: Mapping[str, str]) -> SqlFile:
        return _with_parameters(self, fill, pushed)


@dataclass(frozen=True)
class SqlQuery:
    """A saved query's statements; `path` is its JSON file, and `parameters` win over its own."""

    path: Path
    parameters: Mapping[str, str] = field(default_factory=dict)
    kind = "sql"

    def filled(self, fill: Fill, pushed: Mapping[str, str]) -> SqlQuery:
        return _with_parameters(self, fill, pushed)


@dataclass(frozen=True)
class RunJob:
    """Another job, run by a runner of its own; of the job's parameters those go down that the other one defines."""

    job: Job
    parameters: Mapping[str, str] = field(default_factory=dict)
    kind = "run_job"

    def filled(self, fill: Fill, pushed: Mapping[str, str]) -> RunJob:
        known = {name: value for name, value in pushed.items() if name in self.job.parameters}
        return _with_parameters(self, fill, known)


@dataclass(frozen=True)
class Condition:
    """A comparison; `op` has the Jobs API's values."""

    op: str
    left: str
    right: str
    kind = "condition"


@dataclass(frozen=True)
class ForEach:
    """A task for each element of a JSON list; `inputs` may be a reference to one."""

    inputs: str
    task: Task
    concurrency: int = 1
    kind = "for_each"


#: What runs as a process.
Attempted = Notebook | Pipeline | Script | Wheel | SqlFile | SqlQuery | RunJob
Work = Attempted | Condition | ForEach


def _filled(texts: Mapping[str, str], fill: Fill) -> dict[str, str]:
    return {name: fill(text) for name, text in texts.items()}


def _with_parameters(work: _W, fill: Fill, pushed: Mapping[str, str]) -> _W:
    return replace(work, parameters={**_filled(work.parameters, fill), **pushed})
