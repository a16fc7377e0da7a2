"""A run as events on disk.

`work/runs/<run id>/events.jsonl` is append-only and fsynced line by line, but for lines that only say that a task waits
for its turn. :func:`helpers.jobs.folding.apply` folds the lines into a :class:`Run`, for the runner while it runs and
for every reader afterwards.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.files import sync_folder
from helpers.jobs.errors import RunRecordError
from helpers.jobs.folding import apply, dead
from helpers.jobs.runs import FINAL, RepairHistoryItem, Run, State, TaskRun

__all__ = ["FINAL", "RepairHistoryItem", "Run", "RunLog", "State", "TaskRun", "list_runs", "load_run"]

VERSION = 1
EVENTS = "events.jsonl"


class RunLog:
    """Where the runner writes its events; closes with its owner. `run` is what the record holds already."""

    def __init__(self, folder: Path, run: Run | None = None) -> None:
        self.run = run
        self._folder = str(folder)
        self._file = os.open(folder / EVENTS, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        sync_folder(folder)
        self._close_torn_line()

    def add(self, event: Mapping[str, Any], *, now_ms: int) -> Run:
        """Write one event, so that it outlives a crash, and give the run as it is then."""
        written = {"version": VERSION, "time": now_ms, **event}
        line = (json.dumps(written, ensure_ascii=False) + "\n").encode()
        while line:
            line = line[os.write(self._file, line) :]
        # That a task waits for its turn passes by itself; it is on disk with the line after it.
        if event.get("life_cycle_state") != "QUEUED":
            os.fsync(self._file)
        self.run = replace(apply(self.run, written), folder=self._folder)
        return self.run

    def close(self) -> None:
        os.close(self._file)

    def _close_torn_line(self) -> None:
        """A line that a crash tore must not swallow the next one."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")


def load_run(folder: Path) -> Run:
    """Read a run's record; one whose runner is gone without having ended it says so.

    Damaged lines, such as the last one after a crash, are left out and named in `warnings`. RunRecordError when nothing
    is left.
    """
    run, warnings = None, []
    for number, line in enumerate(_lines(folder), start=1):
        try:
            event = json.loads(line)
            if event["version"] != VERSION:
                raise ValueError(f"version {event['version']} is not {VERSION}")
            run = apply(run, event)
        except (ValueError, LookupError, TypeError, RunRecordError) as error:
            warnings.append(f"line {number} of {folder / EVENTS} is damaged and was left out ({error})")
    if run is None:
        raise RunRecordError(f"{folder / EVENTS} has no whole event; delete the folder {folder}")
    return dead(replace(run, warnings=tuple(warnings), folder=str(folder)))


def list_runs(runs: Path) -> list[Run]:
    """Every run whose record can be read, the newest first."""
    found = []
    for folder in sorted(_folders(runs), key=lambda path: int(path.name), reverse=True):
        try:
            found.append(load_run(folder))
        except RunRecordError:
            continue
    return found


def _folders(runs: Path) -> list[Path]:
    return [path for path in runs.iterdir() if path.name.isdigit()] if runs.is_dir() else []


def _lines(folder: Path) -> list[str]:
    try:
        written = (folder / EVENTS).read_bytes()
    except OSError as error:
        raise RunRecordError(f"there is no record in {folder}: {error.strerror or error}") from None
    # `splitlines` would also split at characters that a text may hold: U+0085, U+2028, U+2029.
    return written.decode(errors="replace").removesuffix("\n").split("\n") if written else []
