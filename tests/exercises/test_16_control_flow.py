"""Lesson 16: definitions are judged by what they would do, runs by their states, and each mistake is named."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.checks import Verdict, judge, load_exercises
from helpers.exercises import rehearsal
from helpers.jobs import check_definition
from helpers.jobs.runs import RepairHistoryItem, Run, State, TaskRun
from helpers.lab import LabJob, NotRunHere
from helpers.runtime import REPO_ROOT, Places

NAME = "16_control_flow"
LINES = {"2017-01-01": 3, "2017-01-08": 2, "2017-01-09": 1, "2017-01-10": 4}
DAYS = ["2017-01-08", "2017-01-09", "2017-01-10"]
OUTCOMES = {"any_new": "true", "too_bad": "true"}
Answers = dict[str, Any]


class Shop:
    """A lab whose job runs nothing: its cells leave definitions, and the tests make the runs."""

    schema, databricks = "night", False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("landing/transactions", "daily", "jobs"):
            (folder / name).mkdir(parents=True)
        for day, lines in LINES.items():
            (folder / f"landing/transactions/{day}.json").write_text("{}\n" * lines, encoding="utf-8")
        self.gold = [{"day": day, "receipt_lines": lines} for day, lines in LINES.items()]
        frame = SimpleNamespace(collect=lambda: self.gold)
        self.spark = SimpleNamespace(catalog=SimpleNamespace(tableExists=lambda name: name == "gold_days"),
                                     table=lambda name: frame)
        self.answers: Answers = {}

    def volume(self, path: str = "landing") -> str:
        return str(self.folder / path)

    def job(self, name: str) -> Any:
        written = LabJob(self.folder / "jobs" / name, Places(self.folder / "home"))
        return SimpleNamespace(write=written.write, notebook=written.notebook, problems=written.problems,
                               run=lambda *_, **__: None, repair=lambda *_, **__: None)

    def arrive(self, *days: str) -> None:
        (self.folder / "landing/transactions/2017-01-09.json").write_text("{}\n", encoding="utf-8")

    def break_it(self, fault: str) -> None:
        pass

    def check(self, name: str, answer: Any) -> None:
        self.answers[name] = answer

    def judge(self, name: str, *answer: Any) -> Verdict:
        return judge(load_exercises(NAME)[name], self, answer if len(answer) > 1 else answer[0])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """The cells of the solution have run, from the job's files to the last exercise."""
    made = Shop(tmp_path)
    cells = json.loads((REPO_ROOT / f"solutions/{NAME}.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    first = next(place for place, text in enumerate(code) if text.startswith("job = lab.job("))
    last = next(place for place, text in enumerate(code) if 'lab.check("16.7"' in text)
    scope: dict[str, Any] = {"lab": made, "Path": Path}
    for text in code[first : last + 1]:
        exec(compile(text, NAME, "exec"), scope)
    return made


def ended(states: Mapping[str, str], *, repaired: bool = False, days: list[str] | None = None, **more: Any) -> Run:
    """A run whose tasks ended so; ``days`` are what `look` found, and what the loop went through."""
    one = [TaskRun(9, "load_day", 0, "script", State("TERMINATED", "SUCCESS"), iteration=place, input=day)
           for place, day in enumerate(days or [])]
    values = {"days": days or [], "bad_percent": more.get("percent", 3.5)}
    tasks = tuple(
        TaskRun(1, key, 0, "script", State("TERMINATED", state), values=values if key == "look" else None,
                outcome=OUTCOMES.get(key), iterations=tuple(one) if key == "each_day" else (),
                output={"run_id": 7} if key == "night_shift" else None)
        for key, state in states.items())
    history = [RepairHistoryItem("ORIGINAL", 0), *([RepairHistoryItem("REPAIR", 1, id=1)] if repaired else [])]
    return Run(5, 1, "job", State("TERMINATED", "SUCCESS"), 0, {}, tasks=tasks, repair_history=tuple(history))


def states(text: str) -> dict[str, str]:
    """`load:F gold:U` as states by task."""
    words = {"S": "SUCCESS", "F": "FAILED", "U": "UPSTREAM_FAILED", "E": "EXCLUDED"}
    return {part.split(":")[0]: words[part.split(":")[1]] for part in text.split()}


BAD_NIGHT = ended(states("load:F gold:U clean_up:S alert:S"))
GOOD_NIGHT = ended(states("load:S gold:S clean_up:S alert:E"))
BUSY = ended(states("look:S any_new:S load:S gold:S nothing_new:E finish:S"), days=DAYS)
QUIET = ended(states("look:S any_new:S load:E gold:E nothing_new:S finish:S"))
BAD_MORNING = ended(states("look:S any_new:S too_bad:S alarm:F load:E gold:E"))
EVERY_DAY = ended(states("look:S each_day:S gold:S clean_up:S"), days=DAYS)
REPAIRED = ended(states("each_day:S gold:S"), days=DAYS, repaired=True)
OPENING = ended(states("night_shift:S shelves:S alert:E"))
RUNS = {"16.1": (BAD_NIGHT, GOOD_NIGHT), "16.3": (BUSY, QUIET), "16.4": (BAD_MORNING,), "16.5": (EVERY_DAY,),
        "16.7": (OPENING,)}


def task(definition: Answers, key: str) -> Answers:
    return next(each for each in definition["tasks"] if each["task_key"] == key)


def changed(key: str, **fields: Any) -> Callable[[Answers], None]:
    """Give a task other fields; None takes one away."""
    def change(definition: Answers) -> None:
        found = task(definition, key)
        for name, value in fields.items():
            found.pop(name, None)
            found.update({} if value is None else {name: value})
    return change


def compared(key: str, **fields: Any) -> Callable[[Answers], None]:
    return lambda definition: task(definition, key)["condition_task"].update(fields)


def looped(**fields: Any) -> Callable[[Answers], None]:
    return lambda definition: task(definition, "each_day")["for_each_task"].update(fields)


def inner(**fields: Any) -> Callable[[Answers], None]:
    def change(definition: Answers) -> None:
        looped(task={**task(definition, "each_day")["for_each_task"]["task"], **fields})(definition)
    return change


def handed(**given: Any) -> Callable[[Answers], None]:
    return lambda definition: task(definition, "night_shift")["run_job_task"].update(job_parameters=given)


def before(*names: str, **outcome: str) -> list[dict[str, str]]:
    return [{"task_key": name, **outcome} for name in names]


def test_the_untouched_scaffold_is_not_attempted(shop: Shop) -> None:
    scaffolds = {"16.1": (..., ..., ...), "16.2": (shop.answers["16.2"][0], ...), "16.3": (..., ..., ...),
                 "16.4": (..., ...), "16.5": (..., ...), "16.6": ..., "16.7": (..., ...)}
    for name, answer in scaffolds.items():
        assert judge(load_exercises(NAME)[name], shop, answer).status == "not attempted"


@pytest.mark.parametrize("name", RUNS)
def test_the_right_definition_and_its_run_pass(shop: Shop, name: str) -> None:
    verdict = shop.judge(name, shop.answers[name][0], *RUNS[name])
    assert verdict.status == "correct", verdict.lines


@pytest.mark.parametrize("name", RUNS)
def test_where_no_job_can_run_only_a_wrong_definition_is_told(shop: Shop, name: str) -> None:
    definition, nowhere = shop.answers[name][0], [NotRunHere("not here")] * len(RUNS[name])
    assert shop.judge(name, definition, *nowhere).status == "not attempted"
    assert shop.judge(name, {**definition, "tasks": definition["tasks"][1:]}, *nowhere).status == "incorrect"


@pytest.mark.parametrize("name", RUNS)
def test_what_is_no_definition_or_no_run_is_told(shop: Shop, name: str) -> None:
    assert "expected a dictionary" in str(shop.judge(name, "job.json", *RUNS[name]))
    assert "expected a run" in str(shop.judge(name, shop.answers[name][0], *(["SUCCESS"] * len(RUNS[name]))))


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("16.1", changed("alert", run_if="ALL_DONE"), "If all goes well, `alert` would be SUCCESS, expected EXCLUDED"),
        ("16.1", changed("alert", run_if="ALL_FAILED"), "If `gold` fails, `alert` would be EXCLUDED"),
        ("16.1", changed("alert", depends_on=before("load")), "If `gold` fails, `alert` would be EXCLUDED"),
        ("16.1", changed("clean_up", run_if=None), "If `load` fails, `clean_up` would be UPSTREAM_FAILED"),
        ("16.1", changed("clean_up", depends_on=before("load")), "`clean_up` does not wait for `gold`"),
        ("16.1", changed("clean_up", run_if="ALWAYS"), "ALWAYS"),
        ("16.1", changed("gold", depends_on=before("laod")), "'laod', which is not in the job"),
        ("16.1", changed("alert", task_key="alarm"), "The job has no task `alert`"),
        ("16.3", compared("any_new", op="NOT_EQUAL", right="0.0"), "compares texts. Which ones compare numbers?"),
        ("16.3", compared("any_new", op="EQUAL_TO"), "just the opposite of the question"),
        ("16.3", compared("any_new", op="GREATER_THAN_OR_EQUAL"), "says true to new_lines = 0, expected false"),
        ("16.3", compared("any_new", op="EQUAL_TO", left="new_lines"), "Neither is look's value new_lines"),
        ("16.3", changed("load", depends_on=before("any_new")), "If there is no new line, `load` would be SUCCESS"),
        ("16.3", changed("load", depends_on=before("any_new", outcome="false")), "`load` would be EXCLUDED, expected"),
        ("16.3", changed("finish", run_if="ALL_DONE"), "If `load` fails, `finish` would be SUCCESS"),
        ("16.4", compared("too_bad", right="2"), "which reference takes it from the job parameter most_bad?"),
        ("16.4", compared("too_bad", op="LESS_THAN"), "says true to bad_percent = 1.9"),
        ("16.4", changed("load", depends_on=before("any_new", outcome="true")), "If 9.5 % are bad, `load` would"),
        ("16.4", changed("too_bad", depends_on=before("any_new")), "`too_bad` would be SUCCESS, expected EXCLUDED"),
        ("16.5", looped(inputs='["2017-01-01"]'), "is not the list that look leaves"),
        ("16.5", looped(inputs="{{tasks.look.values.new_lines}}"), "is not the list that look leaves"),
        ("16.5", looped(inputs="{{tasks.look}}"), "'{{tasks.look}}' has no value here"),
        ("16.5", looped(concurrency=1), "runs 1 iterations at once, expected 2"),
        ("16.5", inner(max_retries=0), "The inner task has max_retries = 0, expected 1"),
        ("16.5", inner(spark_python_task={"python_file": "say.py"}), "does not use {{input}}"),
        ("16.5", changed("gold", depends_on=before("look")), "`gold` does not wait for `each_day`"),
        ("16.5", changed("clean_up", run_if="AT_LEAST_ONE_SUCCESS"), "`clean_up` would be UPSTREAM_FAILED"),
        ("16.7", handed(), "hands no `since` down"),
        ("16.7", handed(since="2017-01-07"), "whatever `begin` is"),
        ("16.7", changed("shelves", run_if="ALL_DONE"), "If `night_shift` fails, `shelves` would be SUCCESS"),
        ("16.7", changed("alert", run_if=None), "If all goes well, `alert` would be SUCCESS, expected EXCLUDED"),
    ],
)
def test_a_wrong_definition_is_told_by_what_it_would_do(
    shop: Shop, name: str, change: Callable[[Answers], None], told: str
) -> None:
    definition = copy.deepcopy(shop.answers[name][0])
    change(definition)
    verdict = shop.judge(name, definition, *RUNS[name])
    assert verdict.status == "incorrect"
    assert told in str(verdict)


def test_retries_on_the_loop_are_told_to_be_in_the_wrong_place(shop: Shop) -> None:
    definition = copy.deepcopy(shop.answers["16.5"][0])
    found = task(definition, "each_day")
    for field in ("max_retries", "timeout_seconds"):
        found[field] = found["for_each_task"]["task"].pop(field)
    told = str(shop.judge("16.5", definition, EVERY_DAY))
    assert "task 'each_day', max_retries" in told
    assert "task 'each_day', timeout_seconds" in told
    assert "set it on the task inside" in told


def test_other_forms_of_the_same_definition_pass(shop: Shop) -> None:
    """A question turned round, with its branches turned round too; an alert that hears of load through gold."""
    definition = copy.deepcopy(shop.answers["16.1"][0])
    changed("alert", depends_on=before("gold"))(definition)
    assert shop.judge("16.1", definition, BAD_NIGHT, GOOD_NIGHT).status == "correct"
    definition = copy.deepcopy(shop.answers["16.3"][0])
    compared("any_new", left="0", right="{{tasks.look.values.new_lines}}", op="LESS_THAN")(definition)
    changed("finish", run_if="NONE_FAILED")(definition)
    definition["tasks"].reverse()
    assert shop.judge("16.3", definition, BUSY, QUIET).status == "correct"


@pytest.mark.parametrize(
    ("name", "runs", "told"),
    [
        ("16.1", (GOOD_NIGHT, GOOD_NIGHT), "`a_bad_night`: Task `load` is SUCCESS, expected FAILED"),
        ("16.1", (BAD_NIGHT, BAD_NIGHT), "`a_good_night`: Task `alert` is SUCCESS, expected EXCLUDED"),
        ("16.3", (BUSY, BUSY), "`quiet`: Task `load` is SUCCESS, expected EXCLUDED"),
        ("16.3", (EVERY_DAY, QUIET), "The run has no task `nothing_new`. Which definition did you run?"),
        ("16.4", (QUIET,), "`bad_morning`: The run has no task `too_bad`"),
        ("16.5", (ended(states("look:S each_day:F gold:U clean_up:S")),), "Task `each_day` is FAILED"),
        ("16.7", (ended(states("night_shift:F shelves:U alert:S")),), "Task `night_shift` is FAILED"),
    ],
)
def test_a_run_that_went_another_way_is_told(shop: Shop, name: str, runs: tuple[Run, ...], told: str) -> None:
    assert told in str(shop.judge(name, shop.answers[name][0], *runs))


def test_a_bad_morning_without_bad_lines_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTCOMES, "too_bad", "false")
    run = ended(states("look:S any_new:S too_bad:S alarm:E load:S gold:S"), percent=1.2)
    assert "look found 1.2 % bad lines" in str(shop.judge("16.4", shop.answers["16.4"][0], run))


