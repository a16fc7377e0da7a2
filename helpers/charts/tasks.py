"""One task of one run in words: its state, its times, what it decided and what went wrong."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from helpers.charts.attempts import Link, by_task, deciding_path, limits, spent, waits
from helpers.charts.inputs import RunDict, TaskRunDict, state_word
from helpers.charts.texts import count, label, plain, seconds

_FAILED = frozenset({"FAILED", "TIMEDOUT", "INTERNAL_ERROR"})


@dataclass(frozen=True)
class TaskInRun:
    """All attempts of a task; `link` is its part of the path that decided the time, times are in seconds."""

    key: str
    attempts: tuple[TaskRunDict, ...]
    waited: float
    ran: float
    repaired: bool
    link: Link | None

    @property
    def last(self) -> TaskRunDict:
        return self.attempts[-1]

    @property
    def status(self) -> str:
        return state_word(self.last.get("state"))

    @property
    def begun(self) -> bool:
        """Tell whether it ever ran."""
        return any(entry.get("start_time") for entry in self.attempts)

    @property
    def failed(self) -> bool:
        """Tell whether any attempt failed by itself, and not because of a task before it."""
        return any(state_word(entry.get("state")) in _FAILED for entry in self.attempts)

    @property
    def times(self) -> list[str]:
        """Return how long it ran and waited; nothing if it never ran."""
        if not self.begun:
            return []
        return [seconds(self.ran), *([f"waited {seconds(self.waited)}"] if self.waited >= 0.05 else [])]

    @property
    def tries(self) -> list[str]:
        """Return how many attempts it had, where there were several."""
        return [count(len(self.attempts), "attempt")] if len(self.attempts) > 1 else []

    @property
    def error(self) -> str:
        return plain(self.last["error"]) if self.last.get("error") else ""

    @property
    def outcome(self) -> str:
        """Return what a condition task decided."""
        return f"decided {plain(self.last['outcome'])}" if self.last.get("outcome") else ""

    @property
    def iterations(self) -> str:
        """Return how many iterations a for-each task has, and how they stand."""
        last = {one.get("iteration"): state_word(one.get("state")) for one in self.last.get("iterations") or []}
        return f"{count(len(last), 'iteration')}: {tally(Counter(last.values()))}" if last else ""

    @property
    def hover(self) -> str:
        """Return all that is known of it."""
        states = [state_word(entry.get("state")) for entry in self.attempts]
        lines = [
            plain(self.key),
            " → ".join(states) + (", run again by a repair" if self.repaired else ""),
            ", ".join([*self.times, *self.tries]),
            self.outcome,
            self.iterations,
            self.error,
            f"on the path that decided the time: {link_text(self.link)}" if self.link else "",
        ]
        return "<br>".join(label(line, width=120) for line in lines if line)


def tasks_of(run: RunDict) -> dict[str, TaskInRun]:
    """Return every task of a run by its key."""
    tasks, (_, end), path = by_task(run), limits(run), {link.task_key: link for link in deciding_path(run)}
    repairs = [one for one in run.get("repair_history") or [] if one.get("type") == "REPAIR"]
    again = {number for repair in repairs for number in repair.get("task_run_ids") or []}
    return {
        key: TaskInRun(
            key,
            tuple(entries),
            waited=sum(to - since for since, to in waits(key, tasks, run)) / 1000,
            ran=sum(spent(entry, end) for entry in entries),
            repaired=any(entry.get("run_id") in again for entry in entries),
            link=path.get(key),
        )
        for key, entries in tasks.items()
    }


def link_text(link: Link) -> str:
    """Return a task of the path that decided the time, with its time."""
    waited = f" after {seconds(link.waited)} of waiting" if link.waited >= 0.05 else ""
    return f"{plain(link.task_key)} {seconds(link.ran)}{waited}"


def tally(states: Mapping[str, int]) -> str:
    """Return how often each state occurs."""
    return ", ".join(f"{number} {plain(state)}" for state, number in states.items())
