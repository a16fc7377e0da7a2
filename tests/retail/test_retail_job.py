"""The main job, from `python3 -m helpers run` to the numbers in its tables and report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers import landing
from helpers.jobs import list_runs, load_run
from tests.retail.expected import Expected, expected
from tests.retail.running import DATA, Shell, Tables

TASKS = ("setup_environment", "bronze_ingestion", "silver_transformation", "gold_aggregation", "create_dashboard")


@pytest.fixture(scope="module")
def landed(shell: Shell) -> Path:
    return shell.places.volume("retail", "landing")


@pytest.fixture(scope="module")
def first(shell: Shell, landed: Path) -> tuple[str, Tables, Expected]:
    """What the first `run` printed, the tables after it, and what pandas says of the same files."""
    done = shell.helpers("run")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, shell.tables("retail"), expected(landed)


def test_the_first_run_lands_a_week_and_says_what_each_task_did(first: tuple[str, Tables, Expected]) -> None:
    said = first[0]
    assert "Landed the first 7 days" in said
    for task in (
        "setup_environment",
        "bronze_ingestion",
        "silver_transformation",
        "gold_aggregation",
        "create_dashboard",
    ):
        assert task in said
    assert "household_known" in said
    assert "retail.html" in said


def assert_equal(tables: Tables, wanted: Expected) -> None:
    assert len(tables.rows["bronze_transactions"]) == wanted.bronze
    assert len(tables.rows["silver_transactions"]) == wanted.kept
    assert len(tables.rows["silver_quarantine"]) == wanted.quarantined
    assert len(tables.rows["silver_sales"]) == wanted.sales
    for name, rows in wanted.gold.items():
        assert sorted(tables.rows[name]) == rows, name


def test_row_counts_and_gold_equal_what_pandas_computes(first: tuple[str, Tables, Expected]) -> None:
    assert_equal(first[1], first[2])


def test_expectation_counts_equal_what_pandas_computes(shell: Shell, first: tuple[str, Tables, Expected]) -> None:
    run = load_run(shell.places.runs / str(list_runs(shell.places.runs)[0].run_id))
    silver = next(task.update for task in run.latest() if task.task_key == "silver_transformation")
    assert silver is not None
    dataset = next(found for found in silver["datasets"] if found["name"] == "silver_transactions")
    failed = {count["name"]: count["failed_records"] for count in dataset["expectations"] if count["action"] == "drop"}
    assert failed == first[2].failed
    assert dataset["dropped_records"] == first[2].quarantined


def test_the_report_opens_without_a_network(shell: Shell, first: tuple[str, Tables, Expected]) -> None:
    page = (shell.places.root / "reports" / "retail.html").read_text(encoding="utf-8")
    assert "Revenue by department" in page
    assert '<script src="http' not in page


def test_mails_of_the_run_wait_in_the_outbox(shell: Shell, first: tuple[str, Tables, Expected]) -> None:
    mails = [path.read_text(encoding="utf-8") for path in shell.places.outbox.glob("*.eml")]
    assert any("data-team@example.com" in mail for mail in mails)


def test_a_second_run_with_nothing_new_writes_no_rows(shell: Shell, first: tuple[str, Tables, Expected]) -> None:
    done = shell.helpers("run")
    assert done.returncode == 0, done.stdout + done.stderr
    after = shell.tables("retail")
    changed = {name for name, version in after.versions.items() if version != first[1].versions[name]}
    assert {name for name in changed if not name.startswith("event_log")} == set()
    assert after.rows == first[1].rows


def test_the_next_day_arrives_and_only_its_rows_are_read(
    shell: Shell, landed: Path, first: tuple[str, Tables, Expected]
) -> None:
    done = shell.helpers("run", "--arrive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2017-01-08 arrived" in done.stdout
    run = load_run(shell.places.runs / str(list_runs(shell.places.runs)[0].run_id))
    bronze = next(task.update for task in run.latest() if task.task_key == "bronze_ingestion")
    assert bronze is not None
    read = next(found["rows_read"] for found in bronze["datasets"] if found["name"] == "bronze_transactions")
    assert read == len((DATA / "transactions" / "2017-01-08.json").read_text(encoding="utf-8").splitlines())
    assert_equal(shell.tables("retail"), expected(landed))


def test_the_days_that_are_left_bring_a_new_column_and_the_run_says_that_they_were_the_last(
    shell: Shell, landed: Path, first: tuple[str, Tables, Expected]
) -> None:
    landing.land(landing.data_files(DATA), source=DATA, landing=landed)
    done = shell.helpers("run", "--arrive")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No day is left to arrive" in done.stdout
    tables = shell.tables("retail")
    assert_equal(tables, expected(landed))
    assert len(tables.rows["bronze_transactions"][0]) == len(first[1].rows["bronze_transactions"][0]) + 1


def test_an_empty_landing_folder_stops_the_first_task_and_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    runner = shell.start("retail_empty", tmp_path)
    said = runner.communicate(timeout=300)[0]
    assert runner.returncode == 1
    run = list_runs(shell.places.runs)[0]
    states = {task.task_key: task.state.result_state for task in run.latest()}
    assert states["setup_environment"] == "FAILED", said
    assert set(states.values()) == {"FAILED", "UPSTREAM_FAILED"}
    failed = next(task for task in run.latest() if task.task_key == "setup_environment")
    assert failed.error is not None
    assert "No file has landed in" in failed.error


def test_a_missing_feed_is_named(shell: Shell, tmp_path: Path) -> None:
    shutil.copytree(DATA / "transactions", tmp_path / "transactions")
    shutil.copytree(DATA / "products", tmp_path / "products")
    runner = shell.start("retail_no_households", tmp_path)
    runner.communicate(timeout=300)
    failed = next(task for task in list_runs(shell.places.runs)[0].latest() if task.task_key == "setup_environment")
    assert failed.error is not None
    assert "households" in failed.error
