"""What is wrong with a job although every field has its right name and type; pure, but that it looks for files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from helpers.jobs import plan, references
from helpers.jobs.errors import (
    BadReference,
    DuplicateKey,
    MissingField,
    MissingFile,
    Mistake,
    NotSupported,
    TaskCycle,
    UnknownTask,
    WrongValue,
)
from helpers.jobs.schema import nearest

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
_PARAMETER = re.compile(r"[A-Za-z0-9_.-]+")
_SUBSTITUTION = re.compile(r"\$\{[^}]*\}")
_PIPELINE_ID = re.compile(r"\$\{resources\.pipelines\.([A-Za-z0-9_-]+)\.id\}")
_LEAST = {"max_retries": -1, "min_retry_interval_millis": 0, "timeout_seconds": 0, "max_concurrent_runs": 0}
_MOST = {"max_concurrent_runs": 1000}
_TASKS = 1000


def mistakes(settings: Mapping[str, Any], folder: Path) -> Iterator[Mistake]:
    """Everything that the field names and types do not show; paths are relative to `folder`."""
    tasks = settings.get("tasks", [])
    yield from _numbers(settings, "")
    yield from _job(settings)
    yield from _graph(tasks)
    yield from _strings(settings, "")
    for index, task in enumerate(tasks):
        yield from _task(task, f"tasks[{index}]", folder)
    yield from _references(settings)


def nodes(tasks: Sequence[Mapping[str, Any]]) -> tuple[plan.Node, ...]:
    """The tasks as a graph; a task without a key is left out."""
    return tuple(
        plan.Node(task["task_key"], _upstream(task), task.get("run_if", "ALL_SUCCESS"))
        for task in tasks
        if "task_key" in task
    )


def notebook_file(folder: Path, notebook_path: str) -> Path:
    """Where a notebook of this path is, with or without `.ipynb`, which workspace paths leave out."""
    path = folder / notebook_path
    return path if path.suffix == ".ipynb" else path.with_name(path.name + ".ipynb")


def pipeline_file(folder: Path, pipeline_id: str) -> Path | None:
    """Where the settings of `${resources.pipelines.NAME.id}` are, beside the job; None for any other id.

    That is `NAME.pipeline.json` or, where there is none, `pipeline.json`: NAME is a bundle's key, which
    the settings themselves do not hold.
    """
    match = _PIPELINE_ID.fullmatch(pipeline_id)
    if match is None:
        return None
    named = folder / f"{match[1]}.pipeline.json"
    return named if named.exists() else folder / "pipeline.json"


def _upstream(task: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry["task_key"] for entry in task.get("depends_on", []) if "task_key" in entry))


def _numbers(owner: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for field, least in _LEAST.items():
        most = _MOST.get(field)
        value = owner.get(field, 0)
        if value < least or (most is not None and value > most):
            limits = f"{least} or more" if most is None else f"from {least} to {most}"
            yield WrongValue(f"{value} is not {limits}", path=f"{path}{field}")


def _job(settings: Mapping[str, Any]) -> Iterator[Mistake]:
    tasks = settings.get("tasks", [])
    if not tasks:
        yield MissingField("a job needs at least one task", path="tasks")
    if len(tasks) > _TASKS:
        yield WrongValue(f"a job has at most {_TASKS} tasks, not {len(tasks)}", path="tasks")
    yield from _twice(settings.get("parameters", []), "name", "parameters")
    yield from _twice(settings.get("job_clusters", []), "job_cluster_key", "job_clusters")
    for index, parameter in enumerate(settings.get("parameters", [])):
        if not _PARAMETER.fullmatch(parameter.get("name", "_")):
            said = f"'{parameter['name']}' has other characters than letters, digits, '_', '-' and '.'"
            yield WrongValue(said, path=f"parameters[{index}].name")
    if "schedule" in settings:
        yield from _schedule(settings["schedule"])


def _schedule(schedule: Mapping[str, Any]) -> Iterator[Mistake]:
    cron = schedule.get("quartz_cron_expression", "0 0 0 * * ?")
    fields = cron.split()
    where = "schedule.quartz_cron_expression"
    if len(fields) not in (6, 7):
        yield WrongValue(f"'{cron}' has {len(fields)} fields; Quartz has 6 or 7, seconds first", path=where)
    elif (fields[3] == "?") == (fields[5] == "?"):
        yield WrongValue(f"'{cron}' needs one '?': in the day of month or in the day of week", path=where)
    try:
        ZoneInfo(schedule.get("timezone_id", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        said = f"'{schedule['timezone_id']}' is no time zone, such as 'Europe/Berlin' or 'UTC'"
        yield WrongValue(said, path="schedule.timezone_id")


def _graph(tasks: Sequence[Mapping[str, Any]]) -> Iterator[Mistake]:
    yield from _twice(tasks, "task_key", "tasks")
    keys = [task["task_key"] for task in tasks if "task_key" in task]
    for index, task in enumerate(tasks):
        for position, upstream in enumerate(_upstream(task)):
            if upstream not in keys:
                said = f"task '{task.get('task_key')}' depends on '{upstream}', which is not in the job"
                yield UnknownTask(said + nearest(upstream, keys), path=f"tasks[{index}].depends_on[{position}]")
    found = plan.cycle(nodes(tasks))
    if found:
        yield TaskCycle(f"these tasks wait for each other: {' -> '.join(found)}", path="tasks")


def _twice(owners: Sequence[Mapping[str, Any]], field: str, path: str) -> Iterator[Mistake]:
    counts = Counter(owner[field] for owner in owners if field in owner)
    for key, count in counts.items():
        if count > 1:
            yield DuplicateKey(f"{field} '{key}' is there {count} times", path=path)


def _task(task: Mapping[str, Any], path: str, folder: Path) -> Iterator[Mistake]:
    yield from _numbers(task, f"{path}.")
    if not _KEY.fullmatch(task.get("task_key", "_")):
        said = f"'{task['task_key']}' is not 1 to 100 letters, digits, '_' and '-'"
        yield WrongValue(said, path=f"{path}.task_key")
    for position, entry in enumerate(task.get("depends_on", [])):
        if "outcome" in entry:
            said = "outcome needs a condition task, which is not supported here"
            yield NotSupported(said, path=f"{path}.depends_on[{position}].outcome")
    kinds = [field for field in task if field.endswith("_task")]
    if len(kinds) != 1:
        said = f"a task has one kind of work, such as notebook_task; this one has {' and '.join(kinds) or 'none'}"
        yield (WrongValue if kinds else MissingField)(said, path=path)
    yield from _files(task, path, folder)


def _files(task: Mapping[str, Any], path: str, folder: Path) -> Iterator[Mistake]:
    notebook = task.get("notebook_task", {}).get("notebook_path")
    if notebook is not None and not notebook_file(folder, notebook).is_file():
        said = f"there is no notebook {notebook_file(folder, notebook)}; paths are relative to the definition"
        yield MissingFile(said, path=f"{path}.notebook_task.notebook_path")
    pipeline = task.get("pipeline_task", {}).get("pipeline_id")
    if pipeline is None:
        return
    where = f"{path}.pipeline_task.pipeline_id"
    settings = pipeline_file(folder, pipeline)
    if settings is None:
        yield BadReference(f"'{pipeline}' has not the form ${{resources.pipelines.NAME.id}}", path=where)
    elif not settings.is_file():
        name = _PIPELINE_ID.fullmatch(pipeline)[1]  # type: ignore[index]
        said = f"there is neither {name}.pipeline.json nor pipeline.json in {folder}"
        yield MissingFile(said, path=where)


def _strings(value: Any, path: str) -> Iterator[Mistake]:
    """Each `${...}` left in a string, but for pipeline ids, which have their own check."""
    if isinstance(value, str) and not path.endswith(".pipeline_id"):
        for found in _SUBSTITUTION.findall(value):
            yield BadReference(f"nothing fills in {found} here; write the value", path=path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")


def _references(settings: Mapping[str, Any]) -> Iterator[Mistake]:
    tasks = settings.get("tasks", [])
    graph = nodes(tasks)
    parameters = frozenset(item["name"] for item in settings.get("parameters", []) if "name" in item)
    keys = frozenset(node.key for node in graph)
    for index, item in enumerate(settings.get("parameters", [])):
        for said in references.problems(item.get("default", ""), parameters=parameters, tasks=keys, upstream=None):
            yield BadReference(said, path=f"parameters[{index}].default")
    for index, task in enumerate(tasks):
        upstream = plan.ancestors(graph, task.get("task_key", ""))
        for path, values in (("notebook_task", "base_parameters"), ("pipeline_task", "parameters")):
            for name, text in task.get(path, {}).get(values, {}).items():
                for said in references.problems(text, parameters=parameters, tasks=keys, upstream=upstream):
                    yield BadReference(said, path=f"tasks[{index}].{path}.{values}.{name}")
