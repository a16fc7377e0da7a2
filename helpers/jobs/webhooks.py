"""Webhooks: one HTTP POST an event, to the URL that `LAKEPREP_WEBHOOKS` gives for the destination's id.

`LAKEPREP_WEBHOOKS` is a JSON object `{"id": "https://…"}`, or the path of a file that holds one; without it the file is
`webhooks.json` in the learner's folder. What no server takes is kept in the outbox: a run never fails for its webhook.
A URL may hold a secret in its path, so only its host is ever shown. The body is that of
https://docs.databricks.com/aws/en/jobs/notifications.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from helpers.jobs.context import write_json
from helpers.jobs.runs import Run, TaskRun

VARIABLE = "LAKEPREP_WEBHOOKS"
_FILE = "webhooks.json"
_PATIENCE = 10.0
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would turn the POST into a GET without its body."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def payload(run: Run, task: TaskRun | None, *, event: str) -> dict[str, Any]:
    """Give the body about a run, or about one task of it."""
    body: dict[str, Any] = {"event_type": f"jobs.{event}", "workspace_id": "0"}
    if task is None:
        body["run"] = {"run_id": str(run.run_id)}
    else:
        body["task"] = {"task_key": task.task_key}
        body["run"] = {"run_id": str(task.run_id), "parent_run_id": str(run.run_id)}
    return {**body, "job": {"job_id": str(run.job_id), "name": run.run_name}}


def call(hook: str, body: Mapping[str, Any], *, setting: str, home: Path, outbox: Path) -> dict[str, Any]:
    """Post a body to the destination of this id, or keep it in the outbox when it has no URL or that fails.

    Gives `where` it is now and the `error`, or None.
    """
    try:
        url = urls(setting, home).get(hook)
        if url is None:
            return _keep(hook, body, outbox, error=None)
        where = _post(url, body)
    except HTTPException as error:  # its text may hold the URL, which is a secret
        return _keep(hook, body, outbox, error=f"webhook '{hook}' was not delivered: {type(error).__name__}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        return _keep(hook, body, outbox, error=f"webhook '{hook}' was not delivered: {reason}")
    return {"where": where, "error": None}


def urls(setting: str, home: Path) -> Mapping[str, str]:
    """Read where each destination is; ValueError, which does not repeat a URL, when it is no such object."""
    text, named = setting.strip(), VARIABLE
    if not text.startswith("{"):
        file = Path(text).expanduser() if text else home / _FILE
        if not text and not file.exists():
            return {}
        text, named = file.read_text(encoding="utf-8"), str(file)
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(url, str) for url in found.values()):
        raise ValueError(f'{named} is not a JSON object such as {{"id": "https://example.com/hook"}}')
    return found


def _post(url: str, body: Mapping[str, Any]) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("its URL is not http:// or https://")
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    # A company's proxy knows nothing of this machine.
    direct = [urllib.request.ProxyHandler({})] if parts.hostname in _HERE else []
    with urllib.request.build_opener(_NoRedirect, *direct).open(request, timeout=_PATIENCE):
        return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


def _keep(hook: str, body: Mapping[str, Any], outbox: Path, *, error: str | None) -> dict[str, Any]:
    file = outbox / f"{uuid.uuid4()}.json"
    try:
        outbox.mkdir(parents=True, exist_ok=True)
        write_json(file, {"version": 1, "webhook": hook, "body": body})
    except OSError as problem:
        lost = f"it cannot be written to the outbox {outbox}: {problem.strerror or problem}"
        return {"where": None, "error": f"{error}; {lost}" if error else f"webhook '{hook}': {lost}"}
    return {"where": str(file), "error": error}
