"""kill -9 at three named points: the tables are those of an undisturbed run."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import landing
from helpers.jobs import list_runs
from tests.retail.expected import expected
from tests.retail.running import DATA, Shell, flow_runs, kill_group, task_process
from tests.retail.test_retail_job import assert_equal


@pytest.fixture(scope="module")
def landed(shell: Shell) -> Path:
    folder = shell.places.volume("kills", "landing")
    landing.land(landing.first_files(landing.data_files(DATA)), source=DATA, landing=folder)
    return folder


def test_the_client_dies_while_bronze_runs_and_the_retry_ends_well(shell: Shell, landed: Path) -> None:
    runner = shell.start("kill_client", landed)
    shell.wait_for(flow_runs("bronze_transactions"), runner)
    task_process(runner).kill()
    said = runner.communicate(timeout=600)[0]
    assert runner.returncode == 0, said
    attempts = [task for task in list_runs(shell.places.runs)[0].tasks if task.task_key == "bronze_ingestion"]
    assert len(attempts) == 2
    assert_equal(shell.tables("kill_client"), expected(landed))


def test_the_runner_dies_while_silver_runs_and_the_next_run_ends_well(shell: Shell, landed: Path) -> None:
    runner = shell.start("kill_runner", landed)
    shell.wait_for(flow_runs("silver_transactions"), runner)
    runner.kill()
    runner.wait()
    assert list_runs(shell.places.runs)[0].state.life_cycle_state == "INTERNAL_ERROR"
    again = shell.start("kill_runner", landed)
    said = again.communicate(timeout=600)[0]
    assert again.returncode == 0, said
    assert_equal(shell.tables("kill_runner"), expected(landed))


def test_everything_dies_with_the_server_while_gold_runs_and_the_next_run_ends_well(shell: Shell, landed: Path) -> None:
    runner = shell.start("kill_all", landed)
    shell.wait_for(flow_runs("gold_revenue_by_day"), runner)
    shell.kill_server()
    kill_group(runner)
    again = shell.start("kill_all", landed)
    said = again.communicate(timeout=600)[0]
    assert again.returncode == 0, said
    assert_equal(shell.tables("kill_all"), expected(landed))
