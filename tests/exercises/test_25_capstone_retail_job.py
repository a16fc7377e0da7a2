"""The capstone's checks: definitions are data, runs and tables are stand-ins, so that no Spark starts."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import Row

from helpers.checks import Verdict, judge, load_exercises
from helpers.exercises import retail_job, updates
from helpers.jobs.runs import RepairHistoryItem, Run, State, TaskRun
from helpers.lab import LabJob, NotRunHere
from helpers.pipelines.report import DatasetReport, ExpectationCount, UpdateReport
from helpers.runtime import REPO_ROOT, Places

NAME = "25_capstone_retail_job"
D = Decimal
RECEIPTS = (
    '{"household_id":1,"basket_id":1,"product_id":10,"quantity":1,"sales_value":2.00}\n'
    '{"household_id":1,"basket_id":1,"product_id":10,"quantity":1,"sales_value":2.00}\n'
    '{"household_id":1,"basket_id":1,"product_id":11,"quantity":0,"sales_value":0.00}\n'
    '{"household_id":1,"basket_id":2,"product_id":10,"quantity":"two","sales_value":4.00}\n'
    '{"household_id":1,"basket_id":2,"prod\n'
)
PRODUCTS = ("product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n"
            "10,1,GROCERY,National,BREAD,,\n")
HOUSEHOLDS = '{"operation":"INSERT","sequence_number":1,"household_id":1}\n'
TYPES = {
    "household_id": "bigint", "store_id": "bigint", "basket_id": "bigint", "product_id": "bigint", "quantity": "int",
    "week": "int", "sales_value": "decimal(10,2)", "retail_disc": "decimal(10,2)", "coupon_disc": "decimal(10,2)",
    "coupon_match_disc": "decimal(10,2)", "transaction_timestamp": "timestamp",
}  # fmt: skip


class Frame:
    """As much of a DataFrame as the checks ask for."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows, self.columns = rows, list(rows[0]) if rows else []
        self.dtypes = [(name, TYPES.get(name, "string")) for name in self.columns]

    def select(self, *names: str) -> Frame:
        return Frame([{name: row[name] for name in names} for row in self.rows])

    def collect(self) -> list[Row]:
        return [Row(**row) for row in self.rows]

    def groupBy(self, name: str) -> SimpleNamespace:
        counts = Counter(row[name] for row in self.rows)
        return SimpleNamespace(count=lambda: Frame([{name: key, "count": n} for key, n in counts.items()]))

    def count(self) -> int:
        return len(self.rows)


class Shop:
    """A lab whose files are few and whose tables are lists of rows; they are right until a test changes them."""

    schema = "lab_25"

    def __init__(self, folder: Path) -> None:
        self.folder, self.tables = folder, right_tables()
        self.spark = SimpleNamespace(catalog=SimpleNamespace(tableExists=lambda name: name in self.tables),
                                     table=lambda name: Frame(self.tables[name]))
        for feed, name, text in (("transactions", "2017-01-01.json", RECEIPTS),
                                 ("products", "products-2017-01-01.csv", PRODUCTS),
                                 ("households", "2017-01-01.json", HOUSEHOLDS)):
            (folder / "landing" / feed).mkdir(parents=True)
            (folder / "landing" / feed / name).write_text(text, encoding="utf-8")
        (folder / "report.html").touch()

    def volume(self, path: str = "landing") -> str:
        return str(self.folder / path)

    def check(self, name: str, answer: Any) -> Verdict:
        return judge(load_exercises(NAME)[name], self, answer)

    @property
    def parameters(self) -> dict[str, str]:
        return {"schema": self.schema, "landing": self.volume(), "report": str(self.folder / "report.html")}


def right_tables() -> dict[str, list[dict[str, Any]]]:
    line = {**dict.fromkeys(TYPES), "_rescued_data": None, "source_file": "2017-01-01.json"}
    sale = {"household_id": 1, "basket_id": 1, "product_id": 10, "quantity": 1, "sales_value": D("2.00"),
            "department": "GROCERY", "category": "BREAD", "price_tier": "standard"}
    sums = {"revenue": D("2.00"), "quantity": 1, "products": 1}
    return {
        "bronze_transactions": [line] * 5,
        "bronze_products": [{"source_file": "products-2017-01-01.csv"}],
        "bronze_households": [{"source_file": "2017-01-01.json"}],
        "silver_transactions": [line] * 2,
        "silver_quarantine": [line] * 3,
        "silver_sales": [sale],
        "gold_revenue_by_department": [{"department": "GROCERY", "baskets": 1, **sums}],
        "gold_revenue_by_price_tier": [{"price_tier": "standard", **sums}],
    }


