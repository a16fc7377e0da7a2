"""The tasks of a definition, with those inside for-each tasks, and where in it they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def every_task(settings: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Give each task and its path, such as `tasks[2]` or `tasks[2].for_each_task.task`."""
    for index, task in enumerate(settings.get("tasks", ())):
        yield task, f"tasks[{index}]"
        nested = inside(task)
        if nested is not None:
            yield nested, f"tasks[{index}].for_each_task.task"


def inside(task: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Give the task that a for-each task repeats."""
    return task.get("for_each_task", {}).get("task")


def texts(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give each text of a task in which references are filled in, and its path in the task."""
    for part, field in (
        ("notebook_task", "base_parameters"),
        ("pipeline_task", "parameters"),
        ("python_wheel_task", "named_parameters"),
        ("sql_task", "parameters"),
        ("run_job_task", "job_parameters"),
    ):
        for name, text in task.get(part, {}).get(field, {}).items():
            yield text, f"{part}.{field}.{name}"
    for part in ("spark_python_task", "python_wheel_task"):
        for index, text in enumerate(task.get(part, {}).get("parameters", ())):
            yield text, f"{part}.parameters[{index}]"
    for part, fields in (("condition_task", ("left", "right")), ("for_each_task", ("inputs",))):
        for field in fields:
            if field in task.get(part, {}):
                yield task[part][field], f"{part}.{field}"
