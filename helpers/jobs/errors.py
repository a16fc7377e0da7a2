"""What can be wrong with a job: in its definition, before it starts, or while one of its tasks runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from helpers.errors import LakeprepError


class JobError(LakeprepError):
    """The base of every error of this room."""


class JobFileError(JobError):
    """The job's file cannot be read."""


class JobSyntaxError(JobError):
    """The job's file is not JSON; line and column count from 1."""

    def __init__(self, message: str, *, source: Path, line: int, column: int) -> None:
        super().__init__(f"{source}:{line}:{column}: {message}")
        self.source, self.line, self.column = source, line, column


class Mistake(JobError):
    """One thing wrong in a definition, with the path of the field where it is."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.message, self.path = message, path

    def __str__(self) -> str:
        said = f"{type(self).__name__}: {self.message}"
        return f"{self.path}: {said}" if self.path else said


class UnknownField(Mistake):
    """A field that the Jobs API does not have."""


class MissingField(Mistake):
    """A field that the Jobs API requires is not there."""


class WrongValue(Mistake):
    """A value of the wrong type, outside its range, or not in its list."""


class DuplicateKey(Mistake):
    """Two tasks, parameters or clusters of one name."""


class UnknownTask(Mistake):
    """A task depends on, or refers to, a task that the job does not have."""


class TaskCycle(Mistake):
    """Tasks that wait for each other."""


class MissingFile(Mistake):
    """A notebook or a pipeline's settings are not where the definition says."""


class BadReference(Mistake):
    """A `${...}` or `{{...}}` that leads nowhere."""


class NotSupported(Mistake):
    """Something that Databricks runs and this runner does not."""


class JobDefinitionError(JobError):
    """Everything that is wrong in one definition, at once."""

    def __init__(self, mistakes: Sequence[Mistake], *, source: Path) -> None:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        super().__init__("\n".join([f"{source} has {count}:", *(f"  {mistake}" for mistake in mistakes)]))
        self.mistakes, self.source = tuple(mistakes), source


class UnknownParameter(JobError):
    """A run is given a parameter that the job does not define."""


class UnresolvedReference(JobError):
    """A `{{...}}` that has no value when its task starts."""


class RunRecordError(JobError):
    """A run's record cannot be read at all."""


class ConditionError(JobError):
    """A condition task whose operands cannot be compared."""


class LoopInputError(JobError):
    """What a for-each task should go through is not a JSON list."""


class CancelError(JobError):
    """A run cannot be canceled."""


class RepairError(JobError):
    """A run cannot be repaired as asked."""


class BundleError(JobError):
    """A bundle whose files, target or variables do not fit together."""


class WatchError(JobError):
    """A job cannot be watched as asked."""