def test_a_work_file_that_is_left_is_told(shop: Shop) -> None:
    (shop.folder / "daily" / "2017-01-20.part").touch()
    told = str(shop.judge("16.1", shop.answers["16.1"][0], BAD_NIGHT, GOOD_NIGHT))
    assert "The work file 2017-01-20.part is still there" in told


def test_gold_must_have_each_day_as_its_file_has_it(shop: Shop) -> None:
    shop.gold[1]["receipt_lines"] = 5
    del shop.gold[3]
    told = str(shop.judge("16.5", shop.answers["16.5"][0], EVERY_DAY))
    assert "`gold_days` has no row of 2017-01-10" in told
    assert "has 5 lines of 2017-01-08, but its file has 2" in told


def test_each_wrong_guess_about_a_state_is_asked_about(shop: Shop) -> None:
    puzzle, right = shop.answers["16.2"]
    assert shop.judge("16.2", puzzle, right).status == "correct"
    told = str(shop.judge("16.2", puzzle, {**right, "mail": "UPSTREAM_FAILED", "run": "FAILED", "panic": "skipped"}))
    assert "`mail` is not UPSTREAM_FAILED. Nothing before it has failed" in told
    assert "`run` is not FAILED. Look for the leaf tasks" in told
    assert "'skipped' for `panic` is no state of this lesson" in told
    assert "says nothing of `archive`" in str(shop.judge("16.2", puzzle, {"mail": "EXCLUDED"}))
    assert "expected a dictionary" in str(shop.judge("16.2", puzzle, ["EXCLUDED"]))


