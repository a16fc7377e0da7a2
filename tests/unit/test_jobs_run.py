"""The runner, with small scripts in the place of notebooks and pipelines."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from helpers.jobs import Run, list_runs, load_run, run_job
from helpers.jobs.clock import Clock
from helpers.jobs.errors import JobError, UnknownParameter
from helpers.jobs.model import Job, Notebook, Notifications, Pipeline
from helpers.jobs.registry import admission, job_id
from helpers.runtime.places import Places
from tests.unit.jobs_fakes import IdleClock, Runs, fake_commands, fake_runs, results, still_alive, task, told


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return fake_runs(tmp_path)


def test_tasks_run_in_order_and_the_record_is_what_was_returned(run, places):
    ended = run(task("c", "b"), task("b", "a"), task("a"))
    assert ended.state.result_state == "SUCCESS"
    spans = {one.task_key: (one.start_time, one.end_time) for one in ended.tasks}
    assert spans["a"][1] <= spans["b"][0] <= spans["b"][1] <= spans["c"][0]
    assert load_run(places.runs / str(ended.run_id)) == ended
    assert [one.run_id for one in list_runs(places.runs)] == [ended.run_id]


def test_after_a_failure_downstream_tasks_are_marked_and_not_run(run):
    ended = run(
        task("setup"), task("bronze", "setup"), task("silver", "bronze"), task("gold", "silver"),
        task("other", "setup"), task("clean", "gold", run_if="ALL_DONE"), task("alarm", "other", run_if="ALL_FAILED"),
        fake={"bronze": ["fail ValueError: no files"]},
    )  # fmt: skip
    assert results(ended) == {
        "setup": "SUCCESS", "bronze": "FAILED", "silver": "UPSTREAM_FAILED", "gold": "UPSTREAM_FAILED",
        "other": "SUCCESS", "clean": "SUCCESS", "alarm": "EXCLUDED",
    }  # fmt: skip
    assert ended.state.result_state == "SUCCESS_WITH_FAILURES"
    assert ended.state.state_message == "task 'bronze' failed: ValueError: no files"
    silver = next(one for one in ended.tasks if one.task_key == "silver")
    assert (silver.start_time, silver.folder) == (None, None)
    assert silver.state.state_message == "did not run: bronze FAILED"


def test_a_failed_leaf_fails_the_run(run):
    assert run(task("a"), task("b"), fake={"b": ["fail"]}).state.result_state == "FAILED"


def test_no_more_tasks_run_at_once_than_allowed(run):
    states: list[int] = []

    def watch(now: Run, event: Mapping[str, Any]) -> None:
        del event
        states.append(sum(one.state.life_cycle_state == "RUNNING" for one in now.tasks))

    keys = [f"t{number}" for number in range(6)]
    ended = run(*map(task, keys), fake={key: ["sleep 0.1"] for key in keys}, parallelism=2, on_event=watch)
    assert ended.state.result_state == "SUCCESS"
    assert max(states) == 2


def test_tasks_beyond_the_limit_are_queued(run):
    seen: set[str] = set()

    def watch(now: Run, event: Mapping[str, Any]) -> None:
        seen.update(f"{one.task_key} {one.state.life_cycle_state}" for one in now.tasks)

    run(task("a"), task("b"), fake={"a": ["sleep 0.05"]}, parallelism=1, on_event=watch)
    assert "b QUEUED" in seen
    assert "a QUEUED" not in seen


def test_a_task_is_tried_again_and_every_attempt_is_kept(run):
    ended = run(task("a", max_retries=3), task("b", "a"), fake={"a": ["fail", "crash bad luck", "exit fine"]})
    assert ended.state.result_state == "SUCCESS"
    attempts = [one for one in ended.tasks if one.task_key == "a"]
    assert [one.state.result_state for one in attempts] == ["FAILED", "FAILED", "SUCCESS"]
    assert [one.attempt_number for one in attempts] == [0, 1, 2]
    assert attempts[0].error == "ValueError: boom"
    assert attempts[0].error_trace == "line 1"
    assert attempts[2].exit_value == "fine"
    ids = [one.run_id for one in attempts]
    assert ids == sorted(set(ids))


def test_retries_end(run):
    ended = run(task("a", max_retries=2), fake={"a": ["fail"]})
    assert len(ended.tasks) == 3
    assert ended.state.result_state == "FAILED"


def test_unlimited_retries_go_on_until_it_works(run):
    ended = run(task("a", max_retries=-1), fake={"a": ["fail"] * 7 + ["ok"]})
    assert len(ended.tasks) == 8
    assert ended.state.result_state == "SUCCESS"


def test_the_wait_before_a_retry_counts_from_start_to_start(run):
    clock = IdleClock()
    tried = task("a", max_retries=2, min_retry_interval_millis=60_000)
    ended = run(tried, fake={"a": ["fail", "fail", "ok"]}, clock=clock)
    assert ended.state.result_state == "SUCCESS"
    # Each wait is less than the interval, by what the attempt itself took.
    assert len(clock.jumped) == 2
    assert all(seconds < 60 for seconds in clock.jumped)


def test_a_retry_without_an_interval_comes_at_once(run):
    clock = IdleClock()
    run(task("a", max_retries=1), fake={"a": ["fail", "ok"]}, clock=clock)
    assert clock.jumped == []


def test_other_tasks_run_while_one_waits_for_its_retry(run):
    clock = IdleClock()
    ended = run(
        task("a", max_retries=1, min_retry_interval_millis=3_600_000), task("b"), task("c", "b"),
        fake={"a": ["fail", "ok"]}, clock=clock, parallelism=1,
    )  # fmt: skip
    order = [one.task_key for one in sorted(ended.tasks, key=lambda one: one.run_id if one.attempt_number else 0)]
    assert order[-1] == "a"
    assert results(ended) == {"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS"}
    last_try = next(one for one in ended.tasks if one.attempt_number == 1)
    assert all(one.end_time <= last_try.start_time for one in ended.tasks if one.task_key in ("b", "c"))


def test_an_attempt_that_takes_too_long_is_timed_out_and_not_retried(run):
    ended = run(task("a", timeout_seconds=0.3, max_retries=2), task("b", "a"), fake={"a": ["sleep"]})
    assert results(ended) == {"a": "TIMEDOUT", "b": "UPSTREAM_FAILED"}
    assert len(ended.tasks) == 2
    assert ended.tasks[0].error == "the task reached its time-out of 0.3 s"


def test_a_time_out_is_retried_where_the_task_asks_for_it(run):
    ended = run(task("a", timeout_seconds=2, max_retries=1, retry_on_timeout=True), fake={"a": ["sleep", "ok"]})
    assert [one.state.result_state for one in ended.tasks] == ["TIMEDOUT", "SUCCESS"]


def test_a_task_that_ignores_the_request_to_end_is_killed(run):
    ended = run(task("a", timeout_seconds=0.5), fake={"a": ["stubborn"]}, grace_seconds=0.2)
    assert results(ended) == {"a": "TIMEDOUT"}


class LateClock(Clock):
    """A clock that a test can put forward, by `late` seconds."""

    late = 0.0

    def elapsed(self) -> float:
        return super().elapsed() + self.late


def test_a_run_that_takes_too_long_stops_its_tasks(run):
    clock = LateClock()

    def hurry(now: Run, event: Mapping[str, Any]) -> None:
        if (event["type"], event.get("task_key")) == ("task_ended", "d"):
            clock.late = 60

    ended = run(
        task("a"), task("b", "a"), task("c"), task("d", "c"), fake={"a": ["sleep"]},
        job={"timeout_seconds": 60}, parallelism=2, clock=clock, on_event=hurry,
    )  # fmt: skip
    assert ended.state.result_state == "TIMEDOUT"
    assert ended.state.state_message == "the run reached its time-out of 60 s"
    assert results(ended) == {"a": "CANCELED", "b": "UPSTREAM_CANCELED", "c": "SUCCESS", "d": "SUCCESS"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels_the_run_and_ends_its_processes(run, number):
    def interrupt(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_started":
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    ended = run(task("a"), task("b", "a"), task("late"), fake={"a": ["sleep"]}, on_event=interrupt, parallelism=1)
    assert (ended.state.life_cycle_state, ended.state.result_state) == ("TERMINATED", "CANCELED")
    assert results(ended) == {"a": "CANCELED", "b": "UPSTREAM_CANCELED", "late": "CANCELED"}
    assert still_alive() == []
    assert signal.getsignal(number) == before


def test_a_second_interrupt_does_not_wait_for_the_grace_period(run):
    class NeverWaitsInVain(Clock):
        def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any:
            item = super().wait(queue, seconds=seconds, idle=idle)
            assert item is not None
            return item

    def interrupt(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_started":
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGTERM)

    ended = run(task("a"), fake={"a": ["stubborn"]}, on_event=interrupt, grace_seconds=600, clock=NeverWaitsInVain())
    assert results(ended) == {"a": "CANCELED"}


def test_a_process_that_dies_says_how(run):
    ended = run(
        task("killed"), task("crashed"), task("silent"),
        fake={"killed": ["kill"], "crashed": ["crash ModuleNotFoundError: No module named 'helpers.x'"]},
    )  # fmt: skip
    errors = {one.task_key: one.error for one in ended.tasks}
    assert errors["killed"] == "TaskProcessDied: the task's process was ended by a signal (Killed)"
    assert errors["crashed"] == (
        "TaskProcessDied: the task's process ended with exit code 1 and gave no reason: "
        "ModuleNotFoundError: No module named 'helpers.x'"
    )
    assert errors["silent"] is None


def test_a_command_that_is_not_there_fails_its_task_only(places, tmp_path):
    job = Job("retail", tmp_path / "job.json", (task("p", work=Pipeline(Path("/p.json"))), task("n")))
    commands = {**fake_commands(tmp_path), "pipeline": ("/nowhere/python",)}
    ended = run_job(job, places=places, commands=commands, environment={"FAKE": "{}"})
    assert results(ended) == {"p": "FAILED", "n": "SUCCESS"}
    assert "FileNotFoundError" in ended.tasks[0].error


def test_job_parameters_win_over_a_tasks_own_and_references_are_filled_in(run):
    own = {
        "day": "task's",
        "run": "{{job.run_id}}/{{task.name}}",
        "rows": "{{tasks.setup.values.rows}}",
        "lit": "{{x}}",
    }
    ended = run(
        task("setup"), task("a", "setup", work=Notebook(Path("/n/a.ipynb"), own)),
        fake={"setup": ['set {"rows": 12}'], "a": ["told"]},
        job={"parameters": {"day": "default", "date": "{{job.start_time.iso_date}}"}}, parameters={"day": "given"},
    )  # fmt: skip
    given = told(ended, "a")["told"]
    assert given["parameters"] == {
        "day": "given", "date": given["parameters"]["date"], "run": f"{ended.run_id}/a", "rows": "12", "lit": "{{x}}",
    }  # fmt: skip
    assert given["parameters"]["date"].startswith("20")
    assert given["task_values"] == {"setup": {"rows": 12}}
    assert ended.job_parameters["day"] == "given"


def test_a_task_value_that_is_missing_fails_the_task_that_asks_for_it(run):
    work = Notebook(Path("/n/b.ipynb"), {"rows": "{{tasks.a.values.rows}}"})
    ended = run(task("a"), task("b", "a", work=work))
    assert results(ended) == {"a": "SUCCESS", "b": "FAILED"}
    assert ended.latest()[1].error.startswith("UnresolvedReference: '{{tasks.a.values.rows}}' has no value: task 'a'")


def test_the_values_of_the_last_attempt_count(run):
    ended = run(
        task("a", max_retries=1), task("b", "a", work=Notebook(Path("/n/b.ipynb"), {"n": "{{tasks.a.values.n}}"})),
        fake={"a": ["crash", 'set {"n": 2}'], "b": ["told"]},
    )  # fmt: skip
    assert told(ended, "b")["told"]["parameters"] == {"n": "2"}


def test_a_parameter_that_the_job_does_not_have_starts_nothing(run, places):
    with pytest.raises(UnknownParameter, match=r"job 'retail' has no parameter 'dya'; did you mean 'day'\?"):
        run(task("a"), job={"parameters": {"day": "1"}}, parameters={"dya": "2"})
    with pytest.raises(UnknownParameter, match=r"parameter 'day': '\{\{job.naem\}\}' has no value here"):
        run(task("a"), job={"parameters": {"day": "1"}}, parameters={"day": "{{job.naem}}"})
    assert list_runs(places.runs) == []


def test_a_pipeline_task_gets_its_settings_selection_and_parameters(run):
    work = Pipeline(Path("/p/pipeline.json"), {"x": "1"}, True, ("orders",), ("customers",))
    ended = run(task("p", work=work), fake={"p": ["told"]}, job={"parameters": {"day": "2"}})
    spec = told(ended, "p")["spec"]
    assert {name: spec[name] for name in spec if name not in ("result", "events")} == {
        "settings": "/p/pipeline.json", "parameters": {"x": "1", "day": "2"}, "refresh_selection": ["orders"],
        "full_refresh": True, "full_refresh_selection": ["customers"],
    }  # fmt: skip


def test_a_pipelines_report_is_in_the_record_whether_it_completed_or_failed(run):
    good, bad = {"state": "COMPLETED", "error": None, "datasets": []}, {"state": "FAILED", "error": "no table x"}
    pipeline = Pipeline(Path("/p/pipeline.json"))
    ended = run(
        task("a", work=pipeline), task("b", work=pipeline),
        fake={"a": [f"update {json.dumps(good)}"], "b": [f"update {json.dumps(bad)}"]},
    )  # fmt: skip
    assert [(one.update, one.error) for one in ended.tasks] == [(good, None), (bad, "no table x")]


def test_tasks_see_the_home_and_not_the_mail_servers_password(run, places):
    ended = run(task("a"), fake={"a": ["told"]}, environment={"LAKEPREP_SMTP": "smtp://u:secret@h", "OWN": "x"})
    seen = told(ended, "a")["env"]
    assert seen["LAKEPREP_HOME"] == str(places.root)
    assert seen["OWN"] == "x"
    assert "secret" not in json.dumps(seen)


def test_a_run_that_is_one_too_many_is_skipped_and_names_the_other(run, places, tmp_path):
    number = job_id(places.runs, tmp_path / "job.json")
    with admission(places.runs, job=number, run=77, limit=1) as other:
        assert other.enter() is None
        skipped = run(task("a"))
    assert skipped.state.life_cycle_state == "SKIPPED"
    assert skipped.state.result_state == "MAXIMUM_CONCURRENT_RUNS_REACHED"
    assert skipped.state.state_message == (
        f"max_concurrent_runs of job 'retail' is 1 and run 77 (pid {os.getpid()}) still runs; wait for it, or cancel it"
    )
    assert skipped.tasks == ()
    assert run(task("a")).state.result_state == "SUCCESS"


def test_a_job_that_may_have_no_run_skips_each(run):
    skipped = run(task("a"), job={"max_concurrent_runs": 0})
    assert skipped.state.state_message == "max_concurrent_runs of job 'retail' is 0"


def test_mails_go_out_for_the_run_and_for_its_tasks(run, places):
    everything = Notifications(("s@x",), ("ok@x",), ("bad@x",))
    ended = run(
        task("a", max_retries=1, notifications=everything),
        task("b", "a", notifications=Notifications(on_failure=("b@x",))),
        fake={"a": ["fail"]}, job={"notifications": everything},
    )  # fmt: skip
    sent = [(fact["task_key"], fact["event"], fact["recipients"]) for fact in ended.notifications]
    assert sorted(sent, key=str) == sorted([
        (None, "on_start", ["s@x"]), (None, "on_failure", ["bad@x"]),
        ("a", "on_start", ["s@x"]), ("a", "on_failure", ["bad@x"]),
        ("a", "on_start", ["s@x"]), ("a", "on_failure", ["bad@x"]),
        ("b", "on_failure", ["b@x"]),
    ], key=str)  # fmt: skip
    assert len(list(places.outbox.glob("*.eml"))) == 7
    assert load_run(places.runs / str(ended.run_id)) == ended


def test_a_task_may_ask_for_mail_about_its_last_attempt_only(run):
    emails = Notifications(("s@x",), (), ("bad@x",), alert_on_last_attempt=True)
    ended = run(task("a", max_retries=2, notifications=emails), fake={"a": ["fail"]})
    assert [fact["event"] for fact in ended.notifications] == ["on_start", "on_failure"]


def test_a_mail_server_that_fails_does_not_fail_the_run(run, places):
    ended = run(
        task("a"),
        job={"notifications": Notifications(on_success=("ok@x",))},
        environment={"LAKEPREP_SMTP": "smtp://u:secret@[::1]:1"},
    )
    assert ended.state.result_state == "SUCCESS"
    (fact,) = ended.notifications
    assert fact["error"].startswith("the mail server ::1:1 did not take it")
    assert Path(fact["where"]).parent == places.outbox
    assert "secret" not in (places.runs / str(ended.run_id) / "events.jsonl").read_text()


def test_a_watcher_that_breaks_leaves_no_process_and_an_ended_record(run, places):
    def watch(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_ended":
            raise RuntimeError("the screen is gone")

    with pytest.raises(RuntimeError, match="the screen is gone"):
        run(task("a"), task("b"), fake={"b": ["sleep 300"]}, on_event=watch)
    assert still_alive() == []
    (broken,) = list_runs(places.runs)
    assert broken.state.life_cycle_state == "INTERNAL_ERROR"
    assert broken.state.state_message == "the runner stopped: RuntimeError: the screen is gone"


def test_a_record_that_cannot_be_written_is_one_sentence(run, places):
    places.root.mkdir()
    places.runs.write_text("a file where the folder should be")
    with pytest.raises(JobError, match=r"the record of the run in .* cannot be written: File exists; make room there"):
        run(task("a"))


def test_two_runs_of_one_definition_are_runs_of_one_job(run):
    first, second = run(task("a")), run(task("a"))
    assert first.job_id == second.job_id == 1
    assert second.run_id > first.run_id
    assert second.tasks[0].run_id > first.tasks[0].run_id
