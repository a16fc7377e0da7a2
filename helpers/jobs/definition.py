"""From a Jobs API 2.2 file to a checked :class:`Job`: all mistakes at once, each with its task and field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.jobs import checks, schema, support
from helpers.jobs.errors import DuplicateKey, JobDefinitionError, JobFileError, JobSyntaxError, Mistake, WrongValue
from helpers.jobs.model import Emails, Ignored, Job, Notebook, Pipeline, Task

_TASK_PATH = re.compile(r"tasks\[(\d+)\]\.?")


def load_job(path: Path) -> Job:
    """Read and check a job's definition; paths in it are relative to its folder.

    JobFileError, JobSyntaxError with line and column, or JobDefinitionError with every mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        said = error.strerror or str(error)
        raise JobFileError(f"the job's definition {path} cannot be read: {said}; name another file") from None
    except UnicodeDecodeError:
        raise JobFileError(f"the job's definition {path} is not UTF-8 text; save it as UTF-8") from None
    return parse_job(text, source=path)


def parse_job(text: str, *, source: Path) -> Job:
    """The same from text; `source` is where it came from, whose folder its paths are relative to."""
    from databricks.sdk.service.jobs import JobSettings

    document, repeated = _read_json(text, source)
    if not isinstance(document, dict):
        raise JobDefinitionError([WrongValue("a job is a JSON object", path="")], source=source)
    set_apart = [Ignored(key, why) for key, why in support.BUNDLE_KEYS.items() if key in document]
    given = schema.without_empty({key: item for key, item in document.items() if key not in support.BUNDLE_KEYS})
    settings, mistakes = schema.check(given, JobSettings)
    mistakes += repeated
    mistakes += support.unsupported(settings)
    mistakes += checks.mistakes(settings, source.parent)
    if mistakes:
        raise JobDefinitionError([_named(mistake, given) for mistake in mistakes], source=source)
    return _job(settings, source=source, ignored=(*set_apart, *support.ignored(settings)), sdk=JobSettings)


def _read_json(text: str, source: Path) -> tuple[Any, list[Mistake]]:
    repeated: list[Mistake] = []

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        built = dict(pairs)
        if len(built) < len(pairs):
            names = [name for name, _ in pairs]
            twice = sorted({name for name in names if names.count(name) > 1})
            repeated.append(DuplicateKey(f"one object has the field '{twice[0]}' twice"))
        return built

    try:
        return json.loads(text, object_pairs_hook=build), repeated
    except json.JSONDecodeError as error:
        raise JobSyntaxError(error.msg, source=source, line=error.lineno, column=error.colno) from None


def _named(mistake: Mistake, given: Mapping[str, Any]) -> Mistake:
    """The same mistake with its task's key in the path instead of its number."""
    match = _TASK_PATH.match(mistake.path)
    if match is None:
        return mistake
    task = given["tasks"][int(match[1])]
    key = task.get("task_key") if isinstance(task, dict) else None
    if not isinstance(key, str):
        return mistake
    field = mistake.path[match.end() :]
    return type(mistake)(mistake.message, path=f"task '{key}'" + (f", {field}" if field else ""))


def _job(settings: Mapping[str, Any], *, source: Path, ignored: Sequence[Ignored], sdk: Any) -> Job:
    return Job(
        name=settings.get("name", "Untitled"),
        source=source.resolve(),
        tasks=tuple(_task(task, source.parent.resolve()) for task in settings["tasks"]),
        parameters={item["name"]: item["default"] for item in settings.get("parameters", [])},
        timeout_seconds=settings.get("timeout_seconds", 0),
        max_concurrent_runs=settings.get("max_concurrent_runs", 1),
        emails=_emails(settings),
        tags=settings.get("tags", {}),
        ignored=tuple(ignored),
        settings=sdk.from_dict(dict(settings)),
    )


def _task(task: Mapping[str, Any], folder: Path) -> Task:
    node = checks.nodes([task])[0]
    return Task(
        key=node.key,
        work=_work(task, folder),
        depends_on=node.depends_on,
        run_if=node.run_if,
        max_retries=task.get("max_retries", 0),
        min_retry_interval_millis=task.get("min_retry_interval_millis", 0),
        retry_on_timeout=task.get("retry_on_timeout", False),
        timeout_seconds=task.get("timeout_seconds", 0),
        emails=_emails(task),
    )


def _work(task: Mapping[str, Any], folder: Path) -> Notebook | Pipeline:
    if "notebook_task" in task:
        notebook = task["notebook_task"]
        path = checks.notebook_file(folder, notebook["notebook_path"])
        return Notebook(path, base_parameters=notebook.get("base_parameters", {}))
    pipeline = task["pipeline_task"]
    settings = checks.pipeline_file(folder, pipeline["pipeline_id"])
    assert settings is not None, "checked before"
    return Pipeline(
        settings,
        parameters=pipeline.get("parameters", {}),
        full_refresh=pipeline.get("full_refresh", False),
        refresh_selection=tuple(pipeline.get("refresh_selection", ())),
        full_refresh_selection=tuple(pipeline.get("full_refresh_selection", ())),
    )


def _emails(owner: Mapping[str, Any]) -> Emails:
    emails, settings = owner.get("email_notifications", {}), owner.get("notification_settings", {})
    skipped = settings.get("no_alert_for_skipped_runs", emails.get("no_alert_for_skipped_runs", False))
    return Emails(
        on_start=tuple(emails.get("on_start", ())),
        on_success=tuple(emails.get("on_success", ())),
        on_failure=tuple(emails.get("on_failure", ())),
        no_alert_for_skipped_runs=skipped,
        no_alert_for_canceled_runs=settings.get("no_alert_for_canceled_runs", False),
        alert_on_last_attempt=settings.get("alert_on_last_attempt", False),
    )
