"""What the runner knows of each task while a run goes on: its attempts and ids, its result, what it left for others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from helpers.jobs.attempt import Outcome
from helpers.jobs.model import Task
from helpers.jobs.references import NO_INPUT, Done


@dataclass(frozen=True)
class Unit:
    """What can run as a process: a task, or one iteration of a for-each task, whose key is `owner`.

    `key` is the runner's own name for it: `load`, or `load.3` for an iteration, since no task's key has a dot.
    """

    key: str
    task: Task
    owner: str
    iteration: int | None = None
    input: Any = NO_INPUT

    @classmethod
    def of_task(cls, task: Task) -> Unit:
        return cls(task.key, task, task.key)

    @classmethod
    def of_iteration(cls, owner: str, task: Task, place: int, element: Any) -> Unit:
        return cls(f"{owner}.{place}", task, owner, place, element)

    @property
    def where(self) -> dict[str, Any]:
        """What an event says so that its reader finds the iteration."""
        if self.iteration is None:
            return {}
        nested = {"task_key": self.task.key, "type": self.task.work.kind, "input": self.input}
        return {"iteration": self.iteration, "nested": nested}


@dataclass
class Book:
    """Attempts and ids by unit; results, outcomes and what references can ask by task.

    `first` is the number of a unit's first attempt, which is more than 0 in a repair: retries count from there.
    """

    next_id: int
    attempts: dict[str, int] = field(default_factory=dict)
    first: dict[str, int] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    values: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    done: dict[str, Done] = field(default_factory=dict)

    def enter(self, key: str, *, number: int = 0) -> None:
        """Give a unit that will run its id."""
        self.attempts[key] = self.first[key] = number
        self.ids[key], self.next_id = self.next_id, self.next_id + 1

    def retry(self, key: str) -> None:
        """Give a unit's next attempt its number and id."""
        self.attempts[key] += 1
        self.ids[key], self.next_id = self.next_id, self.next_id + 1

    def retries(self, key: str) -> int:
        """How often a unit has been tried again so far."""
        return self.attempts[key] - self.first[key]

    def end(self, key: str, outcome: Outcome) -> None:
        """Keep a task's final result."""
        self.results[key] = outcome.result_state
        if outcome.outcome is not None:
            self.outcomes[key] = outcome.outcome
        self.done[key] = Done(
            outcome.result_state,
            run_id=self.ids[key],
            execution_count=self.attempts[key] + 1,
            values=self.values.get(key, {}),
            rows=(outcome.output or {}).get("rows"),
        )
