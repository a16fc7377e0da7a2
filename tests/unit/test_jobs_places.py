"""How many runs of a job there may be, how a run is canceled from outside, and what is said when it takes long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from helpers.jobs import Run, cancel_run, load_run
from helpers.jobs.clock import Clock
from helpers.jobs.errors import CancelError
from helpers.jobs.model import Notifications
from helpers.jobs.registry import admission, job_id
from helpers.runtime.places import REPO_ROOT, Places
from tests.unit.jobs_fakes import IdleClock, Runs, fake_runs, results, still_alive, task

CANCEL = """
import sys
from pathlib import Path
from helpers.jobs import cancel_run
from helpers.runtime.places import Places
print(cancel_run(int(sys.argv[1]), places=Places(Path(sys.argv[2]))).state.result_state)
"""
QUEUED = {"queue": True}


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return fake_runs(tmp_path)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


def test_a_run_of_a_job_with_a_queue_waits_for_a_place(run, places, tmp_path):
    number = job_id(places.runs, tmp_path / "job.json")
    states: list[str] = []
    with admission(places.runs, job=number, run=77, limit=1) as other:
        other.enter()

        def watch(now: Run, event: Mapping[str, Any]) -> None:
            if not states or states[-1] != now.state.life_cycle_state:
                states.append(now.state.life_cycle_state)
            if event["type"] == "run_queued":
                assert event["state_message"].startswith("max_concurrent_runs of job 'retail' is 1 and run 77 (pid ")
                other.leave()

        ended = run(task("a"), job=QUEUED, on_event=watch)
    assert states == ["RUNNING", "QUEUED", "RUNNING", "TERMINATED"]
    assert ended.state.result_state == "SUCCESS"
    assert ended.queue_duration is not None
    assert load_run(Path(ended.folder)) == ended


def test_a_run_in_the_queue_can_be_canceled(run, places, tmp_path):
    number = job_id(places.runs, tmp_path / "job.json")

    def interrupt(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "run_queued":
            os.kill(os.getpid(), signal.SIGINT)

    with admission(places.runs, job=number, run=77, limit=1) as other:
        other.enter()
        ended = run(task("a"), task("b", "a"), job=QUEUED, on_event=interrupt)
    assert (ended.state.word, results(ended)) == ("CANCELED", {"a": "CANCELED", "b": "UPSTREAM_CANCELED"})
    assert ended.state.state_message == "the run was canceled while it was queued"


def test_a_run_leaves_the_queue_after_two_days(run, places, tmp_path):
    number, clock = job_id(places.runs, tmp_path / "job.json"), IdleClock()

    class Leaps(IdleClock):
        def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any | None:
            self.jumped.append(3600.0)
            return None

    clock = Leaps()
    with admission(places.runs, job=number, run=77, limit=1) as other:
        other.enter()
        ended = run(task("a"), job=QUEUED, clock=clock)
    assert (ended.state.life_cycle_state, ended.state.word) == ("SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED")
    assert len(clock.jumped) == 48


def test_a_job_that_may_have_no_run_skips_it_even_with_a_queue(run):
    assert run(task("a"), job={**QUEUED, "max_concurrent_runs": 0}).state.life_cycle_state == "SKIPPED"


def test_another_process_cancels_a_run(run, places):
    others: list[subprocess.Popen[str]] = []

    def watch(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_started":
            command = [sys.executable, "-c", CANCEL, str(now.run_id), str(places.root)]
            others.append(subprocess.Popen(command, cwd=REPO_ROOT, stdout=subprocess.PIPE, text=True))

    ended = run(task("a"), task("b", "a"), fake={"a": ["sleep 600"]}, on_event=watch)
    assert (ended.state.word, results(ended)) == ("CANCELED", {"a": "CANCELED", "b": "UPSTREAM_CANCELED"})
    assert others[0].communicate()[0].strip() == "CANCELED"
    assert still_alive() == []


def test_a_run_in_a_thread_can_be_canceled_too(run, places):
    started = threading.Event()
    found: list[Run] = []

    def watch(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_started":
            found.append(now)
            started.set()

    def work() -> None:
        found.append(run(task("a"), fake={"a": ["sleep 600"]}, on_event=watch))

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    assert cancel_run(found[0].run_id, places=places).state.result_state == "CANCELED"
    thread.join()
    assert found[-1].state.result_state == "CANCELED"


def test_what_cannot_be_canceled_is_told(run, places):
    with pytest.raises(CancelError, match="there is no run 5 in"):
        cancel_run(5, places=places)
    ended = run(task("a"))
    with pytest.raises(CancelError, match=f"run {ended.run_id} has ended already: SUCCESS"):
        cancel_run(ended.run_id, places=places)


def test_a_run_and_a_task_that_take_long_are_told_once_and_go_on(run, places):
    class Slow(Clock):
        """An hour passes as soon as a task has started."""

        late = 0.0

        def elapsed(self) -> float:
            return super().elapsed() + self.late

    clock = Slow()

    def watch(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_started":
            clock.late += 3600.0

    mail = Notifications(on_duration_warning_threshold_exceeded=("slow@x",))
    hook = Notifications(webhooks={"on_duration_warning_threshold_exceeded": ("chat",)})
    ended = run(
        task("a", warn_after_seconds=60, notifications=hook), task("b", "a", warn_after_seconds=7200),
        fake={"a": ["sleep 0.3"]}, job={"warn_after_seconds": 600, "notifications": mail}, clock=clock, on_event=watch,
    )  # fmt: skip
    assert ended.state.result_state == "SUCCESS"
    assert "the run takes longer than 600 s" in ended.duration_warnings
    assert ended.duration_warnings.count("the run takes longer than 600 s") == 1
    assert not any("'b'" in said for said in ended.duration_warnings)
    sent = {(fact["channel"], fact["task_key"]) for fact in ended.notifications}
    assert ("email", None) in sent
    (kept,) = places.outbox.glob("*.eml")
    assert "takes longer than expected" in kept.read_text()
    assert "the run takes longer than 600 s" in ended.text()


def test_a_task_that_takes_long_is_told_while_it_runs(run):
    def watch(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "duration_warning":
            os.kill(os.getpid(), signal.SIGINT)

    hook = Notifications(webhooks={"on_duration_warning_threshold_exceeded": ("chat",)})
    slow = task("a", warn_after_seconds=1, notifications=hook)
    ended = run(slow, fake={"a": ["sleep 600"]}, on_event=watch)
    assert ended.duration_warnings == ("task 'a' takes longer than 1 s",)
    (fact,) = ended.notifications
    kept = json.loads(Path(fact["where"]).read_text())
    assert kept["body"]["event_type"] == "jobs.on_duration_warning_threshold_exceeded"
    assert kept["body"]["task"] == {"task_key": "a"}
