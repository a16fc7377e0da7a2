"""dbutils.notebook: end this notebook with a value, or run another one and take its value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from helpers.errors import LakeprepError
from helpers.jobs import context as job_context
from helpers.jobs.context import JobContext
from helpers.jobs.dbutils.parts import Part
from helpers.jobs.redaction import Redaction
from helpers.runtime.places import Places


class NotebookExit(BaseException):
    """Ends the notebook; not an `Exception`, so that `except Exception` in a cell does not stop it."""

    def _render_traceback_(self) -> list[str]:
        return [f"Notebook exited: {self}"]


class NotebookExecutionException(LakeprepError):
    """A notebook that another one runs is not there, failed or took too long."""


class Notebook(Part):
    """One notebook's end, and other notebooks."""

    _name = "dbutils.notebook"

    def __init__(
        self, context: JobContext | None, redaction: Redaction, *, places: Places, environ: Mapping[str, str]
    ) -> None:
        self._context, self._redaction = context, redaction
        self._places, self._environ = places, environ
        # A kernel begins in its notebook's folder; a cell may go elsewhere later.
        self._folder = Path.cwd()

    def exit(self, value: str) -> NoReturn:
        """End the notebook, as a success with this value."""
        if not isinstance(value, str):
            raise TypeError(f"dbutils.notebook.exit takes a string, not {type(value).__name__}; use json.dumps")
        shown = self._redaction.text(value)
        if self._context:
            job_context.set_exit_value(Path(self._context.folder), shown)
        raise NotebookExit(shown)

    def run(self, path: str, timeout_seconds: int, arguments: Mapping[str, str] | None = None) -> str:
        """Run another notebook to its end and give what it exits with; 0 seconds are no time-out.

        `path` is relative to this notebook's folder, and `.ipynb` may be left out. NotebookExecutionException says why
        it did not end well; an empty string when it does not exit.
        """
        given = dict(arguments or {})
        self._check(given, timeout_seconds)
        from helpers.jobs.dbutils.called import run_called
        from helpers.jobs.files import notebook_file

        notebook = notebook_file(self._folder, os.fspath(path))
        if not notebook.is_file():
            said = f"there is no {notebook}; the path is relative to this notebook's folder"
            raise NotebookExecutionException(f'Unable to access the notebook "{path}": {said}')
        where = Path(self._context.folder) if self._context else self._places.root
        ended = run_called(notebook, given, context=self._context, folder=where / "notebook_runs",
                           timeout_seconds=timeout_seconds, places=self._places, environ=self._environ)  # fmt: skip
        if ended.result_state != "SUCCESS":
            raise NotebookExecutionException(f"{ended.result_state}: {ended.error}")
        return ended.exit_value or ""

    def _check(self, arguments: Mapping[str, str], timeout_seconds: int) -> None:
        if isinstance(timeout_seconds, bool) or not isinstance(timeout_seconds, int) or timeout_seconds < 0:
            raise TypeError(f"timeout_seconds is a whole number of seconds, and 0 is none; not {timeout_seconds!r}")
        for name, value in arguments.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise TypeError(f"the argument '{name}' is a string, not {type(value).__name__}; use str or json.dumps")
            if self._redaction.holds(value):
                said = "the run's files would show it: read the secret in the notebook that needs it"
                raise ValueError(f"the argument '{name}' holds a secret, and {said}")
