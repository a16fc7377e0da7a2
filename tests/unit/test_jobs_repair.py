"""Repairing a run: the same id, only what did not succeed, and a history of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import Run, load_run, repair_run
from helpers.jobs.errors import RepairError
from helpers.jobs.model import Condition, ForEach, Job, Notebook, Task
from helpers.jobs.plan import Node
from helpers.jobs.registry import admission, job_id
from helpers.jobs.repair import to_rerun
from helpers.jobs.runs import State, TaskRun
from helpers.runtime.places import Places
from tests.unit.jobs_fakes import Runs, fake_commands, fake_runs, results, task, told

Repairs = Callable[..., Run]


@pytest.fixture
def run(tmp_path: Path) -> Runs:
    return fake_runs(tmp_path)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


@pytest.fixture
def repair(places: Places, tmp_path: Path) -> Repairs:
    def go(
        ended: Run, *tasks: Task, fake: Mapping[str, list[str]] | None = None, job: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Run:  # fmt: skip
        now = Job("retail", tmp_path / "job.json", tasks, **(job or {}))
        environment = {"PATH": os.environ["PATH"], "FAKE": json.dumps(fake or {})}
        commands = fake_commands(tmp_path)
        return repair_run(
            ended.run_id, places=places, definition=now, commands=commands, environment=environment, **more
        )

    return go


CHAIN = (task("bronze"), task("silver", "bronze"), task("gold", "silver"), task("clean", "gold", run_if="ALL_DONE"))


def test_a_repair_runs_again_what_failed_and_what_was_never_reached(run, repair, places):
    broken = run(*CHAIN, fake={"silver": ["fail"]})
    assert results(broken) == {"bronze": "SUCCESS", "silver": "FAILED", "gold": "UPSTREAM_FAILED", "clean": "SUCCESS"}
    mended = repair(broken, *CHAIN)
    assert mended.run_id == broken.run_id
    assert set(results(mended).values()) == {"SUCCESS"}
    assert mended.state.result_state == "SUCCESS"
    assert [(one.task_key, one.attempt_number, one.state.result_state) for one in mended.tasks] == [
        ("bronze", 0, "SUCCESS"), ("silver", 0, "FAILED"), ("silver", 1, "SUCCESS"), ("gold", 0, "UPSTREAM_FAILED"),
        ("gold", 1, "SUCCESS"), ("clean", 0, "SUCCESS"),
    ]  # fmt: skip
    assert mended.task("bronze") == broken.task("bronze")
    assert load_run(places.runs / str(broken.run_id)) == mended


def test_the_history_has_the_original_and_each_repair(run, repair):
    broken = run(*CHAIN, fake={"silver": ["fail"], "gold": ["fail"]})
    again = repair(broken, *CHAIN, fake={"gold": ["fail"]})
    last = repair(again, *CHAIN, latest_repair_id=again.repair_history[-1].id)
    kinds = [(item.type, item.state.result_state) for item in last.repair_history]
    assert kinds == [("ORIGINAL", "SUCCESS_WITH_FAILURES"), ("REPAIR", "SUCCESS_WITH_FAILURES"), ("REPAIR", "SUCCESS")]
    original, first, second = last.repair_history
    assert original.id is None
    assert original.end_time <= first.start_time <= first.end_time <= second.start_time
    assert first.id < second.id
    assert first.task_run_ids == tuple(one.run_id for one in last.tasks if one.attempt_number == 1)
    assert second.task_run_ids == (last.task("gold").run_id,)
    assert last.start_time == broken.start_time


def test_a_second_repair_needs_the_id_of_the_first(run, repair):
    broken = run(*CHAIN, fake={"silver": ["fail"]})
    with pytest.raises(RepairError, match="leave latest_repair_id out: it was never repaired"):
        repair(broken, *CHAIN, latest_repair_id=5)
    again = repair(broken, *CHAIN, fake={"silver": ["fail"]})
    number = again.repair_history[-1].id
    with pytest.raises(RepairError, match=f"the last repair of run {broken.run_id} is {number}; pass latest_repair_id"):
        repair(again, *CHAIN)


def test_kept_tasks_still_give_their_values_and_outcomes(run, repair):
    tasks = (
        task("load"),
        Task("any", Condition("GREATER_THAN", "{{tasks.load.values.rows}}", "0"), ("load",)),
        task("yes", "any", outcomes={"any": "true"}, work=Notebook(Path("/n/y.ipynb"), {
            "rows": "{{tasks.load.values.rows}}", "count": "{{job.repair_count}}"})),
        task("no", "any", outcomes={"any": "false"}),
    )  # fmt: skip
    broken = run(*tasks, fake={"load": ['set {"rows": 3}'], "yes": ["fail"]})
    mended = repair(broken, *tasks, fake={"load": ["fail"], "yes": ["told"]})
    assert results(mended) == {"load": "SUCCESS", "any": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED"}
    given = told(mended, "yes")["told"]
    assert given["parameters"] == {"rows": "3", "count": "1"}
    assert given["task_values"] == {"load": {"rows": 3}}
    assert given["task_run_id"] == mended.task("yes").run_id > broken.task("yes").run_id


def test_parameters_given_to_a_repair_win_over_the_runs_and_those_over_the_defaults(run, repair):
    tasks = (task("a"), task("b", "a"))
    parameters = {"parameters": {"day": "default", "size": "default", "new": "default"}}
    broken = run(
        *tasks, fake={"b": ["fail"]}, job={"parameters": {"day": "d", "size": "d"}},
        parameters={"day": "given", "size": "given"},
    )  # fmt: skip
    mended = repair(broken, *tasks, fake={"b": ["told"]}, job=parameters, job_parameters={"day": "{{job.run_id}}"})
    expected = {"day": str(broken.run_id), "size": "given", "new": "default"}
    assert told(mended, "b")["told"]["parameters"] == expected
    assert mended.job_parameters == expected


def test_a_repair_uses_the_job_as_it_is_now(run, repair):
    tasks = (task("a"), task("b", "a"))
    broken = run(*tasks, fake={"b": ["fail"]})
    now = (task("a"), replace(task("b", "a"), max_retries=1), task("c", "b"))
    mended = repair(broken, *now, fake={"b": ["fail", "fail", "ok"]})
    assert [(one.task_key, one.attempt_number) for one in mended.tasks] == [
        ("a", 0), ("b", 0), ("b", 1), ("b", 2), ("c", 0),
    ]  # fmt: skip
    assert mended.state.result_state == "SUCCESS"


def test_a_loop_that_failed_goes_through_its_list_again(run, repair):
    work = ForEach("[1, 2]", Task("one", Notebook(Path("/n/one.ipynb"))))
    tasks = (task("a"), Task("each", work, ("a",)))
    broken = run(*tasks, fake={"one": ["fail"]})
    mended = repair(broken, *tasks)
    assert [one.state.result_state for one in mended.task("each").iterations] == ["SUCCESS", "SUCCESS"]
    assert [len(one.iterations) for one in mended.tasks if one.task_key == "each"] == [2, 2]
    everything = [one.run_id for each in mended.tasks for one in (each, *each.iterations)]
    assert len(set(everything)) == len(everything)


def ended(**states: str) -> Run:
    tasks = tuple(TaskRun(0, key, 0, "notebook", State("TERMINATED", result)) for key, result in states.items())
    return Run(1, 1, "retail", State("TERMINATED", "FAILED"), 0, {}, tasks=tasks)


NODES = (
    Node("a"), Node("b", ("a",)), Node("c", ("b",), "ALL_DONE"), Node("d", ("b",), "ALL_FAILED"), Node("e", ("d",)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("states", "tasks", "dependents", "again"),
    [
        ({"a": "SUCCESS", "b": "FAILED", "c": "SUCCESS", "d": "SUCCESS", "e": "SUCCESS"}, (), False, "b"),
        ({"a": "SUCCESS", "b": "FAILED", "c": "SUCCESS", "d": "SUCCESS", "e": "SUCCESS"}, (), True, "bcde"),
        ({"a": "FAILED", "b": "UPSTREAM_FAILED", "c": "SUCCESS", "d": "SUCCESS", "e": "TIMEDOUT"}, (), False, "abe"),
        ({"a": "FAILED", "b": "SUCCESS", "c": "SUCCESS", "d": "EXCLUDED", "e": "EXCLUDED"}, (), False, "ade"),
        ({"a": "CANCELED", "b": "UPSTREAM_CANCELED", "c": "FAILED", "d": "SUCCESS", "e": "SUCCESS"}, (), False, "abc"),
        ({"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS", "d": "EXCLUDED", "e": "EXCLUDED"}, ("b",), False, "b"),
        ({"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS", "d": "EXCLUDED", "e": "EXCLUDED"}, ("b",), True, "bcde"),
        ({"a": "SUCCESS", "b": "SUCCESS", "c": "SUCCESS", "d": "EXCLUDED", "e": "EXCLUDED"}, (), False, ""),
    ],
)
def test_which_tasks_run_again(states, tasks, dependents, again):
    assert to_rerun(NODES, ended(**states), tasks, with_dependents=dependents) == set(again)


def test_what_cannot_be_repaired_is_told(run, repair, places, tmp_path):
    fine, broken = run(*CHAIN), run(*CHAIN, fake={"silver": ["fail"]})
    with pytest.raises(RepairError, match=r"every task of run \d+ succeeded; name those to run again in rerun_tasks"):
        repair(fine, *CHAIN)
    with pytest.raises(RepairError, match="exclude each other"):
        repair(broken, *CHAIN, rerun_tasks=["gold"], rerun_all_failed_tasks=True)
    with pytest.raises(RepairError, match=r"the job has no task 'silvr'; did you mean 'silver'\?"):
        repair(broken, *CHAIN, rerun_tasks=["silvr"])
    with pytest.raises(RepairError, match="has one task; repairs are for jobs with two or more"):
        repair(broken, CHAIN[0])
    with pytest.raises(RepairError, match="there is no run 5 in"):
        repair_run(5, places=places)
    with pytest.raises(RepairError, match="came from no file that is still there; pass the job's definition"):
        repair_run(broken.run_id, places=places)
    number = job_id(places.runs, tmp_path / "job.json")
    with admission(places.runs, job=number, run=77, limit=1) as other:
        other.enter()
        with pytest.raises(RepairError, match=r"max_concurrent_runs of job 'retail' is 1 and run 77 .* still runs"):
            repair(broken, *CHAIN)
        skipped = run(*CHAIN)
    with pytest.raises(RepairError, match="was skipped, so it has nothing to repair"):
        repair(skipped, *CHAIN)
    assert load_run(places.runs / str(broken.run_id)) == broken


DYING = """
import os, signal, sys
from pathlib import Path
from tests.unit.jobs_fakes import fake_runs, task
def watch(run, event):
    if event["type"] == "task_started" and event["task_key"] == "b":
        os.kill(os.getpid(), signal.SIGKILL)
