"""`dbutils` for notebooks off Databricks, and nothing that would only pretend.

Imitates https://docs.databricks.com/dev-tools/databricks-utils.html, and imports little: every task's kernel loads it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from helpers.jobs import context as job_context
from helpers.jobs.context import JobContext
from helpers.jobs.dbutils.fs import ExecutionError, FileInfo, Fs
from helpers.jobs.dbutils.notebook import Notebook, NotebookExecutionException, NotebookExit
from helpers.jobs.dbutils.parts import NotEmulated, Part
from helpers.jobs.dbutils.paths import PathNotSupported
from helpers.jobs.dbutils.secrets import SecretNotFound, Secrets
from helpers.jobs.dbutils.task_values import Jobs, TaskValueError
from helpers.jobs.dbutils.widgets import InputWidgetNotDefined, Widgets
from helpers.jobs.redaction import Redaction
from helpers.runtime.places import Places

__all__ = [
    "DbUtils", "ExecutionError", "FileInfo", "InputWidgetNotDefined", "NotEmulated", "NotebookExecutionException",
    "NotebookExit", "PathNotSupported", "SecretNotFound", "TaskValueError", "get_dbutils",
]  # fmt: skip


def get_dbutils(environ: Mapping[str, str] = os.environ) -> Any:
    """Give Databricks' own dbutils there, and ours elsewhere."""
    if environ.get("DATABRICKS_RUNTIME_VERSION"):
        from IPython import get_ipython

        return get_ipython().user_ns["dbutils"]
    return DbUtils(job_context.read_context(environ), environ)


class DbUtils(Part):
    """dbutils of one notebook; `context` is None outside a job."""

    def __init__(self, context: JobContext | None, environ: Mapping[str, str]) -> None:
        places, redaction = Places.from_environment(environ), Redaction.of(environ)
        self.fs = Fs(places)
        self.jobs = Jobs(context, redaction)
        self.notebook = Notebook(context, redaction, places=places, environ=environ)
        self.secrets = Secrets(environ)
        self.widgets = Widgets(context.parameters if context else {})
