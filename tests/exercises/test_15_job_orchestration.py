"""Lesson 15's checks on definitions and runs made by hand: no job runs and no Spark starts."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import Row

from helpers.checks import Verdict, judge, load_exercises
from helpers.exercises import orchestration
from helpers.jobs.runs import RepairHistoryItem, Run, State, TaskRun
from helpers.lab.job import LabJob, NotRunHere
from helpers.runtime import Places

NAME = "15_job_orchestration"
SETUP, BRONZE, SILVER, GOLD, REPORT = TASKS = (
    "setup_environment", "bronze_ingestion", "silver_transformation", "gold_aggregation", "create_report")
PIPELINE = "${resources.pipelines.retail.id}"
#: One line a file, of 2.50 dollars each.
LINE = '{{"household_id":1,"basket_id":{0},"product_id":10,"quantity":1,"sales_value":2.50}}\n'


class Frame:
    """As much of a DataFrame as the checks ask for."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.columns = rows, list(rows[0])

    def select(self, *_: str) -> Frame:
        return self

    distinct = select

    def collect(self) -> list[Row]:
        return [Row(**row) for row in self.rows]

    def groupBy(self, name: str) -> SimpleNamespace:
        names = [row[name] for row in self.rows]
        return SimpleNamespace(count=lambda: Frame([{name: each, "count": names.count(each)} for each in set(names)]))


class Shop:
    """A lab with landed files, a job's folder, and tables as lists of rows."""

    schema = "lab_15"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tables: dict[str, list[dict[str, Any]]] = {"bronze_transactions": [], "gold_revenue_by_department": []}
        self.spark = SimpleNamespace(catalog=SimpleNamespace(tableExists=lambda name: name in self.tables),
                                     table=lambda name: Frame(self.tables[name]))
        for place in ("landing/transactions", "landing/products"):
            (folder / place).mkdir(parents=True)
        job = self.job("retail")
        for name in (SETUP, REPORT, "look"):
            job.notebook(f"{name}.ipynb", "1")
        job.write("retail.pipeline.json", {"name": "retail"})
        for day in (1, 2):
            self.land(day)
            self.load(day)

    def land(self, day: int) -> None:
        (self.folder / f"landing/transactions/2017-01-0{day}.json").write_text(LINE.format(day), encoding="utf-8")

    def load(self, day: int) -> None:
        self.tables["bronze_transactions"].append({"source_file": f"2017-01-0{day}.json"})
        total = Decimal("2.50") * len(self.tables["bronze_transactions"])
        self.tables["gold_revenue_by_department"] = [{"department": "GROCERY", "revenue": total}]

    def volume(self, path: str = "landing") -> str:
        return str(self.folder / path)

    def job(self, name: str) -> LabJob:
        (self.folder / "jobs" / name).mkdir(parents=True, exist_ok=True)
        return LabJob(self.folder / "jobs" / name, Places(self.folder / "home"))

    def check(self, name: str, answer: Any) -> Verdict:
        return judge(load_exercises(NAME)[name], self, answer)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def pipeline(key: str, after: str, *tables: str) -> dict[str, Any]:
    return {"task_key": key, "depends_on": [{"task_key": after}],
            "pipeline_task": {"pipeline_id": PIPELINE, "refresh_selection": list(tables)}}


def daily(shop: Shop) -> dict[str, Any]:
    return {
        "name": "daily_retail",
        "parameters": [{"name": "schema", "default": shop.schema}, {"name": "landing", "default": shop.volume()}],
        "tasks": [
            {"task_key": SETUP, "notebook_task": {"notebook_path": "setup_environment.ipynb"}},
            pipeline(BRONZE, SETUP, "bronze_transactions", "bronze_products"),
            pipeline(SILVER, BRONZE, "silver_transactions", "silver_sales"),
            pipeline(GOLD, SILVER, "gold_revenue_by_department"),
            {"task_key": REPORT, "depends_on": [{"task_key": GOLD}],
             "notebook_task": {"notebook_path": "create_report",
                               "base_parameters": {"files": "{{tasks.setup_environment.values.files}}"}}},
        ],
    }


