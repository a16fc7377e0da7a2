"""Mistakes put into generated definitions: all are told at once, each with its task and field, none by its place."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.jobs import check_definition
from tests.unit.jobs_strategies import Case, cases

Definition = dict[str, Any]
Task = dict[str, Any]
#: Puts one mistake into a task and gives how the sentence about it starts, and what else is in it.
Mistake = Callable[[Definition, Task, random.Random], tuple[str, str]]


def unknown_field(definition: Definition, task: Task, chance: random.Random) -> tuple[str, str]:
    right = chance.choice(["run_if", "max_retries", "timeout_seconds", "depends_on", "notebook_task"])
    wrong = misspelt(right, chance)
    task[wrong] = 1
    return f"task '{task['task_key']}', {wrong}: UnknownField: ", f"did you mean '{right}'?"


def missing_upstream(definition: Definition, task: Task, chance: random.Random) -> tuple[str, str]:
    missing = misspelt("somebody", chance)
    task["depends_on"].insert(0, {"task_key": missing})
    return f"task '{task['task_key']}', depends_on '{missing}': UnknownTask: ", "which is not in the job"


def duplicate_key(definition: Definition, task: Task, chance: random.Random) -> tuple[str, str]:
    definition["tasks"].append(copy.deepcopy(task))
    return f"task '{task['task_key']}', task_key: DuplicateKey: ", "is there 2 times"


def wrong_enum_value(definition: Definition, task: Task, chance: random.Random) -> tuple[str, str]:
    owner, field, place = (task, "run_if", "run_if")
    if "condition_task" in task:
        owner, field, place = (task["condition_task"], "op", "condition_task.op")
    right = owner.setdefault(field, "AT_LEAST_ONE_FAILED")
    owner[field] = chance.choice([misspelt(right, chance), right.lower()])
    return f"task '{task['task_key']}', {place}: WrongValue: '{owner[field]}' ", f"did you mean '{right}'?"


def missing_notebook(definition: Definition, task: Task, chance: random.Random) -> tuple[str, str]:
    for kind in ("spark_python_task", "condition_task", "for_each_task"):
        task.pop(kind, None)
    task["notebook_task"] = {"notebook_path": "gone"}
    for entry in (entry for other in definition["tasks"] for entry in other["depends_on"]):
        if entry["task_key"] == task["task_key"]:
            entry.pop("outcome", None)
    return f"task '{task['task_key']}', notebook_task.notebook_path: MissingFile: ", "gone.ipynb"


def bad_cron(definition: Definition, task: Task, chance: random.Random) -> tuple[str, str]:
    field = chance.choice(["61 0 6 * * ?", "0 60 6 * * ?", "0 0 24 * * ?", "0 0 6 32 * ?", "0 0 6 * 13 ?", "6 * * * *"])
    definition["schedule"] = {"quartz_cron_expression": field, "timezone_id": "UTC"}
    return "schedule.quartz_cron_expression: WrongValue: ", "'"


def waits_for_itself(definition: Definition, task: Task, chance: random.Random) -> tuple[str, str]:
    """A cycle of one task, or of two; another one may be in the same definition."""
    key, other = task["task_key"], f"{task['task_key']}_again"
    if chance.random() < 0.5:
        task["depends_on"].append({"task_key": key})
        return f"task '{key}', depends_on: TaskCycle: ", f"{key} -> {key}"
    task["depends_on"].append({"task_key": other})
    script = {"python_file": "work.py"}
    definition["tasks"].append({"task_key": other, "depends_on": [{"task_key": key}], "spark_python_task": script})
    return f"task '{key}', depends_on: TaskCycle: ", f"{key} -> {other} -> {key}"


MISTAKES: tuple[Mistake, ...] = (
    unknown_field, missing_upstream, wrong_enum_value, missing_notebook, bad_cron, waits_for_itself, waits_for_itself,
    duplicate_key,
)  # fmt: skip


def misspelt(word: str, chance: random.Random) -> str:
    """The word without one letter, or with two of them changed over."""
    place = chance.randrange(1, len(word) - 1)
    changed = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return changed if chance.random() < 0.5 and changed != word else word[:place] + word[place + 1 :]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "work.py").touch()
    return folder


@settings(max_examples=150, deadline=None)
@given(cases(), st.lists(st.sampled_from(range(len(MISTAKES))), unique=True, min_size=1), st.integers(0, 10_000))
def test_all_mistakes_of_a_definition_are_told_and_nothing_else(folder: Path, case: Case, which: list[int], seed: int):
    definition, chance = copy.deepcopy(dict(case.definition)), random.Random(seed)
    assert check_definition(definition, base_dir=folder) == ()
    tasks = list(definition["tasks"])
    chance.shuffle(tasks)
    # A task each, so that no mistake hides another; a copied task comes last, since its copy has its mistakes too.
    expected = [MISTAKES[number](definition, task, chance) for number, task in zip(sorted(which), tasks, strict=False)]
    told = check_definition(definition, base_dir=folder)
    for start, also in expected:
        assert any(line.startswith(start) and also in line for line in told), (start, also, told)
    assert len(told) == len(expected), told
    assert not any(re.search(r"\[\d+\]", line) for line in told), told


def test_what_has_no_name_is_told_by_its_neighbour_and_two_cycles_are_told_both(folder):
    def script(*upstream: str, **more: Any) -> Task:
        depends = [{"task_key": key} for key in upstream]
        return {"depends_on": depends, "spark_python_task": {"python_file": "work.py"}, **more}

    a, b, c = script("b", task_key="a"), script("a", task_key="b"), script("c", task_key="c")
    assert check_definition({"tasks": [a, b, script(), c, 7]}, base_dir=folder) == (
        "the task after 'b': MissingField: 'task_key' is required",
        "the task after 'c': WrongValue: 7 is not an object",
        "task 'a', depends_on: TaskCycle: these tasks wait for each other: a -> b -> a",
        "task 'c', depends_on: TaskCycle: these tasks wait for each other: c -> c",
    )
