"""`dbutils` for notebooks off Databricks: widgets, task values and exit, and nothing that would only pretend.

Imitates https://docs.databricks.com/dev-tools/databricks-utils.html, and imports little: every task's kernel loads it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from helpers.errors import LakeprepError
from helpers.jobs import context as job_context
from helpers.jobs.context import JobContext

_MOST_BYTES = 48 * 1024


class InputWidgetNotDefined(LakeprepError):
    """A widget is read that nobody made and no parameter fills."""


class TaskValueError(LakeprepError, ValueError):
    """A task value is not there, is not JSON or is too large."""


class NotEmulated(LakeprepError, AttributeError):
    """A part of dbutils that exists on Databricks only."""


class NotebookExit(BaseException):
    """Ends the notebook; not an `Exception`, so that `except Exception` in a cell does not stop it."""

    def _render_traceback_(self) -> list[str]:
        return [f"Notebook exited: {self}"]


def get_dbutils(environ: Mapping[str, str] = os.environ) -> Any:
    """Give Databricks' own dbutils there, and ours elsewhere."""
    if environ.get("DATABRICKS_RUNTIME_VERSION"):
        from IPython import get_ipython

        return get_ipython().user_ns["dbutils"]
    return DbUtils(job_context.read_context(environ))


class _Part:
    """A part of dbutils; asking it for what it has not says what it has."""

    _name = "dbutils"
    _has = "jobs.taskValues, notebook.exit and widgets"

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        raise NotEmulated(f"{self._name}.{name} exists on Databricks only; here {self._name} has {self._has}")


class DbUtils(_Part):
    """dbutils of one notebook; `context` is None outside a job."""

    def __init__(self, context: JobContext | None) -> None:
        self.widgets = Widgets(context.parameters if context else {})
        self.jobs = Jobs(context)
        self.notebook = Notebook(context)


class Widgets(_Part):
    """dbutils.widgets: each value is a string, and a parameter of the job wins over a widget's default."""

    _name = "dbutils.widgets"
    _has = "get, getAll, text, dropdown, combobox, multiselect, remove and removeAll"

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)
        self._defaults: dict[str, str] = {}

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:
        del label
        self._defaults.setdefault(name, _string(name, defaultValue))

    def combobox(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        del choices
        self.text(name, defaultValue, label)

    def dropdown(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        if defaultValue not in choices:
            raise ValueError(f"the default '{defaultValue}' of widget '{name}' is none of its choices {list(choices)}")
        self.text(name, defaultValue, label)

    def multiselect(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        self.dropdown(name, defaultValue, choices, label)

    def get(self, name: str) -> str:
        values = self.getAll()
        if name not in values:
            said = f"call dbutils.widgets.text('{name}', ...) first, or pass it to the task"
            raise InputWidgetNotDefined(f"no widget or parameter is named '{name}'; {said}")
        return values[name]

    def getAll(self) -> dict[str, str]:
        return {**self._defaults, **self._parameters}

    def remove(self, name: str) -> None:
        if name not in self._defaults:
            raise InputWidgetNotDefined(f"no widget is named '{name}', so it cannot be removed")
        del self._defaults[name]

    def removeAll(self) -> None:
        self._defaults.clear()


class Jobs(_Part):
    """dbutils.jobs."""

    _name = "dbutils.jobs"
    _has = "taskValues"

    def __init__(self, context: JobContext | None) -> None:
        self.taskValues = TaskValues(context)


class TaskValues(_Part):
    """dbutils.jobs.taskValues: small JSON values from one task to later ones."""

    _name = "dbutils.jobs.taskValues"
    _has = "get and set"

    def __init__(self, context: JobContext | None) -> None:
        self._context = context

    def set(self, key: str, value: Any) -> None:
        """Keep a value for later tasks; outside a job nothing is kept, but the value is checked all the same."""
        if not isinstance(key, str):
            raise TypeError(f"a task value's key is a string, not {type(key).__name__}")
        try:
            size = len(json.dumps(value, allow_nan=False).encode())
        except (TypeError, ValueError) as error:
            raise TaskValueError(f"task value '{key}' is not JSON: {error}") from None
        if size > _MOST_BYTES:
            raise TaskValueError(f"task value '{key}' has {size} bytes as JSON; at most {_MOST_BYTES} are allowed")
        if self._context:
            job_context.set_value(Path(self._context.folder), key, value)

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:
        """Give an earlier task's value; outside a job `debugValue`, and TypeError without one."""
        if self._context is None:
            if debugValue is None:
                raise TypeError(f"outside a job taskValues.get('{taskKey}', '{key}') needs a debugValue")
            return debugValue
        found = self._context.task_values.get(taskKey, {})
        if key in found:
            return found[key]
        if default is not None:
            return default
        if taskKey not in self._context.tasks:
            raise TaskValueError(f"the job has no task '{taskKey}'; it has {', '.join(self._context.tasks)}")
        raise TaskValueError(f"task '{taskKey}' has set no value '{key}'; set it there, or pass a default")


class Notebook(_Part):
    """dbutils.notebook."""

    _name = "dbutils.notebook"
    _has = "exit"

    def __init__(self, context: JobContext | None) -> None:
        self._context = context

    def exit(self, value: str) -> NoReturn:
        """End the notebook, as a success with this value."""
        if not isinstance(value, str):
            raise TypeError(f"dbutils.notebook.exit takes a string, not {type(value).__name__}; use json.dumps")
        if self._context:
            job_context.set_exit_value(Path(self._context.folder), value)
        raise NotebookExit(value)


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the default of widget '{name}' is a string, not {type(value).__name__}")
    return value
