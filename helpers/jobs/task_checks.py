"""What is wrong with one task although every field has its right name and type; pure, but that it looks for files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.jobs import conditions, loops, queries, references, source_notebook
from helpers.jobs.errors import (
    BadReference,
    ConditionError,
    LoopInputError,
    MissingField,
    MissingFile,
    Mistake,
    NotSupported,
    WrongValue,
)
from helpers.jobs.files import PIPELINE_ID, Around, is_file, notebook_file, pipeline_file
from helpers.jobs.support import KINDS
from helpers.jobs.walk import inside

_KEY = re.compile(r"[A-Za-z0-9_-]{1,100}")
#: What may be repeated here; Databricks refuses a for-each task in another one.
_REPEATED = frozenset(KINDS) - {"for_each_task", "condition_task"}
_MOST_AT_ONCE = 100
_MOST_WEBHOOKS = 3


def mistakes(task: Mapping[str, Any], path: str, around: Around) -> Iterator[Mistake]:
    """Everything wrong with one task, and with the one inside it."""
    yield from _one(task, path, around)
    nested = inside(task)
    if nested is not None:
        where = f"{path}.for_each_task.task"
        yield from _nested(nested, where)
        yield from _one(nested, where, around)


def warnings_and_hooks(owner: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    """What is wrong with the health rules and webhooks of a job or a task."""
    for index, rule in enumerate(owner.get("health", {}).get("rules", ())):
        metric, value = rule.get("metric"), rule.get("value", 1)
        if metric not in (None, "RUN_DURATION_SECONDS"):
            said = f"{metric} is not measured here; there is RUN_DURATION_SECONDS"
            yield NotSupported(said, path=f"{path}health.rules[{index}].metric")
        if value < 1:
            yield WrongValue(f"{value} is not 1 or more", path=f"{path}health.rules[{index}].value")
    for event, hooks in owner.get("webhook_notifications", {}).items():
        if len(hooks) > _MOST_WEBHOOKS:
            said = f"an event has at most {_MOST_WEBHOOKS} webhooks, not {len(hooks)}"
            yield WrongValue(said, path=f"{path}webhook_notifications.{event}")


def _one(task: Mapping[str, Any], path: str, around: Around) -> Iterator[Mistake]:
    if not _KEY.fullmatch(task.get("task_key", "_")):
        said = f"'{task['task_key']}' is not 1 to 100 letters, digits, '_' and '-'"
        yield WrongValue(said, path=f"{path}.task_key")
    kinds = [field for field in task if field.endswith("_task")]
    if len(kinds) != 1:
        said = f"a task has one kind of work, such as notebook_task; this one has {' and '.join(kinds) or 'none'}"
        yield (WrongValue if kinds else MissingField)(said, path=path)
    yield from warnings_and_hooks(task, f"{path}.")
    yield from _condition(task.get("condition_task"), f"{path}.condition_task")
    yield from _loop(task.get("for_each_task"), f"{path}.for_each_task")
    yield from _files(task, path, around)


def _nested(task: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for field in ("depends_on", "run_if"):
        if field in task:
            said = f"the task inside a for-each task has no {field}; set it on the for-each task"
            yield WrongValue(said, path=f"{path}.{field}")
    for kind in task.keys() & (set(KINDS) - _REPEATED):
        yield NotSupported(f"a for-each task cannot repeat a {kind}", path=f"{path}.{kind}")


def _condition(condition: Mapping[str, Any] | None, path: str) -> Iterator[Mistake]:
    if condition is None or not {"op", "left", "right"} <= condition.keys():
        return
    left, right = condition["left"], condition["right"]
    if references.has_reference(left) or references.has_reference(right):
        return
    try:
        conditions.outcome(condition["op"], left, right)
    except ConditionError as error:
        yield WrongValue(str(error), path=path)


def _loop(loop: Mapping[str, Any] | None, path: str) -> Iterator[Mistake]:
    if loop is None:
        return
    at_once = loop.get("concurrency", 1)
    if not 1 <= at_once <= _MOST_AT_ONCE:
        yield WrongValue(f"{at_once} is not from 1 to {_MOST_AT_ONCE}", path=f"{path}.concurrency")
    inputs = loop.get("inputs", "[]")
    if said := loops.too_long(inputs):
        yield WrongValue(said, path=f"{path}.inputs")
        return
    if references.has_reference(inputs):
        return
    try:
        loops.elements(inputs)
    except LoopInputError as error:
        yield WrongValue(str(error), path=f"{path}.inputs")


def _files(task: Mapping[str, Any], path: str, around: Around) -> Iterator[Mistake]:
    folder = around.folder
    notebook = task.get("notebook_task", {}).get("notebook_path")
    if notebook is not None:
        found = notebook_file(folder, notebook)
        yield from _notebook(found, f"{path}.notebook_task.notebook_path")
    script = task.get("spark_python_task", {}).get("python_file")
    if script is not None:
        yield from _there(folder / script, "Python file", f"{path}.spark_python_task.python_file")
    yield from _sql(task.get("sql_task"), f"{path}.sql_task", folder)
    pipeline = task.get("pipeline_task", {}).get("pipeline_id")
    if pipeline is not None and around.pipeline(pipeline) is None:
        yield from _pipeline(pipeline, f"{path}.pipeline_task.pipeline_id", folder)


def _notebook(file: Path, path: str) -> Iterator[Mistake]:
    yield from _there(file, "notebook", path)
    if file.suffix == ".py":
        for said in source_notebook.problems(file):
            yield NotSupported(said, path=path)


def _sql(sql: Mapping[str, Any] | None, path: str, folder: Path) -> Iterator[Mistake]:
    if sql is None:
        return
    # `alert` and `dashboard` are refused by their names.
    if not sql.keys() & {"file", "query", "alert", "dashboard"}:
        said = 'a SQL task needs its file, {"file": {"path": "report.sql"}}, or a saved query'
        yield MissingField(said, path=path)
    if {"file", "query"} <= sql.keys():
        yield WrongValue("a SQL task has either a file or a query", path=path)
    if "path" in sql.get("file", {}):
        yield from _there(folder / sql["file"]["path"], "SQL file", f"{path}.file.path")
    if "query_id" in sql.get("query", {}):
        yield from queries.mistakes(folder, sql["query"]["query_id"], f"{path}.query.query_id")


def _there(file: Path, what: str, path: str) -> Iterator[Mistake]:
    if not is_file(file):
        yield MissingFile(f"there is no {what} {file}; paths are relative to the definition", path=path)


def _pipeline(pipeline_id: str, path: str, folder: Path) -> Iterator[Mistake]:
    settings = pipeline_file(folder, pipeline_id)
    if settings is None:
        yield BadReference(f"'{pipeline_id}' has not the form ${{resources.pipelines.NAME.id}}", path=path)
    elif not is_file(settings):
        name = PIPELINE_ID.fullmatch(pipeline_id)[1]  # type: ignore[index]
        yield MissingFile(f"there is neither {name}.pipeline.json nor pipeline.json in {folder}", path=path)
