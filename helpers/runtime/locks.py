"""One operating-system lock on a file, which also tells who holds it.

The lock ends with its process, however that dies; what the file says is only read while somebody holds the lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from helpers.runtime.processes import Process


@dataclass(frozen=True)
class Holder:
    """Who holds a lock; `process` is None for the instant before the holder has written its name.

    `since` in seconds since 1970; `purpose` is what the holder said that it does.
    """

    process: Process | None
    command: str
    since: float | None
    purpose: str = ""


def try_lock(path: Path, *, now: float, patience: float = 2.0, purpose: str = "server") -> int | None:
    """Take the lock and keep it until the process ends or the returned descriptor is closed; None when it is held.

    `patience` (seconds) outlasts those who only look whether the lock is held.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + patience
    while not _flock(descriptor, fcntl.LOCK_EX):
        if time.monotonic() >= deadline:
            os.close(descriptor)
            return None
        time.sleep(0.05)
    me = Process.current()
    name = {"version": 1, "pid": me.pid, "start": me.start, "command": " ".join(sys.orig_argv), "since": now}
    name["purpose"] = purpose
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(name).encode(), 0)
    return descriptor


def holder(path: Path) -> Holder | None:
    """Say who holds the lock, or None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        if _flock(descriptor, fcntl.LOCK_SH):
            return None
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> Holder:
    try:
        written = json.loads(os.pread(descriptor, 65536, 0))
        process = Process(int(written["pid"]), str(written["start"]))
        purpose = str(written.get("purpose", ""))
        found = Holder(process, str(written["command"]), float(written["since"]), purpose)
    except (ValueError, KeyError, TypeError):
        return Holder(None, "", None)
    # The file of an earlier holder stays until the next one has written its own name.
    return found if process.alive else Holder(None, "", None)


def _flock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
