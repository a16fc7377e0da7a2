"""What `watch` keeps of one job on disk: what its trigger has seen, and the lock that lets one process watch it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from helpers.files import replace_file
from helpers.jobs.errors import WatchError
from helpers.jobs.triggers import Memory

VERSION = 1


class Shelf:
    """The file of one job; `about` says what is watched: for another trigger, what was kept means nothing."""

    def __init__(self, path: Path, about: Mapping[str, Any], *, say: Callable[[str], None]) -> None:
        self._path, self._about, self._say = path, dict(about), say

    def read(self) -> tuple[int | None, Memory | None]:
        """Give when watching began (milliseconds since 1970) and the memory; None for what was never kept.

        A file that cannot be read is set aside, and that is said.
        """
        try:
            written = json.loads(self._path.read_text(encoding="utf-8"))
            if written["version"] != VERSION or written["about"] != self._about:
                return None, None
            return int(written["since"]), Memory(**written["memory"]) if written["memory"] else None
        except FileNotFoundError:
            return None, None
        except (ValueError, KeyError, TypeError):
            aside = self._path.replace(self._path.with_suffix(".damaged.json"))
            self._say(f"what had been seen cannot be read, and is now in {aside}; all that is there counts as seen")
            return None, None

    def write(self, since: int, memory: Memory | None) -> None:
        """Keep it; it is on the disk when this returns."""
        kept = {"version": VERSION, "about": self._about, "since": since, "memory": memory and asdict(memory)}
        replace_file(self._path, json.dumps(kept).encode())


@contextmanager
def watched_alone(runs: Path, *, job: int, name: str) -> Iterator[Path]:
    """Hold the job and give the file for what its trigger has seen; WatchError when another process watches it."""
    folder = runs / "triggers"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{job}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise WatchError(f"another process watches job '{name}' already; stop it with Ctrl-C first") from None
    try:
        yield folder / f"{job}.json"
    finally:
        lock.release()