def report(*, readable: str = "warn", rules: str = "drop", without: str = "") -> UpdateReport:
    """An update that knows every table of the pipeline but one."""
    streams = ("bronze_transactions", "bronze_products", "bronze_households", "silver_transactions",
               "silver_quarantine")
    views = ("silver_sales", *sorted(retail_job.GOLD))
    names = ("household_known", "product_known", "positive_quantity", "sales_not_negative")
    counts = {"bronze_transactions": [("readable", readable)], "silver_transactions": [(name, rules) for name in names]}
    datasets = tuple(
        DatasetReport(name, "STREAMING_TABLE" if name in streams else "MATERIALIZED_VIEW", ("silver_sales",),
                      expectations=tuple(ExpectationCount(rule, name, 1, 0, action)
                                         for rule, action in counts.get(name, ())))
        for name in (*streams, *views) if name != without)
    return UpdateReport("p-1", "retail", "u-1", "COMPLETED", "USER_ACTION", False, 0, datasets=datasets)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.mark.parametrize(("name", "answer"), [
    ("25.1", ...), ("25.2", ...), ("25.3", ...), ("25.4", ("a job", ...)), ("25.5", ...), ("25.6", (..., ...)),
    ("25.7", (..., ...)), ("25.8", (..., ..., ...)),
])  # fmt: skip
def test_the_untouched_scaffold_is_not_attempted(shop: Shop, name: str, answer: Any) -> None:
    assert shop.check(name, answer).status == "not attempted"


@pytest.mark.parametrize(("name", "answer"), [
    ("25.5", NotRunHere("There.")), ("25.6", (NotRunHere("There."), "bronze_ingestion")),
    ("25.7", (NotRunHere("There."), NotRunHere("There."))), ("25.8", (NotRunHere("There."), "a table", 3)),
])  # fmt: skip
def test_on_databricks_a_run_that_is_elsewhere_is_no_attempt(shop: Shop, name: str, answer: Any) -> None:
    assert shop.check(name, answer).status == "not attempted"


# 25.1 to 25.3: the sources, by their tables


@pytest.mark.parametrize("name", ["25.1", "25.2", "25.3"])
def test_right_tables_pass(shop: Shop, name: str) -> None:
    assert shop.check(name, report()).status == "correct", shop.check(name, report())


def drop_one(table: str) -> Callable[[Shop], Any]:
    return lambda shop: shop.tables[table].pop()


WRONG_TABLES = [
    ("25.1", {"without": "bronze_transactions"}, lambda shop: None, "pipeline defines `bronze_transactions`"),
    ("25.1", {"readable": "drop"}, lambda shop: None, "`readable` of `bronze_transactions` does drop, expected warn"),
    ("25.1", {}, drop_one("bronze_transactions"), "4 rows of 2017-01-01.json, expected 5"),
    ("25.2", {"rules": "warn"}, lambda shop: None, "`positive_quantity` of `silver_transactions` does warn"),
    ("25.2", {}, lambda shop: shop.tables["silver_sales"].append(shop.tables["silver_sales"][0]),
     "have more than one row in `silver_sales`"),
    ("25.2", {}, drop_one("silver_quarantine"), "full_refresh="),
    ("25.3", {"without": "gold_revenue_by_price_tier"}, lambda shop: None,
     "pipeline defines `gold_revenue_by_price_tier`"),
    ("25.3", {}, lambda shop: shop.tables["gold_revenue_by_price_tier"][0].update(revenue=D("4.00")),
     "`gold_revenue_by_price_tier.revenue` of standard is 4.00, but the files give 2.00"),
]


