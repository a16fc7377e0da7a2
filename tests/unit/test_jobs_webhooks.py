"""Webhooks, against a real HTTP server on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from helpers.jobs import load_run
from helpers.jobs.model import Notifications
from helpers.jobs.webhooks import call, urls
from helpers.runtime.places import Places
from tests.unit.jobs_fakes import fake_runs, task, told


@dataclass
class Hooks:
    """What was posted, by path; `status` is the answer."""

    address: str
    status: int = 200
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.seen.append((self.path, body))
            self.send_response(found.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Hooks(f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


EVERY = Notifications(webhooks={"on_start": ("chat",), "on_success": ("chat",), "on_failure": ("chat", "pager")})


def test_a_run_and_its_tasks_call_the_hooks_of_their_events(hooks, tmp_path):
    setting = json.dumps({"chat": f"{hooks.address}/secret/chat", "pager": f"{hooks.address}/secret/pager"})
    run = fake_runs(tmp_path)(
        task("a", notifications=Notifications(webhooks={"on_failure": ("pager",)})),
        fake={"a": ["fail"]}, job={"notifications": EVERY}, environment={"LAKEPREP_WEBHOOKS": setting},
    )  # fmt: skip
    job = {"job_id": str(run.job_id), "name": "retail"}
    about = {"workspace_id": "0", "run": {"run_id": str(run.run_id)}, "job": job}
    assert hooks.seen == [
        ("/secret/chat", {"event_type": "jobs.on_start", **about}),
        ("/secret/pager", {
            "event_type": "jobs.on_failure", "workspace_id": "0", "task": {"task_key": "a"},
            "run": {"run_id": str(run.tasks[0].run_id), "parent_run_id": str(run.run_id)}, "job": job,
        }),
        ("/secret/chat", {"event_type": "jobs.on_failure", **about}),
        ("/secret/pager", {"event_type": "jobs.on_failure", **about}),
    ]  # fmt: skip
    facts = [(fact["channel"], fact["recipients"], fact["where"], fact["error"]) for fact in run.notifications]
    assert facts[0] == ("webhook", ["chat"], hooks.address, None)
    record = (Places(tmp_path / "home").runs / str(run.run_id) / "events.jsonl").read_text()
    assert "secret" not in record
    assert load_run(Path(run.folder)) == run


def test_tasks_do_not_see_where_the_hooks_are(tmp_path):
    setting = json.dumps({"chat": "http://127.0.0.1:1/secret"})
    run = fake_runs(tmp_path)(task("a"), fake={"a": ["told"]}, environment={"LAKEPREP_WEBHOOKS": setting})
    assert "secret" not in json.dumps(told(run, "a")["env"])


@pytest.mark.parametrize("status", [500, 302])
def test_what_the_server_does_not_take_is_kept_in_the_outbox(hooks, tmp_path, status):
    hooks.status = status
    setting = json.dumps({"chat": f"{hooks.address}/secret"})
    fact = call("chat", {"n": 1}, setting=setting, home=tmp_path, outbox=tmp_path / "outbox")
    assert fact["error"].startswith("webhook 'chat' was not delivered: ")
    assert "secret" not in fact["error"]
    assert json.loads(Path(fact["where"]).read_text()) == {"version": 1, "webhook": "chat", "body": {"n": 1}}
    assert len(hooks.seen) == 1


def test_a_hook_without_a_url_waits_in_the_outbox(tmp_path):
    fact = call("chat", {"n": 1}, setting="", home=tmp_path, outbox=tmp_path / "outbox")
    assert fact["error"] is None
    assert Path(fact["where"]).parent == tmp_path / "outbox"


def test_where_the_hooks_are_comes_from_the_environment_a_named_file_or_the_home(tmp_path):
    (tmp_path / "webhooks.json").write_text('{"a": "http://home"}')
    (tmp_path / "named.json").write_text('{"a": "http://named"}')
    assert urls("", tmp_path) == {"a": "http://home"}
    assert urls(str(tmp_path / "named.json"), tmp_path) == {"a": "http://named"}
    assert urls('{"a": "http://given"}', tmp_path) == {"a": "http://given"}
    assert urls("", tmp_path / "elsewhere") == {}


@pytest.mark.parametrize("setting", ['{"a": "secret', '["secret"]', '{"chat": "file:///secret"}', "/nowhere/x.json"])
def test_a_setting_that_is_not_usable_is_told_without_its_text(tmp_path, setting):
    if setting.startswith("["):
        (tmp_path / "list.json").write_text(setting)
        setting = str(tmp_path / "list.json")
    fact = call("chat", {}, setting=setting, home=tmp_path, outbox=tmp_path)
    assert fact["error"].startswith("webhook 'chat' was not delivered: ")
    assert "secret" not in fact["error"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/services/T0/SEC RET", "http://127.0.0.1:SECRET/x"])
def test_an_address_that_is_none_is_told_without_its_text_and_ends_no_run(tmp_path, url):
    environment = {"LAKEPREP_WEBHOOKS": json.dumps({"chat": url})}
    job = {"notifications": Notifications(webhooks={"on_start": ("chat",), "on_success": ("chat",)})}
    run = fake_runs(tmp_path)(task("a"), environment=environment, job=job)
    assert run.state.result_state == "SUCCESS"
    errors = [fact["error"] for fact in run.notifications]
    assert len(errors) == 2
    assert all(error.startswith("webhook 'chat' was not delivered: ") and "SEC" not in error for error in errors)
