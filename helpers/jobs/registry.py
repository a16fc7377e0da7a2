"""Ids and the lock on a job: which number a definition has, which number a run gets, and who runs the job now."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from helpers.files import replace_file
from helpers.runtime.processes import Process

#: Task runs have the ids `run_id * TASK_IDS + 1` and up, so both kinds increase and stay exact in JavaScript.
TASK_IDS = 1000


def job_id(runs: Path, source: Path | str) -> int:
    """Give the definition's number: 1, 2, 3 in the order in which definitions first ran here."""
    runs.mkdir(parents=True, exist_ok=True)
    book = runs / "jobs.jsonl"
    with FileLock(runs / "jobs.lock"):
        known = _entries(book)
        if str(source) in known:
            return known[str(source)]
        number = max(known.values(), default=0) + 1
        line = json.dumps({"version": 1, "job_id": number, "source": str(source)})
        with book.open("ab") as file:
            # A line that a crash tore must not swallow this one.
            file.write(f"\n{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        return number


def new_run(runs: Path, *, now_ms: int) -> tuple[int, Path]:
    """Make the folder of a new run and give its id: the time, or more where another run has that already."""
    runs.mkdir(parents=True, exist_ok=True)
    last = max((int(path.name) for path in runs.iterdir() if path.name.isdigit()), default=0)
    number = max(now_ms, last + 1)
    while True:
        try:
            (runs / str(number)).mkdir()
        except FileExistsError:
            number += 1
        else:
            return number, runs / str(number)


class Admission:
    """One run's place among the runs of its job; those that wait for a place get it in the order of their ids."""

    def __init__(self, runs: Path, *, job: int, run: int, limit: int) -> None:
        self._folder, self._run, self._limit = runs / "active" / str(job), run, limit
        self._mine, self._waiting = self._folder / f"{run}.json", self._folder / "waiting" / f"{run}.json"
        self._waiting.parent.mkdir(parents=True, exist_ok=True)

    def enter(self) -> tuple[int, Process] | None:
        """Take a place and give None; when none is free, the id and the process of a run that is in front."""
        with FileLock(self._folder / "lock"):
            active = _alive(self._folder)
            before = [one for one in _alive(self._waiting.parent) if one[0] < self._run]
            if len(active) + len(before) >= self._limit:
                return (active or before or [(self._run, Process.current())])[0]
            _sign(self._mine)
            self._waiting.unlink(missing_ok=True)
            return None

    def line_up(self) -> None:
        """Wait behind the runs that came before."""
        _sign(self._waiting)

    def leave(self) -> None:
        """Give the place up for others."""
        self._mine.unlink(missing_ok=True)
        self._waiting.unlink(missing_ok=True)


@contextmanager
def admission(runs: Path, *, job: int, run: int, limit: int) -> Iterator[Admission]:
    """Give an admission, whose place is given up when the block ends."""
    asked = Admission(runs, job=job, run=run, limit=limit)
    try:
        yield asked
    finally:
        asked.leave()


def too_many(name: str, limit: int, other: tuple[int, Process]) -> str:
    """Say that a job has as many runs as it may, one of which is `other`."""
    said = f"max_concurrent_runs of job '{name}' is {limit}"
    if limit:
        said += f" and run {other[0]} (pid {other[1].pid}) still runs; wait for it, or cancel it"
    return said


def _sign(path: Path) -> None:
    me = Process.current()
    # Whole at once: who reads half of it takes the process for dead.
    replace_file(path, json.dumps({"version": 1, "pid": me.pid, "start": me.start}).encode(), durable=False)


def _alive(folder: Path) -> list[tuple[int, Process]]:
    """Who runs the job; what dead runners left is taken away."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            written = json.loads(path.read_text())
            process = Process(written["pid"], written["start"])
        except (OSError, ValueError, KeyError, TypeError):  # it may leave at this moment
            process = None
        if process is not None and process.alive:
            found.append((int(path.stem), process))
        else:
            path.unlink(missing_ok=True)
    return found


def _entries(book: Path) -> dict[str, int]:
    known = {}
    for line in book.read_text().splitlines() if book.exists() else ():
        try:
            entry = json.loads(line)
            known[entry["source"]] = int(entry["job_id"])
        except (ValueError, KeyError, TypeError):
            continue
    return known