fake_runs(Path(sys.argv[1]))(task("a"), task("b", "a"), task("c", "b"), on_event=watch)
"""


def test_a_run_whose_runner_was_killed_shows_so_and_is_repaired(repair, places, tmp_path):
    died = subprocess.run([sys.executable, "-c", DYING, str(tmp_path)], check=False, cwd=Path(__file__).parents[2])
    assert died.returncode == -9
    (folder,) = (path for path in places.runs.iterdir() if path.name.isdigit())
    # A crash may tear the last line.
    with (folder / "events.jsonl").open("a") as record:
        record.write('{"version": 1, "ti')
    found = load_run(folder)
    assert (found.state.life_cycle_state, found.state.result_state) == ("INTERNAL_ERROR", "FAILED")
    assert "died before the run ended; repair the run" in found.state.state_message
    assert [one.state.word for one in found.latest()] == ["SUCCESS", "FAILED", "FAILED"]
    mended = repair(found, task("a"), task("b", "a"), task("c", "b"))
    assert [(one.task_key, one.attempt_number, one.state.word) for one in mended.tasks] == [
        ("a", 0, "SUCCESS"), ("b", 0, "FAILED"), ("b", 1, "SUCCESS"), ("c", 0, "FAILED"), ("c", 1, "SUCCESS"),
    ]  # fmt: skip
    assert [item.state.word for item in mended.repair_history] == ["FAILED", "SUCCESS"]
    reloaded = load_run(folder)
    assert reloaded.tasks == mended.tasks
    assert reloaded.repair_history == mended.repair_history
    assert len(reloaded.warnings) == 1


def test_a_run_that_still_runs_is_not_repaired(run, repair, tmp_path):
    said: list[str] = []

    def watch(now: Run, event: Mapping[str, Any]) -> None:
        if event["type"] == "task_started" and not said:
            with pytest.raises(RepairError) as caught:
                repair(now, *CHAIN)
            said.append(str(caught.value))

    number = run(*CHAIN, on_event=watch).run_id
    assert said == [f"run {number} is RUNNING (pid {os.getpid()}); wait for its end or cancel it, then repair it"]


def test_a_repair_shows_in_the_runs_own_text(run, repair):
    broken = run(*CHAIN, fake={"silver": ["fail"]})
    time.sleep(0.001)
    mended = repair(broken, *CHAIN)
    assert mended.text().splitlines()[0] == f"retail · run {broken.run_id} · SUCCESS, repaired 1 time"