def careful(shop: Shop) -> dict[str, Any]:
    made = daily(shop) | {"timeout_seconds": 1800, "email_notifications": {"on_failure": ["data-team@example.com"]}}
    for task in made["tasks"][1:4]:
        task["timeout_seconds"] = 600
    made["tasks"][1] |= {"max_retries": 1, "min_retry_interval_millis": 1000}
    return made


def task_run(number: int, key: str, word: str, *, attempt: int = 0, **more: Any) -> TaskRun:
    start = None if word == "UPSTREAM_FAILED" else 1000
    return TaskRun(number, key, attempt, "notebook", State("TERMINATED", word), start_time=start, **more)


def run(*words: str, values: dict[str, Any] | None = None) -> Run:
    tasks = [task_run(place, key, word) for place, (key, word) in enumerate(zip(TASKS, words, strict=True))]
    tasks[0] = replace(tasks[0], values=values or {"files": 2})
    tasks = [replace(task, error="The folder is gone.") if task.state.word == "FAILED" else task for task in tasks]
    history = RepairHistoryItem("ORIGINAL", 0, task_run_ids=tuple(range(len(words))))
    return Run(7, 1, "daily_retail", State("TERMINATED"), 0, {}, tasks=tuple(tasks), repair_history=(history,))


GOOD = run(*["SUCCESS"] * 5)
BROKEN = run("SUCCESS", "FAILED", *["UPSTREAM_FAILED"] * 3)


def repaired(*, words: tuple[str, ...] = ("SUCCESS",) * 4) -> Run:
    """BROKEN after a repair of the four last tasks."""
    more = [task_run(10 + place, key, word, attempt=1) for place, (key, word)
            in enumerate(zip(TASKS[1:], words, strict=True))]
    again = RepairHistoryItem("REPAIR", 5, 5, task_run_ids=(10, 11, 12, 13))
    return replace(BROKEN, tasks=(*BROKEN.tasks, *more), repair_history=(*BROKEN.repair_history, again))


@pytest.mark.parametrize("number", range(1, 9))
def test_the_untouched_scaffold_is_not_attempted(shop: Shop, number: int) -> None:
    several = {6: (..., ..., ...), 7: (..., ...), 8: (..., ..., ...)}
    assert shop.check(f"15.{number}", several.get(number, ...)).status == "not attempted"


def test_where_jobs_do_not_run_in_the_notebook_nothing_is_judged(shop: Shop) -> None:
    there = NotRunHere("Elsewhere.")
    answers = {"15.2": there, "15.5": there, "15.6": (there, BRONZE, []), "15.7": ([], there), "15.8": (there, 2, 2)}
    assert {shop.check(name, answer).status for name, answer in answers.items()} == {"not attempted"}


def test_a_kind_that_does_not_fit_its_step_says_why(shop: Shop) -> None:
    right = dict.fromkeys((SETUP, REPORT), "notebook_task") | dict.fromkeys((BRONZE, SILVER, GOLD), "pipeline_task")
    assert shop.check("15.1", right).status == "correct"
    text = str(shop.check("15.1", {**right, SETUP: "pipeline_task", GOLD: "notebook_task", "golf": "sql_task"}))
    assert "`setup_environment` should not be a pipeline_task: it fills no table" in text
    assert "your own code would have to remember which files it has read" in text
    assert "There is no task `golf`" in text
    assert "says nothing of `create_report`" in str(shop.check("15.1", {SETUP: "notebook_task"}))
    assert "expected a dictionary" in str(shop.check("15.1", ["notebook_task"]))


def tried(word: str = "SUCCESS", **values: Any) -> Run:
    task = task_run(0, SETUP, word, values=values, error="ValueError: boom" if word == "FAILED" else None)
    return replace(GOOD, tasks=(task,))


