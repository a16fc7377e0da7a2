"""A notebook that another notebook runs: a process of its own, which ends with the kernel that started it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path

from helpers.jobs import attempt
from helpers.jobs.attempt import Outcome
from helpers.jobs.context import JobContext
from helpers.jobs.work import Notebook
from helpers.runtime.places import Places

_GRACE_SECONDS = 5
_ALONE = JobContext("", 0, 0, "", 0, 0, {}, {}, ())


def run_called(
    notebook: Path,
    arguments: Mapping[str, str],
    *,
    context: JobContext | None,
    folder: Path,
    timeout_seconds: int,
    places: Places,
    environ: Mapping[str, str],
) -> Outcome:
    """Run the notebook with these parameters and say how it ended; its output is in a new folder of `folder`."""
    spec = _prepare(Notebook(notebook), replace(context or _ALONE, parameters=arguments, called=True), folder)
    process = attempt.start(
        attempt.COMMANDS["notebook"], spec, home=places.root, environment=environ, on_end=lambda: None
    )
    try:
        process.wait(timeout_seconds or None)
    except subprocess.TimeoutExpired:
        said = f"{notebook.name} took longer than {timeout_seconds} s"
        return Outcome("TIMEDOUT", error=said)
    finally:
        _end(process)
    return attempt.outcome(spec.parent, "notebook", process.returncode)


def _prepare(work: Notebook, told: JobContext, folder: Path) -> Path:
    """Take the first free number; other threads and notebooks may take one too."""
    for number in count(1):
        try:
            own = folder / f"{number}_{work.path.stem}"
            return attempt.prepare(work, replace(told, folder=str(own)), commands={}, limits={})
        except FileExistsError:
            continue
    raise AssertionError("numbers do not end")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Stop what still runs: its time is over, or the cell that waits for it is interrupted."""
    if process.poll() is None:
        attempt.stop(process)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            attempt.stop(process, signal.SIGKILL)
            process.wait()
