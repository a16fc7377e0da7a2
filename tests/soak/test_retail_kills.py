"""kill -9 at random moments, ten times each: the client alone, the runner alone, everything with the server.

No row may be lost and none be there twice; the expectation counts of the event log are right, or their update is marked
as incomplete.

Run by hand: `.venv/bin/python -m pytest tests/soak -s`. `LAKEPREP_SOAK_KILLS` (10) kills of each kind,
`LAKEPREP_SOAK_SEED` chooses the moments; both are printed.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from helpers import landing
from helpers.runtime import Places, stop_server
from tests.retail.counted import Counted, counted, wrong
from tests.retail.expected import Expected, expected
from tests.retail.running import DATA, Shell, kill_group, task_process
from tests.retail.test_retail_job import assert_equal

KILLS = int(os.environ.get("LAKEPREP_SOAK_KILLS", "10"))
SEED = int(os.environ.get("LAKEPREP_SOAK_SEED") or time.time_ns() % 1_000_000)
RANDOM = random.Random(SEED)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = Shell(Places(tmp_path_factory.mktemp("soak_home")))
    print(f"\nseed {SEED}, {KILLS} kills of each kind")
    yield shell
    stop_server(shell.places)


@pytest.fixture(scope="module")
def landed(shell: Shell) -> Path:
    folder = shell.places.volume("soak", "landing")
    landing.land(landing.first_files(landing.data_files(DATA)), source=DATA, landing=folder)
    return folder


@pytest.fixture(scope="module")
def wanted(landed: Path) -> Expected:
    return expected(landed)


@pytest.fixture(scope="module")
def seconds(shell: Shell, landed: Path) -> float:
    """How long an undisturbed run takes on a warm server: kills fall anywhere in it."""
    assert run_to_end(shell, "soak_warm", landed)
    started = time.monotonic()
    assert run_to_end(shell, "soak_measure", landed)
    return time.monotonic() - started


@pytest.fixture(scope="module")
def undisturbed(shell: Shell, seconds: float, wanted: Expected) -> Counted:
    """The event log of a run that nobody killed; what can be computed from the files alone is compared with it."""
    found = counted(shell.tables("soak_measure", events=True).events)
    for rule, failed in wanted.failed.items():
        assert found.streamed["silver_transactions", rule] == (wanted.bronze - failed, failed)
    assert not found.cut_off
    return found


def run_to_end(shell: Shell, schema: str, landed: Path) -> bool:
    runner = shell.start(schema, landed)
    said = runner.communicate(timeout=900)[0]
    if runner.returncode:
        print(said)
    return runner.returncode == 0


def client_alone(shell: Shell, runner: subprocess.Popen[str]) -> None:
    while runner.poll() is None:  # between two tasks there is none for a moment
        with suppress(AssertionError, psutil.Error):
            task_process(runner).kill()
            return


def runner_alone(shell: Shell, runner: subprocess.Popen[str]) -> None:
    runner.kill()


def everything(shell: Shell, runner: subprocess.Popen[str]) -> None:
    shell.kill_server()
    kill_group(runner)


@pytest.mark.parametrize("number", range(KILLS))
@pytest.mark.parametrize("kill", [client_alone, runner_alone, everything])
def test_the_tables_are_those_of_an_undisturbed_run(
    kill: Callable[[Shell, subprocess.Popen[str]], None],
    number: int,
    shell: Shell,
    landed: Path,
    wanted: Expected,
    seconds: float,
    undisturbed: Counted,
) -> None:
    schema = killed_run(kill, f"soak_{kill.__name__}_{number}", shell, landed, seconds)
    assert run_to_end(shell, schema, landed)
    tables = shell.tables(schema, events=True)
    assert_equal(tables, wanted)
    found = counted(tables.events)
    assert wrong(found, undisturbed) == []
    print(f"{schema}: marked as incomplete with {', '.join(sorted(found.cut_off)) or 'nothing'} running", flush=True)


def killed_run(
    kill: Callable[[Shell, subprocess.Popen[str]], None], name: str, shell: Shell, landed: Path, seconds: float
) -> str:
    """Start a run and kill it at a random moment; one that ended before its moment came does not count."""
    for attempt in range(20):
        schema, moment = f"{name}_{attempt}", RANDOM.uniform(0, seconds)
        started = time.monotonic()
        runner = shell.start(schema, landed)
        with suppress(subprocess.TimeoutExpired):
            runner.wait(moment)
        hit = runner.poll() is None
        if hit:
            kill(shell, runner)
        said = runner.communicate(timeout=900)[0]
        assert hit or runner.returncode == 0, said
        if hit:
            print(f"{name}: killed after {moment:.1f} s; an undisturbed run takes {seconds:.1f} s", flush=True)
            return schema
        seconds = time.monotonic() - started
    raise AssertionError("Twenty runs ended before their moment came.")
