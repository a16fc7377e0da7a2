"""The processes of one run: start them, wait for whatever happens first, stop those whose time is over."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from helpers.jobs import attempt
from helpers.jobs.attempt import Outcome
from helpers.jobs.clock import Clock
from helpers.jobs.context import JobContext
from helpers.jobs.keeper import Keeper
from helpers.jobs.model import Task
from helpers.jobs.work import Attempted

#: What `Crew.wait` gives when the user asks to stop.
INTERRUPT = object()


@dataclass(frozen=True)
class Means:
    """What processes need; `home` is what they see as LAKEPREP_HOME, `grace` the seconds between TERM and KILL."""

    home: Path
    clock: Clock
    commands: Mapping[str, Sequence[str]]
    environment: Mapping[str, str]
    parallelism: int
    grace: float


@dataclass
class _Live:
    """An attempt whose process runs; times as `Clock.elapsed` gives them."""

    task: Task
    folder: Path
    started: float
    process: subprocess.Popen[bytes]
    deadline: float | None
    stopped_as: str | None = None
    why: str = ""


class Crew:
    """The processes that run now, of the run in `folder`."""

    def __init__(self, means: Means, folder: Path) -> None:
        self._means, self._clock = means, means.clock
        self._keeper = Keeper(folder, means.environment)
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._live: dict[str, _Live] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._live

    def __len__(self) -> int:
        return len(self._live)

    @property
    def clock(self) -> Clock:
        return self._clock

    @property
    def has_room(self) -> bool:
        return len(self._live) < self._means.parallelism

    def start(self, key: str, task: Task, work: Attempted, told: JobContext) -> None:
        """Start one attempt of `work`, known here as `key`; OSError when its folder or its command is not there."""
        now, means = self._clock.elapsed(), self._means
        # A runner that must stop has half the time, so that it can say so before it is killed.
        limits = {"parallelism": means.parallelism, "grace_seconds": means.grace / 2}
        self._keeper.watch()
        spec = attempt.prepare(work, told, commands=means.commands, limits=limits)
        process = attempt.start(
            means.commands[work.kind],
            spec,
            home=means.home,
            environment=means.environment,
            on_end=lambda: self._queue.put(key),
            is_runner=work.kind == "run_job",
        )
        deadline = now + task.timeout_seconds if task.timeout_seconds else None
        self._live[key] = _Live(task, spec.parent, now, process, deadline)

    def wait(self, due: Sequence[float]) -> Any | None:
        """Sleep until a process ends, the user interrupts or a time is due (`due`, and the processes' own).

        Gives the task's key, INTERRUPT, or None; at once when there is nothing to wait for.
        """
        times = [*due, *(live.deadline for live in self._live.values() if live.deadline is not None)]
        if not times and not self._live:
            return None
        seconds = max(0.0, min(times) - self._clock.elapsed()) if times else None
        return self._clock.wait(self._queue, seconds=seconds, idle=not self._live)

    def take(self, key: str) -> tuple[float, Outcome]:
        """Dismiss an ended process; gives when it started and what it left."""
        live = self._live.pop(key)
        outcome = attempt.outcome(live.folder, live.task.work.kind, live.process.wait())
        if live.stopped_as is not None:
            outcome = replace(outcome, result_state=live.stopped_as, error=live.why, error_trace=None)
        return live.started, outcome

    def stop_late(self) -> None:
        """Stop the processes whose time is over: first TERM, then KILL."""
        now = self._clock.elapsed()
        for live in self._live.values():
            if live.deadline is not None and now >= live.deadline:
                said = f"the task reached its time-out of {live.task.timeout_seconds} s"
                self._stop(live, "TIMEDOUT", said)

    def stop_all(self, why: str) -> Iterator[str]:
        """Stop every process and give the key of each when it has ended; a second interrupt kills at once."""
        for live in self._live.values():
            self._stop(live, "CANCELED", why)
        while self._live:
            item = self.wait(())
            if item is None or item is INTERRUPT:
                self.kill()
            else:
                yield item

    def kill(self) -> None:
        for live in self._live.values():
            live.deadline = None
            attempt.stop(live.process, signal.SIGKILL)

    def close(self) -> None:
        """Say that nothing of the run is left to be ended."""
        self._keeper.dismiss()

    def interrupt(self) -> None:
        """End the next `wait` with INTERRUPT; any thread may call it."""
        self._queue.put(INTERRUPT)

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Turn Ctrl-C and TERM into an INTERRUPT of `wait`, so that they never tear a line of the record."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, lambda *_: self.interrupt()) for number in numbers]
        try:
            yield
        finally:
            for number, handler in zip(numbers, before, strict=True):
                signal.signal(number, handler)

    def _stop(self, live: _Live, result: str, why: str) -> None:
        """Ask a process to end; the second time, end it. One that has ended by itself keeps its own result."""
        if live.process.poll() is not None:
            live.deadline = None
            return
        if live.stopped_as is None:
            live.stopped_as, live.why = result, why
            live.deadline = self._clock.elapsed() + self._means.grace
            attempt.stop(live.process)
        else:
            live.deadline = None
            attempt.stop(live.process, signal.SIGKILL)
