"""Ids and the lock on a job: which number a definition has, which number a run gets, and who runs the job now."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from helpers.runtime.processes import Process

#: Task runs have the ids `run_id * TASK_IDS + 1` and up, so both kinds increase and stay exact in JavaScript.
TASK_IDS = 1000


def job_id(runs: Path, source: Path) -> int:
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


@contextmanager
def admitted(runs: Path, *, job: int, run: int, limit: int) -> Iterator[tuple[int, Process] | None]:
    """Count this process as a runner of the job while the block runs.

    Gives None, or, when `limit` runs of the job are alive already, the id and the process of one of them.
    """
    folder = runs / "active" / str(job)
    folder.mkdir(parents=True, exist_ok=True)
    mine = folder / f"{run}.json"
    with FileLock(folder / "lock"):
        others = _alive(folder)
        full = len(others) >= limit
        if not full:
            me = Process.current()
            mine.write_text(json.dumps({"version": 1, "pid": me.pid, "start": me.start}))
    try:
        yield (others[0] if others else (run, Process.current())) if full else None
    finally:
        if not full:
            mine.unlink(missing_ok=True)


def _alive(folder: Path) -> list[tuple[int, Process]]:
    """Who runs the job; what dead runners left is taken away."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            written = json.loads(path.read_text())
            process = Process(written["pid"], written["start"])
        except (ValueError, KeyError, TypeError):
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
