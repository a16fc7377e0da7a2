"""Dynamic value references: `{{job.run_id}}`, `{{tasks.t.values.k}}` and the like, in parameters.

Imitates https://docs.databricks.com/jobs/dynamic-value-references.html: unknown text in braces stays as it is, a
wrong key in a known namespace is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpers.jobs.errors import ConditionError, UnresolvedReference
from helpers.jobs.schema import nearest

_BRACES = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PART = re.compile(r"`([^`]*)`|([^.`]+)")
_NAMESPACES = frozenset({"job", "task", "tasks", "workspace"})
#: No `{{input}}`: the task is not inside a for-each task.
NO_INPUT: Any = object()
_TRIGGER = ("type", "file_arrival.location", "table_update.updated_tables")
#: The run's start in UTC, whatever the schedule's zone; a weekday is Monday to Friday, and 1 is Monday.
_START: Mapping[str, Callable[[datetime], str]] = {
    "iso_date": lambda start: start.date().isoformat(),
    "year": lambda start: str(start.year),
    "iso_weekday": lambda start: str(start.isoweekday()),
    "is_weekday": lambda start: "true" if start.isoweekday() <= 5 else "false",
}
_JOB = ("id", "name", "run_id", "repair_count", *(f"start_time.{key}" for key in _START), "start_time.timestamp_ms",
        *(f"trigger.{key}" for key in _TRIGGER))  # fmt: skip
_TASK = ("name", "run_id", "execution_count")
#: What started a run that a person started.
BY_HAND: Mapping[str, str] = {"type": "one_time"}
#: What can be asked of another task, besides its values and a SQL task's rows.
_OTHER = ("result_state", "run_id", "execution_count")
#: The old names, which Databricks still fills in.
_DEPRECATED = {
    "job_id": "job.id",
    "run_id": "task.run_id",
    "start_date": "job.start_time.iso_date",
    "task_key": "task.name",
}


@dataclass(frozen=True)
class Values:
    """What references stand for when one task starts; times in milliseconds since 1970.

    `done` are the other tasks' last runs, `input` is the element of a for-each task's list, `trigger` what started the
    run: the texts of `job.trigger.type` and the like, by what follows `job.trigger.`.
    """

    job_id: int
    job_name: str
    run_id: int
    start_time: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    task_key: str | None = None
    task_run_id: int | None = None
    execution_count: int = 1
    repair_count: int = 0
    done: Mapping[str, Done] = field(default_factory=dict)
    input: Any = NO_INPUT
    trigger: Mapping[str, str] = field(default_factory=lambda: BY_HAND)


@dataclass(frozen=True)
class Done:
    """What another task's last run left; `rows` are a SQL task's."""

    result_state: str
    run_id: int = 0
    execution_count: int = 1
    values: Mapping[str, Any] = field(default_factory=dict)
    rows: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Place:
    """Where a text stands: `upstream` are the tasks that end before it is filled in, None in a job parameter."""

    parameters: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    upstream: frozenset[str] | None = None
    in_loop: bool = False


def problems(text: str, place: Place) -> Iterator[str]:
    """Say what is wrong with each reference in a text, before anything runs."""
    for match in _BRACES.finditer(text):
        said = _problem(_parts(match[1]), place)
        if said:
            yield f"'{match[0]}' {said}"


def resolve(text: str, values: Values) -> str:
    """Fill in each reference; UnresolvedReference when a task value is not there."""
    return _BRACES.sub(lambda match: _as_text(_value(match, values)), text)


def resolve_scalar(text: str, values: Values) -> str:
    """The same for a condition's operand, which takes strings, numbers and booleans only: ConditionError otherwise."""

    def fill(match: re.Match[str]) -> str:
        value = _value(match, values)
        if not isinstance(value, str | int | float | bool):
            kind = "null" if value is None else type(value).__name__
            said = "a condition compares strings, numbers and booleans"
            raise ConditionError(f"'{match[0]}' is of type {kind}; {said}")
        return _as_text(value)

    return _BRACES.sub(fill, text)


def has_reference(text: str) -> bool:
    """Whether something in the text is filled in when its task starts."""
    return any(_parts(match[1])[0] in _NAMESPACES for match in _BRACES.finditer(text))


def _parts(inside: str) -> tuple[str, ...]:
    return tuple(quoted or bare for quoted, bare in _PART.findall(inside)) or (inside,)


