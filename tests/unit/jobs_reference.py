"""How a run must end, worked out from the documentation's sentences alone; none of the runner's code is used.

https://docs.databricks.com/jobs/run-if.html, and for repairs https://docs.databricks.com/jobs/repair-job-failures.html.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: How each attempt of a task, or of an iteration (`key:input`), ends; the last entry holds for all later ones.
Ends = Mapping[str, Sequence[str]]

_RESULT = {"ok": "SUCCESS", "fail": "FAILED", "die": "FAILED", "cancel": "CANCELED", "hang": "TIMEDOUT"}


@dataclass(frozen=True)
class Ending:
    """A task's state, the state of each attempt, and the attempts of each iteration; no attempt: it did not run."""

    state: str
    attempts: tuple[str, ...] = ()
    iterations: tuple[tuple[str, ...], ...] = ()
    outcome: str | None = None


#: What the documentation says of each rule, over counts of good, failed and excluded dependencies (excluded ones are
#: among the good); the second text is the state of a task whose rule is not met.
_RULES: Mapping[str, tuple[Callable[[int, int, int], bool], str]] = {
    "ALL_SUCCESS": (lambda good, failed, excluded: failed == 0, "UPSTREAM_FAILED"),
    "AT_LEAST_ONE_SUCCESS": (lambda good, failed, excluded: good > 0, "UPSTREAM_FAILED"),
    "NONE_FAILED": (lambda good, failed, excluded: failed == 0 and good > excluded, "UPSTREAM_FAILED"),
    "ALL_DONE": (lambda good, failed, excluded: True, ""),
    "AT_LEAST_ONE_FAILED": (lambda good, failed, excluded: failed > 0, "EXCLUDED"),
    "ALL_FAILED": (lambda good, failed, excluded: good == 0, "EXCLUDED"),
}


class Reference:
    """The states of one run; `kept` are those of tasks that a repair does not run again."""

    def __init__(self, definition: Mapping[str, Any], ends: Ends, kept: Mapping[str, Ending] | None = None) -> None:
        self._tasks = {task["task_key"]: task for task in definition["tasks"]}
        self._ends = ends
        self._known = dict(kept or {})

    def tasks(self) -> dict[str, Ending]:
        """Every task's end."""
        return {key: self.task(key) for key in self._tasks}

    def task(self, key: str) -> Ending:
        """One task's end, for which those that it waits for are worked out first."""
        if key not in self._known:
            self._known[key] = self._end(self._tasks[key])
        return self._known[key]

    def run(self) -> str:
        """The run's result: its leaves decide, and a failure elsewhere shows in the name of the success."""
        waited_for = {entry["task_key"] for task in self._tasks.values() for entry in task.get("depends_on", ())}
        bad = {key for key, ending in self.tasks().items() if ending.state not in ("SUCCESS", "EXCLUDED")}
        if bad - waited_for:
            return "FAILED"
        return "SUCCESS_WITH_FAILURES" if bad else "SUCCESS"

    def _end(self, task: Mapping[str, Any]) -> Ending:
        left_out = self._left_out(task)
        if left_out:
            return Ending(left_out)
        if "condition_task" in task:
            return self._condition(task["condition_task"])
        if "for_each_task" in task:
            return self._loop(task["for_each_task"])
        attempts = self._attempts(task, task["task_key"])
        return Ending(attempts[-1], attempts)

    def _left_out(self, task: Mapping[str, Any]) -> str | None:
        """The state of a task that must not run."""
        upstream = [(self.task(entry["task_key"]), entry.get("outcome")) for entry in task.get("depends_on", ())]
        if not upstream:
            return None
        if any(wanted and ending.outcome and ending.outcome != wanted for ending, wanted in upstream):
            return "EXCLUDED"
        states = [ending.state for ending, _ in upstream]
        excluded = states.count("EXCLUDED")
        good = states.count("SUCCESS") + excluded
        if excluded == len(states):
            return "EXCLUDED"
        met, otherwise = _RULES[task.get("run_if", "ALL_SUCCESS")]
        if met(good, len(states) - good, excluded):
            return None
        canceled = any("CANCELED" in state for state in states)
        return "UPSTREAM_CANCELED" if canceled and otherwise == "UPSTREAM_FAILED" else otherwise

    def _condition(self, condition: Mapping[str, Any]) -> Ending:
        left, right = self._filled(condition["left"]), condition["right"]
        if condition["op"] in ("EQUAL_TO", "NOT_EQUAL"):
            holds = (left == right) == (condition["op"] == "EQUAL_TO")
        elif not left.isdigit():
            return Ending("FAILED", ("FAILED",))
        else:
            sign = (int(left) > int(right)) - (int(left) < int(right))
            holds = sign in {
                "GREATER_THAN": (1,), "GREATER_THAN_OR_EQUAL": (0, 1), "LESS_THAN": (-1,), "LESS_THAN_OR_EQUAL": (-1, 0)
            }[condition["op"]]  # fmt: skip
        return Ending("SUCCESS", ("SUCCESS",), outcome="true" if holds else "false")

    def _filled(self, text: str) -> str:
        """The text, or what `{{tasks.KEY.result_state}}` stands for."""
        if not text.startswith("{{"):
            return text
        return self.task(text.split(".")[1]).state.lower()

    def _loop(self, loop: Mapping[str, Any]) -> Ending:
        nested = loop["task"]
        each = [self._attempts(nested, f"{nested['task_key']}:{item}") for item in json.loads(loop["inputs"])]
        state = "SUCCESS" if all(attempts[-1] == "SUCCESS" for attempts in each) else "FAILED"
        return Ending(state, (state,), tuple(each))

    def _attempts(self, task: Mapping[str, Any], name: str) -> tuple[str, ...]:
        again = {"FAILED", "TIMEDOUT"} if task.get("retry_on_timeout") else {"FAILED"}
        states: list[str] = []
        while True:
            ends = self._ends.get(name, ["ok"])
            states.append(_RESULT[ends[min(len(states), len(ends) - 1)]])
            if states[-1] not in again or len(states) > task.get("max_retries", 0):
                return tuple(states)


def to_repair(definition: Mapping[str, Any], endings: Mapping[str, Ending]) -> set[str]:
    """Which tasks a repair of everything that failed runs again.

    Those that failed or were never reached; and of the tasks behind these, however far, the ones that were left out:
    nothing of them has run, and whether they run depends on what now ends in another way.
    """
    again = {key for key, ending in endings.items() if ending.state not in ("SUCCESS", "EXCLUDED")}
    behind = set(again)
    grew = True
    while grew:
        more = {
            task["task_key"] for task in definition["tasks"]
            if any(entry["task_key"] in behind for entry in task.get("depends_on", ()))
        }  # fmt: skip
        grew = not more <= behind
        behind |= more
    return again | {key for key in behind if endings[key].state == "EXCLUDED"}
