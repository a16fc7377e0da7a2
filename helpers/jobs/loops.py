"""A for-each task's iterations: what it goes through, which may start, and what it becomes; pure.

Imitates https://docs.databricks.com/jobs/for-each.html.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.jobs.errors import LoopInputError
from helpers.jobs.model import Task
from helpers.jobs.work import ForEach

_INSTEAD = "; list keys here, and let the task look up what belongs to each"
#: How long the inputs may be in a definition, and how large when a task's value brings them.
MOST_CHARACTERS, MOST_BYTES = 10_000, 48 * 1024


def elements(text: str) -> list[Any]:
    """Read a for-each task's inputs; LoopInputError when that is no JSON list, or larger than a task's value may be."""
    if (size := len(text.encode())) > MOST_BYTES:
        raise LoopInputError(f"the inputs of a for-each task have at most {MOST_BYTES} bytes, not {size}{_INSTEAD}")
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        shown = text if len(text) <= 80 else text[:77] + "..."
        raise LoopInputError(f'the inputs of a for-each task are a JSON list, such as [1, 2] or ["a"], not {shown!r}')
    return found


def too_long(text: str) -> str | None:
    """Say what is wrong with the length of inputs that a definition spells out."""
    if len(text) <= MOST_CHARACTERS:
        return None
    return f"inputs in a definition have at most {MOST_CHARACTERS} characters, not {len(text)}{_INSTEAD}"


@dataclass
class Loop:
    """The iterations of one for-each task while it runs; `results` has the final state of those that have ended."""

    task: Task
    inputs: Sequence[Any]
    results: dict[int, str] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)
    stopped: bool = False

    @property
    def work(self) -> ForEach:
        assert isinstance(self.task.work, ForEach), "only for-each tasks have iterations"
        return self.task.work

    @property
    def ended(self) -> bool:
        return len(self.results) == len(self.inputs)

    def may_run(self) -> list[int]:
        """The iterations that run, wait for a retry or may begin, the first ones first."""
        active = sorted(self.begun - self.results.keys())
        free = self.work.concurrency - len(active)
        waiting = [place for place in range(len(self.inputs)) if place not in self.begun]
        return active + waiting[: max(0, free)]

    def end(self, place: int, result: str, error: str | None) -> None:
        """Take in an iteration's last attempt."""
        self.results[place] = result
        if result != "SUCCESS" and error:
            self.errors.append(f"iteration {place}: {error}")

    @property
    def result(self) -> str:
        """What the for-each task itself becomes: one iteration that fails fails it, after the others have run."""
        if self.stopped:
            return "CANCELED"
        return "SUCCESS" if all(result == "SUCCESS" for result in self.results.values()) else "FAILED"

    @property
    def error(self) -> str | None:
        bad = sum(result != "SUCCESS" for result in self.results.values())
        if not bad:
            return None
        said = f"; {self.errors[0]}" if self.errors else ""
        return f"{bad} of {len(self.inputs)} iterations did not succeed{said}"

    @property
    def stats(self) -> dict[str, int]:
        """The counts that the Jobs API gives of a for-each task's iterations."""
        good = sum(result == "SUCCESS" for result in self.results.values())
        return {
            "total_iterations": len(self.inputs),
            "completed_iterations": len(self.results),
            "succeeded_iterations": good,
            "failed_iterations": len(self.results) - good,
        }
