"""200 generated definitions, run by the real runner in simulated time, against a reference written from the docs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from helpers.jobs import Run, repair_run, run_job
from helpers.jobs.attempt import COMMANDS
from helpers.runtime.places import Places
from tests.unit.jobs_reference import Ending, Reference, to_repair
from tests.unit.jobs_strategies import STRICT, Case, cases


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    (folder / "work.py").touch()
    return folder


@settings(max_examples=200, deadline=None)
@given(cases())
def test_a_generated_run_and_its_repair_end_as_the_documentation_says(folder, case):
    simulation, reference = case.simulation(case.ends), Reference(case.definition, case.ends)
    with simulation.instead_of_processes():
        run = run_job(case.definition, clock=simulation, **means(folder, case))
    assert endings(run) == reference.tasks()
    assert run.state.result_state == reference.run()
    assert simulation.most_at_once <= case.parallelism
    assert_in_order(run)
    if to_repair(case.definition, reference.tasks()) and len(case.definition["tasks"]) > 1:
        check_repair(folder, case, run, reference.tasks())


def check_repair(folder: Path, case: Case, broken: Run, before: Mapping[str, Ending]) -> None:
    """Repair a run whose cause is mended: each script ends well, if need be when it is tried again."""
    definition, ends = mended(case.definition), mended_ends(case.definition)
    simulation = case.simulation(ends)
    again = to_repair(case.definition, before)
    with simulation.instead_of_processes():
        run = repair_run(broken.run_id, definition=definition, clock=simulation, **means(folder, case))
    kept = {key: ending for key, ending in before.items() if key not in again}
    reference = Reference(definition, ends, kept)
    assert endings(run) == reference.tasks()
    assert run.state.result_state == reference.run() == "SUCCESS"
    if decided_by_success_alone(definition):
        assert states(endings(run)) == states(Reference(definition, ends).tasks())
    # All that was there is still there, and nothing but the tasks to run again came to it.
    assert [task for task in run.tasks if task in broken.tasks] == list(broken.tasks)
    new = [task for task in run.tasks if task not in broken.tasks]
    assert {task.task_key for task in new} == again
    assert set(run.repair_history[-1].task_run_ids) == {
        one.run_id for task in new for one in (task, *task.iterations)
    }  # fmt: skip
    assert (run.run_id, run.job_id, run.start_time) == (broken.run_id, broken.job_id, broken.start_time)


def means(folder: Path, case: Case) -> dict[str, Any]:
    means = {"places": Places(folder / "home"), "base_dir": folder, "commands": COMMANDS, "environment": {}}
    return {**means, "parallelism": case.parallelism}


def mended(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The same with conditions that compare text as text."""
    tasks = []
    for task in definition["tasks"]:
        condition = task.get("condition_task")
        if condition and condition["left"].startswith("{{"):
            task = {**task, "condition_task": {**condition, "op": "NOT_EQUAL"}}
        tasks.append(task)
    return {**definition, "tasks": tasks}


def mended_ends(definition: Mapping[str, Any]) -> dict[str, list[str]]:
    """Each script that may be tried again fails at first."""
    tasks = [task for task in definition["tasks"] if task.get("max_retries")]
    return {task["task_key"]: ["fail", "ok"] for task in tasks}


def decided_by_success_alone(definition: Mapping[str, Any]) -> bool:
    """Whether no task of the definition could have run because another had failed."""
    tasks = definition["tasks"]
    asks = any(task.get("condition_task", {}).get("left", "").startswith("{{") for task in tasks)
    return not asks and all(task.get("run_if", "ALL_SUCCESS") in STRICT for task in tasks)


def endings(run: Run) -> dict[str, Ending]:
    """What a run's record says of each task since it was last repaired, in the reference's words."""
    last = run.repair_history[-1].task_run_ids
    found = {}
    for key in dict.fromkeys(task.task_key for task in run.tasks):
        attempts = [task for task in run.tasks if task.task_key == key]
        attempts = [task for task in attempts if task.run_id in last] or attempts
        found[key] = ending(attempts)
    return found


def ending(attempts: list[Any]) -> Ending:
    last = attempts[-1]
    iterations: dict[int, list[str]] = {}
    for one in last.iterations:
        iterations.setdefault(one.iteration, []).append(one.state.result_state)
    ran = tuple(task.state.result_state for task in attempts) if last.start_time is not None else ()
    return Ending(last.state.result_state, ran, tuple(map(tuple, iterations.values())), last.outcome)


def states(endings: Mapping[str, Ending]) -> dict[str, str]:
    return {key: ending.state for key, ending in endings.items()}


def assert_in_order(run: Run) -> None:
    """No task starts before all that it waits for have ended."""
    last = {task.task_key: task for task in run.latest()}
    for task in run.tasks:
        if task.start_time is not None:
            assert all(last[key].end_time <= task.start_time for key in task.depends_on)
