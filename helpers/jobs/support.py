"""Which fields of the Jobs API this runner obeys, which it leaves aside and says so, and which it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.jobs.errors import Mistake, NotSupported
from helpers.jobs.model import Ignored
from helpers.jobs.walk import every_task

#: Keys of a job that its settings do not have: a bundle's, and that of `POST /api/2.2/jobs/create`.
BESIDE = {
    "permissions": "one user runs everything here",
    "access_control_list": "one user runs everything here",
    "lifecycle": "nothing is deployed here",
}

_HERE = "tasks run on this machine"
_NOT_BILLED = "nothing is billed here"
_JOB = frozenset({"name", "description", "tags", "tasks", "parameters", "max_concurrent_runs", "timeout_seconds",
                  "queue", "email_notifications", "notification_settings", "webhook_notifications", "health",
                  "schedule", "trigger", "continuous"})  # fmt: skip
_JOB_IGNORED = {
    "job_clusters": _HERE,
    "environments": "of their dependencies only wheel files are used; install the others here",
    "run_as": "tasks run as you",
    "performance_target": _HERE,
    "budget_policy_id": _NOT_BILLED,
    "usage_policy_id": _NOT_BILLED,
    "deployment": "nothing is deployed here",
    "edit_mode": "there is no job editor here",
    "format": "it is set by Databricks",
    "parent_path": "the job stays in its file",
}
KINDS = ("notebook_task", "pipeline_task", "sql_task", "spark_python_task", "python_wheel_task", "run_job_task",
         "condition_task", "for_each_task")  # fmt: skip
_TASK = frozenset({"task_key", "description", "depends_on", "run_if", *KINDS, "max_retries",
                   "min_retry_interval_millis", "retry_on_timeout", "timeout_seconds", "email_notifications",
                   "notification_settings", "webhook_notifications", "health", "libraries"})  # fmt: skip
_TASK_IGNORED = {
    "job_cluster_key": _HERE,
    "new_cluster": _HERE,
    "existing_cluster_id": _HERE,
    "compute": _HERE,
    "environment_key": _HERE,
    "disable_auto_optimization": "there is no serverless compute here",
}
_RETRIES = ("max_retries", "min_retry_interval_millis", "retry_on_timeout", "timeout_seconds")
_EVENTS = frozenset({"on_start", "on_success", "on_failure", "on_duration_warning_threshold_exceeded"})
_PARTS = {
    "notebook_task": frozenset({"notebook_path", "base_parameters", "source", "warehouse_id"}),
    "pipeline_task": frozenset(
        {"pipeline_id", "parameters", "full_refresh", "refresh_selection", "full_refresh_selection"}
    ),
    "spark_python_task": frozenset({"python_file", "parameters", "source"}),
    "python_wheel_task": frozenset({"package_name", "entry_point", "parameters", "named_parameters"}),
    "sql_task": frozenset({"file", "query", "parameters", "warehouse_id"}),
    "run_job_task": frozenset({"job_id", "job_parameters"}),
    "email_notifications": _EVENTS | {"no_alert_for_skipped_runs"},
    "webhook_notifications": _EVENTS,
}
_INSTEAD = {
    "triggers": "; use trigger",
    "git_source": "; use paths relative to the definition",
    "alert": "; use file or query",
    "dashboard": "; use file or query",
}


def unsupported(settings: Mapping[str, Any]) -> Iterator[Mistake]:
    """Name each field that Databricks would act on and this runner cannot."""
    yield from _beyond(settings, _JOB | _JOB_IGNORED.keys(), "")
    yield from _parts(settings, "")
    for task, path in every_task(settings):
        yield from _beyond(task, _TASK | _TASK_IGNORED.keys(), f"{path}.")
        yield from _parts(task, f"{path}.")
        yield from _retries(task, f"{path}.")


def ignored(settings: Mapping[str, Any]) -> Iterator[Ignored]:
    """Name each field that means nothing on one machine; the same field of several tasks is one entry."""
    for field, why in _JOB_IGNORED.items():
        if field in settings:
            yield Ignored(field, why)
    tasks = [task for task, _ in every_task(settings)]
    for field, why in _TASK_IGNORED.items():
        if keys := [str(task.get("task_key")) for task in tasks if field in task]:
            yield Ignored(f"{field} of {', '.join(keys)}", why)
    if keys := [str(task.get("task_key")) for task in tasks if any("pypi" in one for one in task.get("libraries", ()))]:
        yield Ignored(f"pypi libraries of {', '.join(keys)}", "a run installs nothing: they are used as they are here")
    if keys := [str(task.get("task_key")) for task in tasks for part in _PARTS if "warehouse_id" in task.get(part, ())]:
        yield Ignored(f"warehouse_id of {', '.join(keys)}", "statements run on the local session")


def _parts(owner: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for part, fields in _PARTS.items():
        yield from _beyond(owner.get(part, {}), fields, f"{path}{part}.")
    sources = {part: owner.get(part, {}) for part in ("notebook_task", "spark_python_task")}
    sources["sql_task.file"] = owner.get("sql_task", {}).get("file", {})
    for part, work in sources.items():
        if work.get("source") == "GIT":
            said = f"source GIT is not supported here{_INSTEAD['git_source']}"
            yield NotSupported(said, path=f"{path}{part}.source")


def _retries(task: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for kind, why in (
        ("condition_task", "a condition task has no retries and no time-out; leave it out"),
        ("for_each_task", "it is not supported here on a for-each task; set it on the task inside"),
    ):
        for field in _RETRIES:
            if kind in task and task.get(field):
                yield NotSupported(why, path=f"{path}{field}")


def _beyond(owner: Mapping[str, Any], fields: frozenset[str] | set[str], path: str) -> Iterator[Mistake]:
    for field, value in owner.items():
        # `disabled: false` and empty lists ask for nothing.
        if field not in fields and value not in (False, None):
            kinds = f"; a task here is one of {', '.join(KINDS)}" if field.endswith("_task") else ""
            said = f"{field} is not supported here{_INSTEAD.get(field, kinds)}"
            yield NotSupported(said, path=f"{path}{field}")
