"""What is wrong with a job although every field has its right name and type; pure, but that it looks for files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from helpers.jobs import libraries, plan, references, schedules, task_checks
from helpers.jobs.errors import BadReference, DuplicateKey, MissingField, Mistake, TaskCycle, UnknownTask, WrongValue
from helpers.jobs.files import Around
from helpers.jobs.references import Place
from helpers.jobs.schema import nearest
from helpers.jobs.walk import every_task, inside, texts

_PARAMETER = re.compile(r"[A-Za-z0-9_.-]+")
_SUBSTITUTION = re.compile(r"\$\{[^}]*\}")
#: Fields whose `${...}` has a check of its own.
_IDS = (".pipeline_id", ".job_id")
_LEAST = {"max_retries": -1, "min_retry_interval_millis": 0, "timeout_seconds": 0, "max_concurrent_runs": 0}
_MOST = {"max_concurrent_runs": 1000}
_TASKS, _TAGS = 1000, 25


def mistakes(settings: Mapping[str, Any], around: Around) -> Iterator[Mistake]:
    """Everything that the field names and types do not show."""
    tasks = settings.get("tasks", [])
    yield from _numbers(settings, "")
    yield from _job(settings)
    yield from _graph(tasks)
    yield from _strings(settings, "")
    for task, path in every_task(settings):
        yield from _numbers(task, f"{path}.")
    for index, task in enumerate(tasks):
        yield from task_checks.mistakes(task, f"tasks[{index}]", around)
    yield from libraries.mistakes(settings, around.folder)
    yield from _references(settings)


def nodes(tasks: Sequence[Mapping[str, Any]]) -> tuple[plan.Node, ...]:
    """The tasks as a graph; a task without a key is left out."""
    return tuple(
        plan.Node(task["task_key"], _upstream(task), task.get("run_if", "ALL_SUCCESS"), _outcomes(task))
        for task in tasks
        if "task_key" in task
    )


def _upstream(task: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry["task_key"] for entry in task.get("depends_on", []) if "task_key" in entry))


def _outcomes(task: Mapping[str, Any]) -> dict[str, str]:
    entries = task.get("depends_on", [])
    return {entry["task_key"]: entry["outcome"] for entry in entries if {"task_key", "outcome"} <= entry.keys()}


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
    if len(tags := settings.get("tags", {})) > _TAGS:
        yield WrongValue(f"a job has at most {_TAGS} tags, not {len(tags)}", path="tags")
    yield from _twice(settings.get("parameters", []), "name", "parameters")
    yield from _twice(settings.get("job_clusters", []), "job_cluster_key", "job_clusters")
    for index, parameter in enumerate(settings.get("parameters", [])):
        if not _PARAMETER.fullmatch(parameter.get("name", "_")):
            said = f"'{parameter['name']}' has other characters than letters, digits, '_', '-' and '.'"
            yield WrongValue(said, path=f"parameters[{index}].name")
    yield from task_checks.warnings_and_hooks(settings, "")
    yield from schedules.mistakes(settings)


def _graph(tasks: Sequence[Mapping[str, Any]]) -> Iterator[Mistake]:
    yield from _twice(tasks, "task_key", "tasks")
    by_key = {task["task_key"]: task for task in tasks if "task_key" in task}
    for index, task in enumerate(tasks):
        for position, entry in enumerate(task.get("depends_on", [])):
            path = f"tasks[{index}].depends_on[{position}]"
            yield from _dependency(task, entry, path, by_key)
        yield from _twice(task.get("depends_on", []), "task_key", f"tasks[{index}].depends_on")
    places = {task["task_key"]: index for index, task in enumerate(tasks) if "task_key" in task}
    graph = nodes(tasks)
    while found := plan.cycle(graph):
        said = f"these tasks wait for each other: {' -> '.join(found)}"
        yield TaskCycle(said, path=f"tasks[{places[found[0]]}].depends_on")
        graph = tuple(node for node in graph if node.key not in found)


def _dependency(
    task: Mapping[str, Any], entry: Mapping[str, Any], path: str, by_key: Mapping[str, Mapping[str, Any]]
) -> Iterator[Mistake]:
    upstream = entry.get("task_key")
    if upstream is None:
        return
    if upstream not in by_key:
        said = f"task '{task.get('task_key')}' depends on '{upstream}', which is not in the job"
        yield UnknownTask(said + nearest(upstream, by_key), path=path)
        return
    outcome = entry.get("outcome")
    if outcome is None:
        return
    if "condition_task" not in by_key[upstream]:
        said = f"outcome is for condition tasks, and '{upstream}' is none; leave it out, or use run_if"
        yield WrongValue(said, path=f"{path}.outcome")
    elif outcome not in ("true", "false"):
        said = f'{outcome!r} is not "true" or "false"{nearest(outcome.lower(), ("true", "false"))}'
        yield WrongValue(said, path=f"{path}.outcome")


def _twice(owners: Sequence[Mapping[str, Any]], field: str, path: str) -> Iterator[Mistake]:
    places = {owner[field]: index for index, owner in enumerate(owners) if field in owner}
    counts = Counter(owner[field] for owner in owners if field in owner)
    for key, count in counts.items():
        if count > 1:
            yield DuplicateKey(f"{field} '{key}' is there {count} times", path=f"{path}[{places[key]}].{field}")


def _strings(value: Any, path: str) -> Iterator[Mistake]:
    """Each `${...}` left in a string, but for the ids of pipelines and jobs, which have their own check."""
    if isinstance(value, str) and not path.endswith(_IDS):
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
        for said in references.problems(item.get("default", ""), Place(parameters, keys)):
            yield BadReference(said, path=f"parameters[{index}].default")
    for index, task in enumerate(tasks):
        place = Place(parameters, keys, plan.ancestors(graph, task.get("task_key", "")))
        yield from _in_task(task, f"tasks[{index}]", place)
        nested = inside(task)
        if nested is not None:
            in_loop = Place(parameters, keys, place.upstream, in_loop=True)
            yield from _in_task(nested, f"tasks[{index}].for_each_task.task", in_loop)


def _in_task(task: Mapping[str, Any], path: str, place: Place) -> Iterator[Mistake]:
    for text, where in texts(task):
        for said in references.problems(text, place):
            yield BadReference(said, path=f"{path}.{where}")
