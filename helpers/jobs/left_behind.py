"""`python -m helpers.jobs.left_behind FOLDER PID`: end what the tasks of the run in FOLDER left, of the runner PID.

Such a process has both in its environment. A repair of the same run, begun meanwhile, has a runner of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from helpers.jobs.child import RUNNER
from helpers.jobs.context import VARIABLE

#: The Spark server may have been started by a task, and outlives every run.
_SERVER = "helpers.runtime.supervisor"
_ROUNDS, _PAUSE_SECONDS = 20, 0.1


def end_all(folder: Path, runner: int) -> None:
    """Kill the processes of the tasks that this runner started for this run, and those that they start meanwhile."""
    for _ in range(_ROUNDS):
        found = list(_of_runner(folder, runner))
        if not found:
            return
        for process in found:
            with suppress(psutil.Error):
                process.kill()
        time.sleep(_PAUSE_SECONDS)


def _of_runner(folder: Path, runner: int) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # gone meanwhile, or another user's
            environment = process.environ()
            context = environment.get(VARIABLE)
            if not context or environment.get(RUNNER) != str(runner):
                continue
            if Path(context).is_relative_to(folder) and not _of_server(process):
                yield process


def _of_server(process: psutil.Process) -> bool:
    return any(_SERVER in one.cmdline() for one in (process, *process.parents()))


if __name__ == "__main__":
    end_all(Path(sys.argv[1]), int(sys.argv[2]))