def test_a_table_that_is_only_read_is_not_defined(shop: Shop) -> None:
    datasets = tuple(replace(each, kind="SOURCE") if each.name == "bronze_transactions" else each
                     for each in report().datasets)
    said = str(shop.check("25.1", replace(report(), datasets=datasets)))
    assert "No source of the pipeline defines `bronze_transactions`" in said


@pytest.mark.parametrize("name", ["25.1", "25.2", "25.3"])
def test_a_failed_update_and_what_is_no_update_are_told(shop: Shop, name: str) -> None:
    assert "The update failed: no such column." in str(shop.check(name, replace(report(), error="no such column.")))
    assert "is a str, expected the report of an update" in str(shop.check(name, "done"))


@pytest.mark.parametrize(("name", "said_by_update", "change", "why"), WRONG_TABLES)
def test_a_wrong_source_is_named_by_what_it_made(
    shop: Shop, name: str, said_by_update: dict[str, str], change: Callable[[Shop], Any], why: str
) -> None:
    change(shop)
    verdict = shop.check(name, report(**said_by_update))
    assert verdict.status == "incorrect"
    assert why in str(verdict)


# 25.4: the definition, by name


@pytest.fixture
def job(tmp_path: Path) -> LabJob:
    return LabJob(REPO_ROOT / "solutions" / "retail_job", Places(tmp_path / "home"))


