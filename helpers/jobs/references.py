"""Dynamic value references: `{{job.run_id}}`, `{{tasks.t.values.k}}` and the like, in parameters.

Imitates https://docs.databricks.com/jobs/dynamic-value-references.html: unknown text in braces stays as it is, a
wrong key in a known namespace is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from helpers.jobs.errors import UnresolvedReference

_BRACES = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_PART = re.compile(r"`([^`]*)`|([^.`]+)")
_NAMESPACES = frozenset({"job", "task", "tasks", "workspace"})
_JOB = ("id", "name", "run_id", "repair_count", "start_time.iso_date", "start_time.timestamp_ms")
_TASK = ("name", "run_id")
#: The old names, which Databricks still fills in.
_DEPRECATED = {
    "job_id": "job.id",
    "run_id": "task.run_id",
    "start_date": "job.start_time.iso_date",
    "task_key": "task.name",
}


@dataclass(frozen=True)
class Values:
    """What references stand for when one task starts; times in milliseconds since 1970."""

    job_id: int
    job_name: str
    run_id: int
    start_time: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    task_key: str | None = None
    task_run_id: int | None = None
    results: Mapping[str, str] = field(default_factory=dict)
    task_values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def problems(
    text: str, *, parameters: frozenset[str], tasks: frozenset[str], upstream: frozenset[str] | None
) -> Iterator[str]:
    """Say what is wrong with each reference in a text, before anything runs.

    `upstream` are the tasks that end before the text is filled in; None where no task is at hand, in a job parameter.
    """
    for match in _BRACES.finditer(text):
        said = _problem(_parts(match[1]), parameters=parameters, tasks=tasks, upstream=upstream)
        if said:
            yield f"'{match[0]}' {said}"


def resolve(text: str, values: Values) -> str:
    """Fill in each reference; UnresolvedReference when a task value is not there."""
    return _BRACES.sub(lambda match: _text(match, values), text)


def _parts(inside: str) -> tuple[str, ...]:
    return tuple(quoted or bare for quoted, bare in _PART.findall(inside)) or (inside,)


def _problem(
    parts: tuple[str, ...], *, parameters: frozenset[str], tasks: frozenset[str], upstream: frozenset[str] | None
) -> str | None:
    if parts[0] in _DEPRECATED and len(parts) == 1:
        return f"is an old form; write '{{{{{_DEPRECATED[parts[0]]}}}}}'"
    if parts[0] not in _NAMESPACES:
        return None
    if upstream is None and parts[0] != "job":
        return "has no value in a job parameter, where no task is at hand"
    if parts[:2] == ("job", "parameters") and len(parts) == 3:
        if upstream is None:
            return "refers to a job parameter from a job parameter"
        return None if parts[2] in parameters else "names a parameter that the job does not define"
    if parts[0] == "tasks":
        return _task_problem(parts, tasks=tasks, upstream=upstream or frozenset())
    known = {"job": _JOB, "task": _TASK}.get(parts[0], ())
    if ".".join(parts[1:]) in known:
        return None
    all_known = [*(f"job.{key}" for key in _JOB), "job.parameters.<name>", *(f"task.{key}" for key in _TASK)]
    return "has no value here; there are " + ", ".join(all_known)


def _task_problem(parts: tuple[str, ...], *, tasks: frozenset[str], upstream: frozenset[str]) -> str | None:
    if not (parts[2:] == ("result_state",) or (len(parts) == 4 and parts[2] == "values")):
        return "has no value here; there are tasks.<task>.values.<key> and tasks.<task>.result_state"
    if parts[1] not in tasks:
        return f"names task '{parts[1]}', which is not in the job"
    return None if parts[1] in upstream else f"names task '{parts[1]}', which does not run before this one"


def _text(match: re.Match[str], values: Values) -> str:
    parts = _parts(match[1])
    if parts[0] not in _NAMESPACES:
        return match[0]
    if parts[0] == "tasks":
        return _task_text(match[0], parts, values)
    if parts[:2] == ("job", "parameters"):
        return values.parameters[parts[2]]
    started = datetime.fromtimestamp(values.start_time / 1000, UTC)
    return {
        "job.id": str(values.job_id),
        "job.name": values.job_name,
        "job.run_id": str(values.run_id),
        "job.repair_count": "0",
        "job.start_time.iso_date": started.date().isoformat(),
        "job.start_time.timestamp_ms": str(values.start_time),
        "task.name": str(values.task_key),
        "task.run_id": str(values.task_run_id),
    }[".".join(parts)]


def _task_text(reference: str, parts: tuple[str, ...], values: Values) -> str:
    if parts[2] == "result_state":
        return values.results[parts[1]].lower()
    found = values.task_values.get(parts[1], {})
    if parts[3] not in found:
        said = f"task '{parts[1]}' did not call dbutils.jobs.taskValues.set(key='{parts[3]}', ...)"
        raise UnresolvedReference(f"'{reference}' has no value: {said}")
    value = found[parts[3]]
    return value if isinstance(value, str) else json.dumps(value)
