"""Which fields of the Jobs API this runner obeys, which it leaves aside and says so, and which it refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from helpers.jobs.errors import Mistake, NotSupported
from helpers.jobs.model import Ignored

#: Keys of a bundle's job that the Jobs API does not have.
BUNDLE_KEYS = {"permissions": "one user runs everything here", "lifecycle": "nothing is deployed here"}

_HERE = "tasks run on this machine"
_NOT_BILLED = "nothing is billed here"
_JOB = frozenset({"name", "description", "tags", "tasks", "parameters", "max_concurrent_runs", "timeout_seconds",
                  "email_notifications", "notification_settings"})  # fmt: skip
_JOB_IGNORED = {
    "job_clusters": _HERE,
    "environments": "tasks run in this environment; install what they need here",
    "schedule": "a run starts when you start it",
    "queue": "a run that is one too many is skipped, not queued",
    "run_as": "tasks run as you",
    "performance_target": _HERE,
    "budget_policy_id": _NOT_BILLED,
    "usage_policy_id": _NOT_BILLED,
    "deployment": "nothing is deployed here",
    "edit_mode": "there is no job editor here",
    "format": "it is set by Databricks",
    "parent_path": "the job stays in its file",
}
_TASK = frozenset({"task_key", "description", "depends_on", "run_if", "notebook_task", "pipeline_task", "max_retries",
                   "min_retry_interval_millis", "retry_on_timeout", "timeout_seconds", "email_notifications",
                   "notification_settings"})  # fmt: skip
_TASK_IGNORED = {
    "job_cluster_key": _HERE,
    "new_cluster": _HERE,
    "existing_cluster_id": _HERE,
    "compute": _HERE,
    "environment_key": _HERE,
    "disable_auto_optimization": "there is no serverless compute here",
}
_EMAILS = frozenset({"on_start", "on_success", "on_failure", "no_alert_for_skipped_runs"})
_PIPELINE = frozenset({"pipeline_id", "parameters", "full_refresh", "refresh_selection", "full_refresh_selection"})
_PARTS = {
    "notebook_task": frozenset({"notebook_path", "base_parameters", "source"}),
    "pipeline_task": _PIPELINE,
    "email_notifications": _EMAILS,
}
_INSTEAD = {
    "libraries": "; install what the task needs in this environment and leave them out",
    "health": "; use timeout_seconds",
    "webhook_notifications": "; use email_notifications",
    "continuous": "; start a run yourself",
    "trigger": "; start a run yourself",
    "triggers": "; start a run yourself",
    "git_source": "; use paths relative to the definition",
}


def unsupported(settings: Mapping[str, Any]) -> Iterator[Mistake]:
    """Name each field that Databricks would act on and this runner cannot."""
    yield from _beyond(settings, _JOB | _JOB_IGNORED.keys(), "")
    yield from _parts(settings, "")
    for index, task in enumerate(settings.get("tasks", ())):
        yield from _beyond(task, _TASK | _TASK_IGNORED.keys(), f"tasks[{index}].")
        yield from _parts(task, f"tasks[{index}].")


def ignored(settings: Mapping[str, Any]) -> Iterator[Ignored]:
    """Name each field that means nothing on one machine; the same field of several tasks is one entry."""
    for field, why in _JOB_IGNORED.items():
        if field in settings:
            yield Ignored(field, why)
    for field, why in _TASK_IGNORED.items():
        keys = [str(task.get("task_key")) for task in settings.get("tasks", ()) if field in task]
        if keys:
            yield Ignored(f"{field} of {', '.join(keys)}", why)


def _parts(owner: Mapping[str, Any], path: str) -> Iterator[Mistake]:
    for part, fields in _PARTS.items():
        yield from _beyond(owner.get(part, {}), fields, f"{path}{part}.")
    if owner.get("notebook_task", {}).get("source") == "GIT":
        said = f"source GIT is not supported here{_INSTEAD['git_source']}"
        yield NotSupported(said, path=f"{path}notebook_task.source")


def _beyond(owner: Mapping[str, Any], fields: frozenset[str] | set[str], path: str) -> Iterator[Mistake]:
    for field, value in owner.items():
        # `disabled: false` and empty lists ask for nothing.
        if field not in fields and value not in (False, None):
            said = f"{field} is not supported here{_INSTEAD.get(field, '')}"
            yield NotSupported(said, path=f"{path}{field}")
