"""Conditions, for-each tasks and jobs that run jobs, with small scripts in the place of notebooks."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import Run, list_runs, load_run
from helpers.jobs.errors import LoopInputError
from helpers.jobs.loops import elements
from helpers.jobs.model import Condition, ForEach, Job, Notebook, RunJob, Script, SqlFile, Task
from helpers.runtime.places import Places
from tests.unit.jobs_fakes import IdleClock, Runs, fake_runs, results, still_alive, task, told


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return fake_runs(tmp_path)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


def check(key: str, left: str, op: str, right: str, *upstream: str) -> Task:
    return Task(key, Condition(op, left, right), upstream)


def loop(key: str, inputs: str, *upstream: str, concurrency: int = 1, **nested: Any) -> Task:
    work = nested.pop("work", Notebook(Path("/n/one.ipynb"), {"table": "{{input}}"}))
    return Task(key, ForEach(inputs, Task(f"{key}_one", work, **nested), concurrency), upstream)


def iterations(run: Run, key: str) -> list[tuple[Any, str | None]]:
    return [(one.input, one.state.result_state) for one in run.task(key).iterations]


# Conditions


@pytest.mark.parametrize(("rows", "yes", "no"), [(3, "SUCCESS", "EXCLUDED"), (0, "EXCLUDED", "SUCCESS")])
def test_a_condition_chooses_the_branch_that_runs(run, places, rows, yes, no):
    ended = run(
        task("load"), check("any", "{{tasks.load.values.rows}}", "GREATER_THAN", "0", "load"),
        task("yes", "any", outcomes={"any": "true"}), task("no", "any", outcomes={"any": "false"}),
        task("join", "yes", "no"),
        fake={"load": [f'set {{"rows": {rows}}}']},
    )  # fmt: skip
    assert results(ended) == {"load": "SUCCESS", "any": "SUCCESS", "yes": yes, "no": no, "join": "SUCCESS"}
    assert ended.state.result_state == "SUCCESS"
    assert ended.task("any").outcome == ("true" if rows else "false")
    assert load_run(places.runs / str(ended.run_id)) == ended
    left_out = ended.task("no" if rows else "yes").state.state_message
    assert left_out == ("did not run: any is true, not false" if rows else "did not run: any is false, not true")


def test_a_condition_on_something_else_than_a_number_fails_and_says_why(run):
    ended = run(
        task("load"), check("any", "{{tasks.load.values.rows}}", "LESS_THAN", "5", "load"),
        task("yes", "any", outcomes={"any": "true"}),
        fake={"load": ['set {"rows": [1]}']},
    )  # fmt: skip
    assert results(ended) == {"load": "SUCCESS", "any": "FAILED", "yes": "UPSTREAM_FAILED"}
    assert ended.task("any").error.startswith("ConditionError: '{{tasks.load.values.rows}}' is of type list")


def test_conditions_behind_each_other_need_no_process(run):
    first, second = check("a", "1", "EQUAL_TO", "1"), check("b", "{{tasks.a.result_state}}", "EQUAL_TO", "success", "a")
    ended = run(first, second)
    assert (ended.task("b").outcome, ended.state.result_state) == ("true", "SUCCESS")


# For-each tasks


def test_a_task_runs_once_for_each_element_and_leaves_a_record_of_each(run, places):
    ended = run(loop("load", '["a", "b", {"c": 1}]'), task("after", "load"), fake={"load_one": ["told"]})
    assert ended.state.result_state == "SUCCESS"
    assert iterations(ended, "load") == [("a", "SUCCESS"), ("b", "SUCCESS"), ({"c": 1}, "SUCCESS")]
    given = [json.loads(one.exit_value)["told"] for one in ended.task("load").iterations]
    assert [one["parameters"] for one in given] == [{"table": "a"}, {"table": "b"}, {"table": '{"c": 1}'}]
    assert {one["task_key"] for one in given} == {"load_one"}
    assert ended.task("load").output == {
        "total_iterations": 3, "completed_iterations": 3, "succeeded_iterations": 3, "failed_iterations": 0,
    }  # fmt: skip
    ids = [one.run_id for one in ended.task("load").iterations]
    assert len({*ids, *(one.run_id for one in ended.tasks)}) == 5
    assert load_run(places.runs / str(ended.run_id)) == ended


def test_without_concurrency_the_iterations_run_one_after_the_other(run):
    ended = run(loop("load", "[1, 2, 3]"), fake={"load_one": ["sleep 0.05"]})
    spans = [(one.start_time, one.end_time) for one in ended.task("load").iterations]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_no_more_iterations_run_at_once_than_concurrency_allows(run):
    most: list[int] = []

    def watch(now: Run, event: Mapping[str, Any]) -> None:
        states = [one.state.life_cycle_state for one in now.task("load").iterations]
        most.append(states.count("RUNNING"))

    run(loop("load", "[1, 2, 3, 4, 5]", concurrency=2), fake={"load_one": ["sleep 0.1"]}, on_event=watch)
    assert max(most) == 2


def test_an_iteration_that_fails_fails_the_task_after_the_others_have_run(run):
    work = Notebook(Path("/n/one.ipynb"), {"table": "{{input.table}}"})
    ended = run(loop("load", '[{"table": "a"}, {"tabel": "b"}, {"table": "c"}]', work=work), task("after", "load"))
    assert [result for _, result in iterations(ended, "load")] == ["SUCCESS", "FAILED", "SUCCESS"]
    assert results(ended) == {"load": "FAILED", "after": "UPSTREAM_FAILED"}
    assert ended.task("load").error.startswith("1 of 3 iterations did not succeed; iteration 1: UnresolvedReference: ")
    assert ended.state.result_state == "FAILED"


def test_the_inputs_may_be_what_an_earlier_task_found(run):
    ended = run(
        task("find"), loop("load", "{{tasks.find.values.tables}}", "find"),
        fake={"find": ['set {"tables": ["x", "y"]}']},
    )  # fmt: skip
    assert [element for element, _ in iterations(ended, "load")] == ["x", "y"]


@pytest.mark.parametrize(("inputs", "state"), [("[]", "SUCCESS"), ("{{tasks.find.values.tables}}", "FAILED")])
def test_nothing_to_go_through_is_a_success_and_no_list_is_a_failure(run, inputs, state):
    ended = run(task("find"), loop("load", inputs, "find"), task("after", "load"), fake={"find": ['set {"tables": 3}']})
    assert ended.task("load").state.result_state == state
    assert ended.task("load").iterations == ()
    if state == "FAILED":
        assert ended.task("load").error.startswith("LoopInputError: the inputs of a for-each task are a JSON list")


def test_what_a_task_found_may_be_48_kib_long_and_no_more():
    assert len(elements(f'["{"x" * (48 * 1024 - 4)}"]')) == 1
    with pytest.raises(LoopInputError, match="at most 49152 bytes, not 49153; list keys here"):
        elements(f'["{"x" * (48 * 1024 - 3)}"]')


def test_an_iteration_is_retried_by_itself(run):
    clock = IdleClock()
    nested = {"max_retries": 1, "min_retry_interval_millis": 60_000}
    ended = run(loop("load", "[1, 2]", **nested), fake={"load_one": ["fail", "ok"]}, clock=clock)
    tried = [(one.iteration, one.attempt_number, one.state.result_state) for one in ended.task("load").iterations]
    assert tried == [(0, 0, "FAILED"), (0, 1, "SUCCESS"), (1, 0, "FAILED"), (1, 1, "SUCCESS")]
    assert ended.state.result_state == "SUCCESS"
    assert len(clock.jumped) == 2


def test_canceling_ends_the_loop_and_what_it_has_not_begun(run):
    def interrupt(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_started" and "iteration" in event:
            os.kill(os.getpid(), signal.SIGINT)

    ended = run(loop("load", "[1, 2]"), task("after", "load"), fake={"load_one": ["sleep"]}, on_event=interrupt)
    assert results(ended) == {"load": "CANCELED", "after": "UPSTREAM_CANCELED"}
    assert iterations(ended, "load") == [(1, "CANCELED")]
    assert still_alive() == []


# Scripts, SQL files and other jobs


def test_a_script_gets_its_command_line_and_not_the_jobs_parameters(run):
    work = Script(Path("/s/load.py"), ("--day", "{{job.parameters.day}}", "{{task.name}}"))
    ended = run(task("load", work=work), fake={"load": ["told"]}, job={"parameters": {"day": "2017-01-01"}})
    given = told(ended, "load")
    assert given["spec"]["script"] == "/s/load.py"
    assert given["spec"]["arguments"] == ["--day", "2017-01-01", "load"]
    assert given["told"]["parameters"] == {}
    assert ended.task("load").type == "spark_python"


def test_a_sql_file_gets_its_own_and_the_jobs_parameters(run):
    work = SqlFile(Path("/s/report.sql"), {"day": "own", "n": "{{task.execution_count}}"})
    ended = run(task("report", work=work), fake={"report": ["told"]}, job={"parameters": {"day": "2017-01-01"}})
    assert told(ended, "report")["spec"]["parameters"] == {"day": "2017-01-01", "n": "1"}


def test_a_sql_tasks_rows_can_be_asked_for_by_later_tasks(run):
    output = {"error": None, "output": {"columns": ["n"], "rows": [{"n": 7}, {"n": 8}], "truncated": False}}
    ended = run(
        task("query", work=SqlFile(Path("/s/q.sql"))),
        task("one", "query", work=Notebook(Path("/n/a.ipynb"), {"n": "{{tasks.query.output.first_row.n}}"})),
        loop("each", "{{tasks.query.output.rows}}", "query",
             work=Notebook(Path("/n/a.ipynb"), {"n": "{{input.n}}"})),
        fake={"query": [f"update {json.dumps(output)}"], "one": ["told"]},
    )  # fmt: skip
    assert told(ended, "one")["told"]["parameters"] == {"n": "7"}
    assert iterations(ended, "each") == [({"n": 7}, "SUCCESS"), ({"n": 8}, "SUCCESS")]
    assert ended.task("query").output == output["output"]


def child(folder: Path, *tasks: Task, **more: Any) -> Job:
    return Job("child", folder / "child.job.json", tasks, **more)


def test_a_job_that_a_task_runs_has_a_record_of_its_own(run, places, tmp_path):
    other = child(tmp_path, task("inner"), parameters={"day": "default", "size": "small", "own": "x"})
    work = RunJob(other, {"size": "{{task.name}}"})
    ended = run(
        task("outer", work=work), task("after", "outer"),
        fake={"inner": ["told"]}, job={"parameters": {"day": "2017-01-01", "unknown_there": "1"}},
    )  # fmt: skip
    assert results(ended) == {"outer": "SUCCESS", "after": "SUCCESS"}
    inner, outer = sorted(list_runs(places.runs), key=lambda one: one.run_name)
    assert outer == ended
    assert ended.task("outer").output["run_id"] == inner.run_id != ended.run_id
    assert inner.job_parameters == {"day": "2017-01-01", "size": "outer", "own": "x"}
    assert told(inner, "inner")["told"]["run_id"] == inner.run_id


def test_a_job_that_fails_below_fails_its_task_and_says_which_run(run, places, tmp_path):
    ended = run(task("outer", work=RunJob(child(tmp_path, task("inner")))), fake={"inner": ["fail"]})
    (inner,) = [one for one in list_runs(places.runs) if one.run_name == "child"]
    assert ended.task("outer").error == (
        f"run {inner.run_id} of job 'child' ended FAILED: task 'inner' failed: ValueError: boom"
    )
    assert ended.state.result_state == "FAILED"


def test_canceling_a_run_cancels_the_job_below_it(run, places, tmp_path):
    def interrupt() -> None:
        for _ in range(600):
            if list(places.runs.glob("*/tasks/inner-0/progress.jsonl")):
                break
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    other = child(tmp_path, task("inner"))
    threading.Thread(target=interrupt, daemon=True).start()
    ended = run(task("outer", work=RunJob(other)), fake={"inner": ["sleep"]}, grace_seconds=60)
    assert results(ended) == {"outer": "CANCELED"}
    (inner,) = [one for one in list_runs(places.runs) if one.run_name == "child"]
    assert (results(inner), inner.state.result_state) == ({"inner": "CANCELED"}, "CANCELED")
    assert still_alive() == []


def test_a_run_shows_itself_with_its_iterations(run):
    ended = run(loop("load", '["<a>", {"b": "c"}]'), check("any", "1", "EQUAL_TO", "1", "load"))
    text = ended.text()
    assert text.splitlines()[0] == f"retail · run {ended.run_id} · SUCCESS"
    assert [line.split()[0] for line in text.splitlines()[2:]] == ["load", "[0]", "[1]", "any"]
    assert '  [1] {"b": "c"}  ' in text
    aside = replace(ended, ignored=({"path": "run_as", "why": "tasks run as you"},))
    assert aside.text() == f"{text}\nignored here: run_as: tasks run as you"
    assert "<div>ignored here: run_as: tasks run as you</div>" in aside._repr_html_()
    html = ended._repr_html_()
    assert "[0] &lt;a&gt;" in html
    assert "<a>" not in html
