"""Processes that take turns: a lock on a file for the time of a block, given back also when its holder dies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import LakeprepError


class LockHeld(LakeprepError):
    """Another process holds the lock."""


@contextlib.contextmanager
def locked(path: Path, *, patience: float = 0) -> Iterator[None]:
    """Hold the lock at `path`, after at most `patience` seconds of waiting; else LockHeld.

    On Databricks there is no filelock, and a volume knows no locks: nobody is kept out there.
    """
    try:
        from filelock import FileLock, Timeout
    except ImportError:
        yield
        return
    lock = FileLock(str(path))
    try:
        lock.acquire(timeout=patience, poll_interval=0.005)
    except NotImplementedError:
        yield
        return
    except Timeout:
        raise LockHeld(f"Another process holds {path}.") from None
    try:
        yield
    finally:
        lock.release()