def test_the_number_of_files_must_be_left_as_a_number(shop: Shop) -> None:
    assert shop.check("15.2", tried(files=2)).status == "correct"
    assert "has set no task value `files`. It has set 'file'" in str(shop.check("15.2", tried(file=2)))
    assert "is the text '2'" in str(shop.check("15.2", tried(files="2")))
    assert "is 0, but landing/transactions holds 2 files" in str(shop.check("15.2", tried(files=0)))
    assert "is ['a'], expected a number" in str(shop.check("15.2", tried(files=["a"])))
    assert "is FAILED, expected SUCCESS. ValueError: boom" in str(shop.check("15.2", tried("FAILED")))
    assert "is a int, expected a run" in str(shop.check("15.2", 2))


Change = Callable[[dict[str, Any]], Any]
WRONG: list[tuple[str, Change]] = [
    ("The job has no task `gold_aggregation`. Did you mean it by `gold_agregation`?",
     lambda d: d["tasks"][3].update(task_key="gold_agregation")),
    ("`silver_transformation` does not wait for `bronze_ingestion`: both could run at the same time",
     lambda d: d["tasks"][2].pop("depends_on")),
    ("`silver_transformation` waits for `gold_aggregation`, which is not before it",
     lambda d: d["tasks"][2].update(depends_on=[{"task_key": GOLD}])),
    ("these tasks wait for each other", lambda d: d["tasks"][2].update(depends_on=[{"task_key": GOLD}])),
    ("`bronze_ingestion` does not refresh `bronze_products`",
     lambda d: d["tasks"][1]["pipeline_task"].update(refresh_selection=["bronze_transactions"])),
    ("`gold_aggregation` refreshes `silver_sales`, which is not its layer's",
     lambda d: d["tasks"][3]["pipeline_task"]["refresh_selection"].append("silver_sales")),
    ("`gold_aggregation` has no refresh_selection, so it updates every table",
     lambda d: d["tasks"][3]["pipeline_task"].pop("refresh_selection")),
    ("`create_report` gets the fixed text '2' as `files`",
     lambda d: d["tasks"][4]["notebook_task"].update(base_parameters={"files": "2"})),
    ("`create_report` gets no `files`", lambda d: d["tasks"][4]["notebook_task"].pop("base_parameters")),
    ("Which task has counted the files, and under which key?", lambda d: d["tasks"][4]["notebook_task"].update(
        base_parameters={"files": "{{tasks.setup_environment.values.file}}"})),
    ("`create_report` runs the notebook 'look.ipynb', expected 'create_report.ipynb'",
     lambda d: d["tasks"][4]["notebook_task"].update(notebook_path="look.ipynb")),
    ("Task `silver_transformation` is a notebook_task, expected a pipeline_task", lambda d: d["tasks"].__setitem__(
        2, {"task_key": SILVER, "depends_on": [{"task_key": BRONZE}],
            "notebook_task": {"notebook_path": "look.ipynb"}})),
    ("The job has no parameter `landing`. Did you mean it by `landin`?",
     lambda d: d["parameters"][1].update(name="landin")),
    ("The parameter `schema` has the default 'retail', expected 'lab_15'",
     lambda d: d["parameters"][0].update(default="retail")),
    ("The job's name is 'retail'", lambda d: d.update(name="retail")),
    ("The job has a task `mail`, which the exercise does not ask for",
     lambda d: d["tasks"].append({"task_key": "mail", "notebook_task": {"notebook_path": "look.ipynb"}})),
    ("there is no notebook", lambda d: d["tasks"][0]["notebook_task"].update(notebook_path="setup.ipynb")),
    ("depends_on", lambda d: d["tasks"][2].update(depends_on=[BRONZE])),
]


def test_the_whole_morning_passes_in_any_order_of_its_tasks(shop: Shop) -> None:
    made = daily(shop)
    made["tasks"].reverse()
    assert shop.check("15.3", made).status == "correct"


def test_a_dependency_that_holds_anyway_may_be_written_down(shop: Shop) -> None:
    made = daily(shop)
    made["tasks"][4]["depends_on"].append({"task_key": SETUP})
    assert shop.check("15.3", made).status == "correct"


@pytest.mark.parametrize(("told", "change"), WRONG)
def test_what_is_wrong_in_a_definition_is_named_by_its_task(shop: Shop, told: str, change: Change) -> None:
    made = daily(shop)
    change(made)
    verdict = shop.check("15.3", made)
    assert verdict.status == "incorrect"
    assert told in str(verdict)