def changed(job: LabJob, change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The finished definition with one change, made to its tasks by key; their order is turned round."""
    definition = copy.deepcopy(job.read("job.json"))
    change({task["task_key"]: task for task in definition["tasks"]})
    definition["tasks"].reverse()
    return definition


def test_the_finished_definition_passes_in_any_order_of_tasks(shop: Shop, job: LabJob) -> None:
    assert shop.check("25.4", (job, changed(job, lambda tasks: None))).status == "correct"


def test_one_dependency_more_than_needed_is_fine(shop: Shop, job: LabJob) -> None:
    more = changed(job, lambda tasks: tasks["create_dashboard"]["depends_on"].append({"task_key": "setup_environment"}))
    assert shop.check("25.4", (job, more)).status == "correct"


def test_the_published_scaffold_has_all_four_problems(shop: Shop, tmp_path: Path) -> None:
    scaffold = LabJob(REPO_ROOT / "lessons" / "retail_job", Places(tmp_path / "home"))
    verdict = shop.check("25.4", (scaffold, scaffold.read("job.json")))
    assert verdict.status == "incorrect"
    assert len(verdict.problems) == 4
    for why in ("`silver_transformation` waits for nobody", "`create_dashboard` waits for nobody",
                "`gold_aggregation` has no refresh_selection", "`bronze_ingestion` is not tried again"):
        assert sum(why in problem for problem in verdict.problems) == 1


WRONG_DEFINITIONS: list[tuple[Callable[[dict[str, Any]], Any], str]] = [
    (lambda tasks: tasks["create_dashboard"].update(depends_on=[{"task_key": "silver_transformation"}]),
     "`create_dashboard` waits for `silver_transformation` only"),
    (lambda tasks: tasks["silver_transformation"].update(depends_on=[{"task_key": "silver_transfromation"}]),
     "which is not in the job"),
    (lambda tasks: tasks["bronze_ingestion"]["depends_on"].append({"task_key": "create_dashboard"}),
     "these tasks wait for each other"),
    (lambda tasks: tasks["gold_aggregation"]["pipeline_task"]["refresh_selection"].pop(),
     "1 table of gold.sql would be refreshed by no task"),
    (lambda tasks: tasks["gold_aggregation"]["pipeline_task"]["refresh_selection"].append("silver_sales"),
     "selects `silver_sales`, which gold.sql does not define"),
    (lambda tasks: tasks["gold_aggregation"]["pipeline_task"].update(full_refresh_selection=["gold_revenue_by_day"]),
     "makes a full refresh"),
    (lambda tasks: tasks["gold_aggregation"]["pipeline_task"].update(refresh_selection="gold_revenue_by_day"),
     "refresh_selection"),
    (lambda tasks: tasks["gold_aggregation"].update(pipeline_task="retail"), "pipeline_task"),
    (lambda tasks: tasks["silver_transformation"].update(max_retries=2),
     "`silver_transformation` is tried again up to 2 times, expected 1"),
    (lambda tasks: tasks["bronze_ingestion"].update(max_retries=-1), "tried again without end"),
    (lambda tasks: tasks["setup_environment"].update(max_retries=2), "`setup_environment` has max_retries 2"),
    (lambda tasks: tasks["gold_aggregation"].update(task_key="gold"), "no task `gold_aggregation`"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "why"), WRONG_DEFINITIONS)
def test_a_wrong_definition_is_named_by_its_task(
    shop: Shop, job: LabJob, change: Callable[[dict[str, Any]], Any], why: str
) -> None:
    verdict = shop.check("25.4", (job, changed(job, change)))
    assert verdict.status == "incorrect"
    assert why in str(verdict)


def test_a_text_is_no_definition(shop: Shop, job: LabJob) -> None:
    assert "is a str, expected a dictionary" in str(shop.check("25.4", (job, json.dumps(job.read("job.json")))))


# 25.5 to 25.7: runs


def run_of(shop: Shop, **states: str) -> Run:
    """A run whose tasks all succeeded, but for those that are named."""
    tasks = tuple(
        TaskRun(number, key, 0, "notebook", State("TERMINATED", states.get(key, "SUCCESS")),
                error="No file has landed for: products." if states.get(key) == "FAILED" else None,
                update={"update_id": "u-2"} if key == "bronze_ingestion" and key not in states else None)
        for number, key in enumerate(retail_job.TASKS))
    return Run(7, 1, "retail", State("TERMINATED", "FAILED" if states else "SUCCESS"), 0, shop.parameters, tasks=tasks,
               repair_history=(RepairHistoryItem("ORIGINAL", 0),))


def broken(shop: Shop) -> Run:
    return run_of(shop, setup_environment="FAILED", **dict.fromkeys(retail_job.TASKS[1:], "UPSTREAM_FAILED"))


def repaired(shop: Shop) -> Run:
    run = run_of(shop)
    return replace(run, repair_history=(*run.repair_history, RepairHistoryItem("REPAIR", 1, 8)))


def test_a_green_run_with_right_tables_passes(shop: Shop) -> None:
    assert shop.check("25.5", run_of(shop)).status == "correct"


def test_a_run_that_broke_says_which_task_and_who_never_started(shop: Shop) -> None:
    said = str(shop.check("25.5", broken(shop)))
    assert "`setup_environment` ended as FAILED: No file has landed for: products." in said
    assert "`create_dashboard` never started because of that" in said


def test_a_run_with_the_default_parameters_went_elsewhere(shop: Shop) -> None:
    elsewhere = replace(run_of(shop), job_parameters={**shop.parameters, "schema": "retail", "landing": "/Volumes/x"})
    verdict = shop.check("25.5", elsewhere)
    assert "into the schema 'retail', expected 'lab_25'" in str(verdict)
    assert "The run read the files in /Volumes/x" in str(verdict)


def test_a_green_run_with_an_old_table_or_without_a_report_is_not_right(shop: Shop) -> None:
    (shop.folder / "report.html").unlink()
    assert "There is no report" in str(shop.check("25.5", run_of(shop)))
    shop.tables["bronze_transactions"].pop()
    assert "4 rows of 2017-01-01.json, expected 5" in str(shop.check("25.5", run_of(shop)))


def test_the_task_that_broke_passes(shop: Shop) -> None:
    verdict = shop.check("25.6", (broken(shop), "setup_environment"))
    assert verdict.status == "correct"
    assert "The other 4 never started" in str(verdict)


@pytest.mark.parametrize(("culprit", "why"), [
    ("create_dashboard", "`create_dashboard` is UPSTREAM_FAILED. It never started"),
    ("setup", "'setup', which is no task_key of this run"),
    (None, "None, which is no task_key"),
])  # fmt: skip
def test_another_task_is_not_the_one_that_broke(shop: Shop, culprit: Any, why: str) -> None:
    verdict = shop.check("25.6", (broken(shop), culprit))
    assert verdict.status == "incorrect"
    assert why in str(verdict)


def test_a_run_before_the_fault_broke_nothing(shop: Shop) -> None:
    assert "no task broke" in str(shop.check("25.6", (run_of(shop), "setup_environment")))


def test_a_repair_under_the_same_id_passes(shop: Shop) -> None:
    verdict = shop.check("25.7", (broken(shop), repaired(shop)))
    assert verdict.status == "correct"
    assert "green after 1 repair, under the same id" in str(verdict)


def test_a_new_run_and_the_failed_run_are_no_repairs(shop: Shop) -> None:
    new = replace(run_of(shop), run_id=9)
    assert "Run 9 is a new run: run 7 stays red" in str(shop.check("25.7", (broken(shop), new)))
    assert "Run 7 has not been repaired yet" in str(shop.check("25.7", (broken(shop), broken(shop))))
    assert "is a bool, expected a run" in str(shop.check("25.7", (broken(shop), True)))


def test_a_repair_that_broke_again_says_why(shop: Shop) -> None:
    again = replace(broken(shop), repair_history=repaired(shop).repair_history)
    assert "`setup_environment` ended as FAILED" in str(shop.check("25.7", (broken(shop), again)))


# 25.8: the event log and quarantine


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> None:
    """An event log with two updates."""
    def event(update: str, flow: str, rows: int) -> dict[str, Any]:
        progress = {"status": "RUNNING", "metrics": {"num_output_rows": rows}}
        return {"update_id": update, "flow_name": flow, "details": {"flow_progress": progress}}

    told = [event("u-1", "bronze_transactions", 700), event("u-1", "bronze_products", 90),
            event("u-2", "bronze_transactions", 500), event("u-2", "bronze_households", 10)]
    monkeypatch.setattr(updates, "events", lambda lab, name: told)


def rows_read(**rows: int) -> Frame:
    return Frame([{"flow_name": flow, "rows": number} for flow, number in rows.items()])


def test_what_the_update_read_and_the_unreadable_line_pass(shop: Shop, log: None) -> None:
    read = rows_read(bronze_transactions=500, bronze_households=10, bronze_products=0)
    verdict = shop.check("25.8", (repaired(shop), read, 1))
    assert verdict.status == "correct", verdict
    assert "bronze_households 10 rows, bronze_transactions 500 rows" in str(verdict)


@pytest.mark.parametrize(("read", "why"), [
    (rows_read(bronze_transactions=1200, bronze_products=90, bronze_households=10), "every update there ever was"),
    (rows_read(bronze_transactions=700, bronze_products=90), "Whose update is yours"),
    (rows_read(bronze_transactions=0), "no rows with a number"),
    (Frame([{"flow": "bronze_transactions", "rows": 500}]), "`read` has no column `flow_name`"),
    ({"bronze_transactions": 500}, "`read` is a dict"),
])  # fmt: skip
def test_the_wrong_update_is_named(shop: Shop, log: None, read: Any, why: str) -> None:
    verdict = shop.check("25.8", (repaired(shop), read, 1))
    assert verdict.status == "incorrect"
    assert why in str(verdict)


@pytest.mark.parametrize(("number", "why"), [
    (3, "3 is everything in quarantine"), (0, "expected more"), (5, "expected fewer"), ("1", "is a str"),
])  # fmt: skip
def test_another_number_of_unreadable_lines_is_explained(shop: Shop, log: None, number: Any, why: str) -> None:
    read = rows_read(bronze_transactions=500, bronze_households=10)
    assert why in str(shop.check("25.8", (repaired(shop), read, number)))


def test_lines_that_arrived_with_quantity_zero_were_readable(shop: Shop, log: None) -> None:
    path = shop.folder / "landing" / "transactions" / "2017-01-01.json"
    kept = '{"household_id":null,"basket_id":3,"product_id":10,"quantity":2,"sales_value":4.00}\n'
    path.write_text(path.read_text(encoding="utf-8") + kept, encoding="utf-8")
    read = rows_read(bronze_transactions=500, bronze_households=10)
    assert "every line that breaks positive_quantity" in str(shop.check("25.8", (repaired(shop), read, 3)))


def test_a_run_whose_bronze_task_never_started_has_nothing_to_look_at(shop: Shop, log: None) -> None:
    assert "never started. Finish 25.7 first" in str(shop.check("25.8", (broken(shop), rows_read(a=1), 1)))
