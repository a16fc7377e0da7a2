"""Processes named so that a reused process id is never taken for the old one."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# A process's start time as psutil computes it moves with the clock by less than this.
_CLOCK_SLACK = 2.0


@dataclass(frozen=True)
class Process:
    """A process id together with when that process started.

    `start` is opaque: clock ticks since boot on Linux, where no clock change can move it, else seconds since 1970.
    """

    pid: int
    start: str

    @classmethod
    def current(cls) -> Process:
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Process:
        """Name the process that now has this id; ProcessLookupError when there is none."""
        return cls(pid, _start(pid))

    @property
    def alive(self) -> bool:
        try:
            return _same(self.start, _start(self.pid))
        except ProcessLookupError:
            return False

    def signal(self, number: int) -> None:
        """Send a signal, unless the process is gone."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait until it is gone; False when it is still there."""
        deadline = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.05)
        return True


def command_of(pid: int) -> str:
    """Give the process's command line, or an empty string when it cannot be seen."""
    import psutil

    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def _start(pid: int) -> str:
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            # The name, in brackets, may hold anything: fields are counted from the last bracket.
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            raise ProcessLookupError(pid) from None
        # Of a process that ends, the first thread may be gone before the others, and its locks last as long as they.
        if fields[0] in "ZX" and int(fields[17]) <= 1:
            raise ProcessLookupError(pid)
        return f"ticks:{fields[19]}"
    return f"time:{_psutil_start(pid)}"


def _psutil_start(pid: int) -> float:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            raise ProcessLookupError(pid)
        return process.create_time()
    except psutil.Error:
        raise ProcessLookupError(pid) from None


def _same(recorded: str, now: str) -> bool:
    if recorded.startswith("time:") and now.startswith("time:"):
        return abs(float(recorded[5:]) - float(now[5:])) < _CLOCK_SLACK
    return recorded == now