@pytest.mark.parametrize("answer", [[], {}, {"tasks": "x"}, {"tasks": [1, {}]}, {"tasks": [{"task_key": 1}]}])
def test_no_shape_of_an_answer_breaks_the_check(shop: Shop, answer: Any) -> None:
    assert shop.check("15.3", answer).status == "incorrect"
    assert shop.check("15.4", answer).status == "incorrect"


CARELESS: list[tuple[str, Change]] = [
    ("`bronze_ingestion` has max_retries 0", lambda d: d["tasks"][1].pop("max_retries")),
    ("`bronze_ingestion` has max_retries -1: it would be tried again without end",
     lambda d: d["tasks"][1].update(max_retries=-1)),
    ("`bronze_ingestion` has max_retries 3: that makes 4 attempts at most",
     lambda d: d["tasks"][1].update(max_retries=3)),
    ("`silver_transformation` has max_retries 1: a wrong query", lambda d: d["tasks"][2].update(max_retries=1)),
    ("The unit is a thousandth of a second", lambda d: d["tasks"][1].update(min_retry_interval_millis=1)),
    ("`gold_aggregation` has timeout_seconds 0, expected 600: 0 means no limit",
     lambda d: d["tasks"][3].pop("timeout_seconds")),
    ("`gold_aggregation` has timeout_seconds 600000, expected 600: the unit is seconds",
     lambda d: d["tasks"][3].update(timeout_seconds=600000)),
    ("The job itself has timeout_seconds 0", lambda d: d.pop("timeout_seconds")),
    ("hears that the job failed. on_success tells of another event",
     lambda d: d.update(email_notifications={"on_success": ["data-team@example.com"]})),
    ("`create_report` tells of its own failure only",
     lambda d: d["tasks"][4].update(email_notifications=d.pop("email_notifications"))),
    ("max_retries", lambda d: d.update(max_retries=1)),
    ("`gold_aggregation` does not wait for", lambda d: d["tasks"][3].pop("depends_on")),
]


def test_retries_limits_and_a_mail_pass(shop: Shop) -> None:
    assert shop.check("15.4", careful(shop)).status == "correct"


@pytest.mark.parametrize(("told", "change"), CARELESS)
def test_a_setting_of_the_wrong_task_or_unit_is_named(shop: Shop, told: str, change: Change) -> None:
    made = careful(shop)
    change(made)
    verdict = shop.check("15.4", made)
    assert verdict.status == "incorrect"
    assert told in str(verdict)


def test_a_run_must_have_gone_well_and_filled_the_tables(shop: Shop) -> None:
    assert shop.check("15.5", GOOD).status == "correct"
    failed = str(shop.check("15.5", BROKEN))
    assert "Task `bronze_ingestion` is FAILED, expected SUCCESS. The folder is gone." in failed
    assert "Task `create_report` is UPSTREAM_FAILED" in failed
    assert "The run has no task `create_report`" in str(shop.check("15.5", tried(files=2)))
    shop.tables["gold_revenue_by_department"][0]["revenue"] = Decimal("9.99")
    assert "adds up to 9.99 dollars, but the files give 5.00" in str(shop.check("15.5", GOOD))
    shop.land(3)
    assert "has 0 rows of 2017-01-03.json, expected 1" in str(shop.check("15.5", GOOD))


def test_the_cause_is_the_task_that_failed_by_itself(shop: Shop) -> None:
    waiting = [SILVER, GOLD, REPORT]
    assert shop.check("15.6", (BROKEN, BRONZE, waiting[::-1])).status == "correct"
    text = str(shop.check("15.6", (BROKEN, REPORT, [GOLD, BRONZE])))
    assert "`create_report` is UPSTREAM_FAILED: it never ran" in text
    assert "`bronze_ingestion` should not be in `never_ran`" in text
    assert "`never_ran` lacks 2 of 3 tasks" in text
    assert "`setup_environment` is SUCCESS" in str(shop.check("15.6", (BROKEN, SETUP, waiting)))
    assert "expected the name of one task" in str(shop.check("15.6", (BROKEN, [BRONZE], waiting)))
    assert "expected a list of task names" in str(shop.check("15.6", (BROKEN, BRONZE, "gold")))
    assert "every task went well" in str(shop.check("15.6", (GOOD, BRONZE, waiting)))


