"""A checked definition as a :class:`Job`: every field is known to be there and right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.jobs import checks
from helpers.jobs.files import Around, notebook_file, pipeline_file
from helpers.jobs.libraries import wheel_files
from helpers.jobs.model import Ignored, Job, Notifications, Task
from helpers.jobs.queries import query_files
from helpers.jobs.work import (
    Condition,
    ForEach,
    Notebook,
    Pipeline,
    RunJob,
    Script,
    SqlFile,
    SqlQuery,
    Wheel,
    Work,
)

_EVENTS = ("on_start", "on_success", "on_failure", "on_duration_warning_threshold_exceeded")


def build(
    settings: Mapping[str, Any],
    *,
    source: Path,
    resource: str,
    around: Around,
    ignored: Sequence[Ignored],
    children: Mapping[str, Job],
    sdk: Any,
) -> Job:
    """Build the job; `children` are the jobs that its tasks run, by id, and `sdk` is the SDK's own object."""
    return Job(
        name=settings.get("name", "Untitled"),
        source=source.resolve(),
        tasks=tuple(_task(task, around.at(source.parent.resolve()), children, settings) for task in settings["tasks"]),
        parameters={item["name"]: item["default"] for item in settings.get("parameters", [])},
        timeout_seconds=settings.get("timeout_seconds", 0),
        max_concurrent_runs=settings.get("max_concurrent_runs", 1),
        notifications=_notifications(settings),
        tags=settings.get("tags", {}),
        ignored=tuple(ignored),
        settings=sdk,
        queue=settings.get("queue", {}).get("enabled", False),
        warn_after_seconds=_warn_after(settings),
        resource=resource,
    )


def _task(
    task: Mapping[str, Any], around: Around, children: Mapping[str, Job], settings: Mapping[str, Any]
) -> Task:
    node = checks.nodes([task])[0]
    return Task(
        key=node.key,
        work=_work(task, around, children, settings),
        depends_on=node.depends_on,
        run_if=node.run_if,
        max_retries=task.get("max_retries", 0),
        min_retry_interval_millis=task.get("min_retry_interval_millis", 0),
        retry_on_timeout=task.get("retry_on_timeout", False),
        timeout_seconds=task.get("timeout_seconds", 0),
        notifications=_notifications(task),
        outcomes=node.outcomes,
        warn_after_seconds=_warn_after(task),
    )


def _work(
    task: Mapping[str, Any], around: Around, children: Mapping[str, Job], settings: Mapping[str, Any]
) -> Work:
    folder = around.folder
    wheels = wheel_files(task, settings, folder)
    match task:
        case {"notebook_task": work}:
            path = notebook_file(folder, work["notebook_path"])
            return Notebook(path, base_parameters=work.get("base_parameters", {}), wheels=wheels)
        case {"pipeline_task": work}:
            return _pipeline(work, around)
        case {"spark_python_task": work}:
            return Script(folder / work["python_file"], tuple(work.get("parameters", ())), wheels)
        case {"python_wheel_task": work}:
            given = tuple(work.get("parameters", ()))
            return Wheel(work["package_name"], work["entry_point"], given, work.get("named_parameters"), wheels)
        case {"sql_task": {"query": query} as work}:
            return SqlQuery(query_files(folder, query["query_id"])[0], work.get("parameters", {}))
        case {"sql_task": work}:
            return SqlFile(folder / work["file"]["path"], work.get("parameters", {}))
        case {"run_job_task": work}:
            return RunJob(children[work["job_id"]], work.get("job_parameters", {}))
        case {"condition_task": work}:
            return Condition(work["op"], work["left"], work["right"])
        case {"for_each_task": work}:
            task = _task(work["task"], around, children, settings)
            return ForEach(work["inputs"], task, work.get("concurrency", 1))
    raise AssertionError("checked before")


def _pipeline(work: Mapping[str, Any], around: Around) -> Pipeline:
    found = around.pipeline(work["pipeline_id"])
    settings = found.source if found else pipeline_file(around.folder, work["pipeline_id"])
    assert settings is not None, "checked before"
    return Pipeline(
        settings,
        inline=found.document if found else None,
        parameters=work.get("parameters", {}),
        full_refresh=work.get("full_refresh", False),
        refresh_selection=tuple(work.get("refresh_selection", ())),
        full_refresh_selection=tuple(work.get("full_refresh_selection", ())),
    )


def _warn_after(owner: Mapping[str, Any]) -> int:
    """The shortest duration that a health rule names; 0 is none."""
    return min((rule["value"] for rule in owner.get("health", {}).get("rules", ())), default=0)


def _notifications(owner: Mapping[str, Any]) -> Notifications:
    mails, settings = owner.get("email_notifications", {}), owner.get("notification_settings", {})
    hooks = owner.get("webhook_notifications", {})
    skipped = settings.get("no_alert_for_skipped_runs", mails.get("no_alert_for_skipped_runs", False))
    return Notifications(
        **{event: tuple(mails.get(event, ())) for event in _EVENTS},
        webhooks={event: tuple(hook["id"] for hook in hooks[event]) for event in _EVENTS if event in hooks},
        no_alert_for_skipped_runs=skipped,
        no_alert_for_canceled_runs=settings.get("no_alert_for_canceled_runs", False),
        alert_on_last_attempt=settings.get("alert_on_last_attempt", False),
    )
