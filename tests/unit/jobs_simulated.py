"""Runs in simulated time: the real runner, its crew and its record, with processes that are only thought of."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from helpers.jobs import attempt
from helpers.jobs.clock import Clock
from helpers.jobs.keeper import Keeper

_START_MS = 1_700_000_000_000
_NEVER = float("inf")


class Simulation(Clock):
    """A clock that jumps to whatever comes next, and the processes that end by it.

    `ends` says how each attempt of a task (or `key:input`) ends: ok, fail, die, cancel, or hang (until it is stopped);
    `seconds` how long it takes.
    """

    def __init__(self, ends: Mapping[str, Sequence[str]], seconds: Callable[[str], float]) -> None:
        self._ends, self._seconds = ends, seconds
        self._now = 0.0
        self._processes: list[SimulatedProcess] = []
        self._started: Counter[str] = Counter()
        self.most_at_once = 0

    def now_ms(self) -> int:
        return _START_MS + int(self._now * 1000)

    def elapsed(self) -> float:
        return self._now

    def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any | None:
        if queue.empty():
            until = _NEVER if seconds is None else self._now + seconds
            first = min(self._processes, key=lambda process: process.ends_at, default=None)
            if first is None or first.ends_at > until:
                assert until < _NEVER, "the runner waits for nothing"
                self._now = until
                return None
            self._now = max(self._now, first.ends_at)
            self.end(first)
        return queue.get_nowait()

    def start(
        self, command: Sequence[str], spec_file: Path, *, on_end: Callable[[], None], **more: Any
    ) -> SimulatedProcess:
        """Stand for `attempt.start`: the spec's arguments are the task's key and, in a loop, the input."""
        name = ":".join(json.loads(spec_file.read_text())["arguments"])
        ends = self._ends.get(name, ["ok"])
        doing = ends[min(self._started[name], len(ends) - 1)]
        self._started[name] += 1
        (spec_file.parent / attempt.LOG).touch()
        ends_at = _NEVER if doing == "hang" else self._now + self._seconds(name)
        process = SimulatedProcess(doing, spec_file.parent, ends_at, on_end)
        self._processes.append(process)
        self.most_at_once = max(self.most_at_once, len(self._processes))
        return process

    def stop(self, process: SimulatedProcess, *signals: int) -> None:
        """Stand for `attempt.stop`."""
        if process in self._processes:
            self.end(process)

    def end(self, process: SimulatedProcess) -> None:
        self._processes.remove(process)
        process.leave()

    @contextmanager
    def instead_of_processes(self) -> Iterator[None]:
        """Start no process while the block runs, and trust the disk."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(attempt, "start", self.start)
            patch.setattr(attempt, "stop", self.stop)
            patch.setattr(Keeper, "watch", lambda keeper: None)
            patch.setattr(os, "fsync", lambda descriptor: None)
            yield


class SimulatedProcess:
    """What the crew sees of a process."""

    pid = 0

    def __init__(self, doing: str, folder: Path, ends_at: float, on_end: Callable[[], None]) -> None:
        self.ends_at = ends_at
        self._gone = False
        self._doing, self._folder, self._on_end = doing, folder, on_end

    def leave(self) -> None:
        """Write what a process of its kind leaves, and be gone."""
        if self._doing not in ("die", "hang"):
            error = None if self._doing == "ok" else f"RuntimeError: {self._doing}"
            result = {"version": 1, "error": error, "error_trace": None}
            if self._doing == "cancel":
                result["result_state"] = "CANCELED"
            (self._folder / attempt.RESULT).write_text(json.dumps(result))
        self._gone = True
        self._on_end()

    def poll(self) -> int | None:
        return self.wait() if self._gone else None

    def wait(self) -> int:
        return 0 if self._doing == "ok" else 1
