"""dbutils.jobs.taskValues: small JSON values from one task to later ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError
from helpers.jobs import context as job_context
from helpers.jobs.context import JobContext
from helpers.jobs.dbutils.parts import NotEmulated, Part
from helpers.jobs.redaction import Redaction

_MOST_BYTES = 48 * 1024


class TaskValueError(LakeprepError, ValueError):
    """A task value is not there, is not JSON, is too large or holds a secret."""


class Jobs(Part):
    """What a task tells its job."""

    _name = "dbutils.jobs"

    def __init__(self, context: JobContext | None, redaction: Redaction) -> None:
        self.taskValues = TaskValues(context, redaction)


class TaskValues(Part):
    """Small JSON values from one task to later ones."""

    _name = "dbutils.jobs.taskValues"

    def __init__(self, context: JobContext | None, redaction: Redaction) -> None:
        self._context, self._redaction = context, redaction

    def set(self, key: str, value: Any) -> None:
        """Keep a value for later tasks; outside a job nothing is kept, but the value is checked all the same."""
        if not isinstance(key, str):
            raise TypeError(f"a task value's key is a string, not {type(key).__name__}")
        self._check(key, value)
        if self._context and self._context.called:
            said = "give it back with dbutils.notebook.exit, and set it in the notebook that called this one"
            raise NotEmulated(f"a notebook that another one runs sets no task value '{key}' here; {said}")
        if self._context:
            job_context.set_value(Path(self._context.folder), key, value)

    def get(self, taskKey: str, key: str, default: Any = None, debugValue: Any = None) -> Any:
        """Give an earlier task's value; outside a job `debugValue`, and TypeError without one."""
        if self._context is None or not self._context.tasks:
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

    def _check(self, key: str, value: Any) -> None:
        try:
            size = len(json.dumps(value, allow_nan=False).encode())
        except (TypeError, ValueError) as error:
            raise TaskValueError(f"task value '{key}' is not JSON: {error}") from None
        if size > _MOST_BYTES:
            raise TaskValueError(f"task value '{key}' has {size} bytes as JSON; at most {_MOST_BYTES} are allowed")
        if self._redaction.holds(value):
            said = "the run's record would show it: read the secret in the task that needs it"
            raise TaskValueError(f"task value '{key}' holds a secret, and {said}")
