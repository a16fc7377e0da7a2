"""Watches over a runner: when that dies, what the tasks of its run left behind is ended.

A task's own process, and a notebook's kernel, end with the runner by themselves; what they started in turn does not.
So a shell waits beside each runner for a word that comes at the run's end. When the runner dies without it, the shell
becomes :mod:`helpers.jobs.left_behind`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from helpers.jobs.context import VARIABLE
from helpers.runtime.places import REPO_ROOT

_WAIT = 'read -r word || exec "$@"'


class Keeper:
    """The shell beside the runner of the run in this folder, from `watch` until `dismiss`."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", "helpers.jobs.left_behind", str(folder), str(os.getpid())]
        # Without a context of its own, so that the keeper of a run above leaves this one to its work.
        kept = {name: value for name, value in environment.items() if name != VARIABLE}
        self._environment = {**kept, "PYTHONPATH": str(REPO_ROOT)}
        self._shell: subprocess.Popen[bytes] | None = None

    def watch(self) -> None:
        """Begin, unless it has begun; OSError when no process can be started."""
        if self._shell is None:
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _WAIT, "keeper", *self._command],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def dismiss(self) -> None:
        """Say that the run has ended."""
        if self._shell is not None:
            with suppress(OSError):
                self._shell.communicate(b"ended\n")
