"""kill -9 at three named points of one job, one after the other: the tables are those of an undisturbed run.

The event log's counts are right too, or their update is marked as incomplete. The soak kills at random moments, each
in a job of its own.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from helpers import landing
from helpers.jobs import list_runs
from tests.retail.counted import Counted, counted, wrong
from tests.retail.expected import expected
from tests.retail.running import DATA, Shell, flow_runs, kill_group, task_process
from tests.retail.test_retail_job import assert_equal

SCHEMA = "kills"


@pytest.fixture(scope="module")
def landed(shell: Shell) -> Path:
    folder = shell.places.volume(SCHEMA, "landing")
    landing.land(landing.first_files(landing.data_files(DATA)), source=DATA, landing=folder)
    return folder


def test_client_runner_and_server_die_in_turn_and_the_last_run_ends_well(shell: Shell, landed: Path) -> None:
    runner = shell.start(SCHEMA, landed)
    _the_client_dies_while_bronze_runs_and_is_tried_again(shell, runner)
    _the_runner_dies_while_silver_runs(shell, runner)
    runner = shell.start(SCHEMA, landed)
    _everything_dies_with_the_server_while_gold_runs(shell, runner)
    runner = shell.start(SCHEMA, landed)
    said = runner.communicate(timeout=600)[0]
    assert runner.returncode == 0, said
    tables, wanted = shell.tables(SCHEMA, events=True), expected(landed)
    assert_equal(tables, wanted)
    right = {("silver_transactions", rule): (wanted.bronze - failed, failed) for rule, failed in wanted.failed.items()}
    found = counted(tables.events)
    assert wrong(found, Counted(right, {}, {}, frozenset())) == []
    assert found.cut_off


def _the_client_dies_while_bronze_runs_and_is_tried_again(shell: Shell, runner: subprocess.Popen[str]) -> None:
    shell.wait_for(flow_runs("bronze_transactions"), runner)
    task_process(runner).kill()


def _the_runner_dies_while_silver_runs(shell: Shell, runner: subprocess.Popen[str]) -> None:
    shell.wait_for(flow_runs("silver_transactions"), runner)
    runner.kill()
    runner.wait()
    run = list_runs(shell.places.runs)[0]
    assert run.state.life_cycle_state == "INTERNAL_ERROR"
    bronze = [task.state.result_state for task in run.tasks if task.task_key == "bronze_ingestion"]
    assert bronze == ["FAILED", "SUCCESS"]


def _everything_dies_with_the_server_while_gold_runs(shell: Shell, runner: subprocess.Popen[str]) -> None:
    shell.wait_for(flow_runs("gold_revenue_by_day"), runner)
    shell.kill_server()
    kill_group(runner)