def _problem(parts: tuple[str, ...], place: Place) -> str | None:
    if parts[0] in _DEPRECATED and len(parts) == 1:
        return f"is an old form; write '{{{{{_DEPRECATED[parts[0]]}}}}}'"
    if parts[0] == "input" and place.in_loop:
        return None if len(parts) <= 2 else "goes too deep; there are {{input}} and {{input.<key>}}"
    if parts[0] not in _NAMESPACES:
        return None
    if place.upstream is None and parts[0] != "job":
        return "has no value in a job parameter, where no task is at hand"
    if parts[:2] == ("job", "parameters") and len(parts) == 3:
        if place.upstream is None:
            return "refers to a job parameter from a job parameter"
        said = f"names a parameter that the job does not define{nearest(parts[2], place.parameters)}"
        return None if parts[2] in place.parameters else said
    if parts[0] == "tasks":
        return _task_problem(parts, place)
    known = {"job": _JOB, "task": _TASK}.get(parts[0], ())
    if ".".join(parts[1:]) in known:
        return None
    all_known = [*(f"job.{key}" for key in _JOB), "job.parameters.<name>", *(f"task.{key}" for key in _TASK)]
    return f"has no value here; there are {', '.join(all_known)}{nearest('.'.join(parts), all_known)}"


def _task_problem(parts: tuple[str, ...], place: Place) -> str | None:
    value = len(parts) == 4 and parts[2] == "values"
    output = parts[2:] in (("output", "rows"), ("output", "first_row")) or (
        len(parts) == 5 and parts[2:4] == ("output", "first_row")
    )
    if not (value or output or (len(parts) == 3 and parts[2] in _OTHER)):
        known = ["values.<key>", *_OTHER, "output.rows", "output.first_row", "output.first_row.<column>"]
        return "has no value here; there are " + ", ".join(f"tasks.<task>.{key}" for key in known)
    if parts[1] not in place.tasks:
        return f"names task '{parts[1]}', which is not in the job{nearest(parts[1], place.tasks)}"
    if parts[1] not in (place.upstream or ()):
        return f"names task '{parts[1]}', which does not run before this one"
    return None


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _value(match: re.Match[str], values: Values) -> Any:
    """What one reference stands for; text in braces that is none stays as it is."""
    parts = _parts(match[1])
    if parts[0] == "input" and values.input is not NO_INPUT:
        return _input(match[0], parts, values.input)
    if parts[0] not in _NAMESPACES:
        return match[0]
    if parts[0] == "tasks":
        return _task_value(match[0], parts, values.done[parts[1]])
    if parts[:2] == ("job", "parameters"):
        return values.parameters[parts[2]]
    return _OWN[".".join(parts)](values)


def _input(reference: str, parts: tuple[str, ...], element: Any) -> Any:
    if len(parts) == 1:
        return element
    if isinstance(element, dict) and parts[1] in element:
        return element[parts[1]]
    raise UnresolvedReference(f"'{reference}' has no value: the input is {json.dumps(element, ensure_ascii=False)}")


def _task_value(reference: str, parts: tuple[str, ...], done: Done) -> Any:
    if parts[2] == "result_state":
        return done.result_state.lower()
    if parts[2] in _OTHER:
        return str(getattr(done, parts[2]))
    if parts[2] == "output":
        return _output(reference, parts, done)
    if parts[3] not in done.values:
        said = f"task '{parts[1]}' did not call dbutils.jobs.taskValues.set(key='{parts[3]}', ...)"
        raise UnresolvedReference(f"'{reference}' has no value: {said}")
    return done.values[parts[3]]


def _output(reference: str, parts: tuple[str, ...], done: Done) -> Any:
    if done.rows is None:
        raise UnresolvedReference(f"'{reference}' has no value: task '{parts[1]}' is no SQL task that gave rows")
    if parts[3] == "rows":
        return list(done.rows)
    if not done.rows:
        raise UnresolvedReference(f"'{reference}' has no value: task '{parts[1]}' gave no row")
    row = done.rows[0]
    if len(parts) == 4:
        return dict(row)
    if parts[4] not in row:
        said = f"the rows of task '{parts[1]}' have the columns {', '.join(row)}"
        raise UnresolvedReference(f"'{reference}' has no value: {said}{nearest(parts[4], row)}")
    return row[parts[4]]


def _started(values: Values) -> datetime:
    return datetime.fromtimestamp(values.start_time / 1000, UTC)


_OWN: Mapping[str, Callable[[Values], str]] = {
    "job.id": lambda values: str(values.job_id),
    "job.name": lambda values: values.job_name,
    "job.run_id": lambda values: str(values.run_id),
    "job.repair_count": lambda values: str(values.repair_count),
    **{f"job.start_time.{key}": lambda values, of=of: of(_started(values)) for key, of in _START.items()},
    "job.start_time.timestamp_ms": lambda values: str(values.start_time),
    "task.name": lambda values: str(values.task_key),
    "task.run_id": lambda values: str(values.task_run_id),
    "task.execution_count": lambda values: str(values.execution_count),
    # Nothing arrived and no table changed when another kind of trigger started the run.
    **{f"job.trigger.{key}": lambda values, key=key: values.trigger.get(key, "") for key in _TRIGGER},
}
