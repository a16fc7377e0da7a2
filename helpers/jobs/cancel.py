"""Cancel a run from another process: a file in the run's folder that its runner looks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.jobs.errors import CancelError
from helpers.jobs.record import load_run
from helpers.jobs.runs import Run
from helpers.runtime.places import Places

_REQUEST = "cancel"
_LOOK_EVERY = 0.25


def cancel_run(run_id: int, *, places: Places, wait_seconds: float = 60.0) -> Run:
    """Ask a run to end and give it when it has; its tasks become CANCELED, and those behind them UPSTREAM_CANCELED.

    CancelError when there is no such run, when it has ended already, and when it still runs after `wait_seconds`.
    """
    folder = places.runs / str(run_id)
    if not folder.is_dir():
        raise CancelError(f"there is no run {run_id} in {places.runs}")
    run = load_run(folder)
    if run.state.final:
        raise CancelError(f"run {run_id} has ended already: {run.state.word}")
    ask_to_end(folder)
    deadline = time.monotonic() + wait_seconds
    while not run.state.final:
        if time.monotonic() >= deadline:
            pid = run.runner.pid if run.runner else "unknown"
            raise CancelError(f"run {run_id} was asked to end {wait_seconds:g} s ago and still runs (pid {pid})")
        time.sleep(_LOOK_EVERY)
        run = load_run(folder)
    return run


def ask_to_end(folder: Path) -> None:
    """Ask the run of this folder to end, and do not wait for it."""
    (folder / _REQUEST).touch()


@contextmanager
def cancelable(folder: Path, on_request: Callable[[], None]) -> Iterator[None]:
    """Call `on_request` once, from another thread, when somebody asks while the block runs."""
    request, over = folder / _REQUEST, threading.Event()
    # Left from before the run was repaired.
    request.unlink(missing_ok=True)

    def look() -> None:
        while not over.wait(_LOOK_EVERY):
            if request.exists():
                on_request()
                return

    watcher = threading.Thread(target=look, name="cancel", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