def test_a_repair_is_told_from_a_new_run_and_from_one_that_failed_again(shop: Shop) -> None:
    again = [BRONZE, SILVER, GOLD, REPORT]
    right = shop.check("15.7", (again, repaired()))
    assert right.status == "correct"
    assert "`setup_environment` was kept" in right.message
    assert "is a new run, not a repair" in str(shop.check("15.7", (again, GOOD)))
    text = str(shop.check("15.7", ([SETUP, BRONZE], repaired())))
    assert "`setup_environment` should not be in `again`: it had succeeded" in text
    assert "`again` lacks 3 of 4 tasks" in text
    (shop.folder / "landing/products").rename(shop.folder / "landing/products_moved")
    words = ("FAILED", *["UPSTREAM_FAILED"] * 3)
    assert "a repair does not mend the cause" in str(shop.check("15.7", (again, repaired(words=words))))


def test_a_kept_task_value_and_the_files_in_bronze_are_two_numbers(shop: Shop) -> None:
    shop.load(3)
    right = shop.check("15.8", (repaired(), 2, 3))
    assert right.status == "correct"
    assert "had counted 2 files before the last one arrived" in right.message
    text = str(shop.check("15.8", (repaired(), 3, 2)))
    assert "`said` is 3, but another number went to the report" in text
    assert "`in_bronze` is 2, but bronze_transactions holds rows of 3 files" in text
    assert "expected a run" in str(shop.check("15.8", ("done", 2, 3)))


def test_attempts_count_what_was_started_also_in_repairs() -> None:
    assert orchestration.attempts(repaired(), BRONZE) == 2
    assert orchestration.attempts(repaired(), GOLD) == 1
    assert orchestration.attempts(BROKEN, GOLD) == 0


def test_a_workspace_gets_absolute_notebooks_and_the_ids_of_pipelines(shop: Shop) -> None:
    from databricks.sdk.service.jobs import JobSettings

    before = careful(shop)
    there = orchestration.in_workspace(copy.deepcopy(before), "/Workspace/me", pipelines={"retail": "p-1"})
    job = JobSettings.from_dict(there).as_shallow_dict()
    by_key = {task.task_key: task for task in job["tasks"]}
    assert by_key[REPORT].notebook_task.notebook_path == "/Workspace/me/create_report"
    assert {by_key[key].pipeline_task.pipeline_id for key in (BRONZE, SILVER, GOLD)} == {"p-1"}
    assert "resources.pipelines" not in json.dumps(there)
    assert before == careful(shop)


def test_files_go_to_the_workspace_as_the_sdk_wants_them(shop: Shop) -> None:
    import inspect

    from databricks.sdk.mixins.workspace import WorkspaceExt
    from databricks.sdk.service.pipelines import PipelinesAPI

    sent: dict[str, str] = {}

    def upload(*given: Any, **options: Any) -> None:
        told = inspect.signature(WorkspaceExt.upload).bind(None, *given, **options).arguments
        sent[told["path"]] = told["format"].value

    client = SimpleNamespace(workspace=SimpleNamespace(mkdirs=lambda path: None, upload=upload))
    folder = orchestration.upload(client, shop.job("retail").folder, "/Workspace/me")
    assert {"/Workspace/me/create_report.ipynb", "/Workspace/me/retail.pipeline.json"} <= set(sent)
    assert set(sent.values()) == {"AUTO"}
    settings = {"name": "retail", "catalog": "c", "schema": "s", "serverless": True,
                "configuration": {"landing": "/Volumes/x"}, "libraries": [{"glob": {"include": "pipeline/**"}}]}
    spec = orchestration.pipeline_in_workspace(settings, folder).as_shallow_dict()
    assert spec["libraries"][0].glob.include == "/Workspace/me/pipeline/**"
    inspect.signature(PipelinesAPI.create).bind(None, **spec)