def test_a_repair_is_a_success_of_the_same_run_with_every_day(shop: Shop) -> None:
    assert shop.judge("16.6", REPAIRED).status == "correct"
    assert shop.judge("16.6", NotRunHere("not here")).status == "not attempted"
    assert "it is a new run" in str(shop.judge("16.6", ended(states("each_day:S gold:S"), days=DAYS)))
    assert "No iteration was about 2017-01-09" in str(
        shop.judge("16.6", ended(states("each_day:S gold:S"), days=DAYS[::2], repaired=True)))
    (shop.folder / "landing/transactions/2017-01-09.json").unlink()
    early = str(shop.judge("16.6", ended(states("each_day:F gold:U"), repaired=True)))
    assert "Task `each_day` is FAILED" in early
    assert "The file of 2017-01-09 is still not there" in early


def test_every_definition_of_the_lesson_can_run(shop: Shop) -> None:
    folder = shop.folder / "jobs" / "night"
    definitions = [answer[0] for name, answer in shop.answers.items() if name != "16.6"]
    assert len(definitions) == 6
    assert [check_definition(each, base_dir=folder) for each in definitions] == [()] * 6
    assert check_definition(folder / "night_shift.job.json") == ()


def test_an_if_else_task_that_cannot_compare_fails_on_paper_too(shop: Shop) -> None:
    definition = shop.answers["16.3"][0]
    found = rehearsal.play(definition, values={"look": {"new_lines": "many"}})
    assert (found["any_new"], found["load"], found["nothing_new"]) == ("FAILED", "UPSTREAM_FAILED", "UPSTREAM_FAILED")
    assert rehearsal.run_result(definition, found) == "FAILED"
