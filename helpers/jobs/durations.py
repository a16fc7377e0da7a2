"""What runs longer than its health rule allows, told once each."""

from __future__ import annotations

from collections.abc import Sequence

from helpers.jobs.clock import Clock
from helpers.jobs.model import Notifications
from helpers.jobs.scribe import Scribe


class Durations:
    """The health rules that are watched now; `name` is what a message calls the run or the task."""

    def __init__(self, clock: Clock, scribe: Scribe) -> None:
        self._clock, self._scribe = clock, scribe
        self._watched: dict[int | None, tuple[float, str, Notifications]] = {}

    @property
    def due(self) -> Sequence[float]:
        """When the next warnings are due, as `Clock.elapsed` gives it."""
        return [at for at, _, _ in self._watched.values()]

    def begin(self, name: str, seconds: float, who: Notifications, *, task_run_id: int | None = None) -> None:
        """Watch a task run, or the run itself (no id); 0 seconds is no rule."""
        if seconds:
            said = f"{name} takes longer than {seconds:g} s"
            self._watched[task_run_id] = (self._clock.elapsed() + seconds, said, who)

    def end(self, task_run_id: int) -> None:
        """Watch a task run no longer."""
        self._watched.pop(task_run_id, None)

    def tell(self) -> None:
        """Record and send the warnings that are due."""
        now = self._clock.elapsed()
        for task_run_id in [key for key, (at, _, _) in self._watched.items() if at <= now]:
            _, said, who = self._watched.pop(task_run_id)
            self._scribe.warn(who, said, task_run_id=task_run_id)
