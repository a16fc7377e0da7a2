"""`run --repair`, with scripts in the place of the main job's tasks and no Spark."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from helpers.commands import run as command
from helpers.commands.run import NothingToRepair, repair_last_run
from helpers.jobs import list_runs, run_job
from helpers.runtime.places import Places

#: Leaves a line; the second one fails until somebody mends it.
SCRIPT = """
import sys
from pathlib import Path
with Path(sys.argv[1]).open("a") as file:
    file.write("ran\\n")
assert sys.argv[1] != "second" or Path("mended").exists(), "not mended"
"""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "fetch_jars", lambda console: None)
    monkeypatch.setattr(command, "ensure_server", lambda places, report: None)
    (tmp_path / "work.py").write_text(SCRIPT)
    first, second = (
        {"task_key": key, "spark_python_task": {"python_file": "work.py", "parameters": [key]}}
        for key in ("first", "second")
    )
    tasks = [first, {**second, "depends_on": [{"task_key": "first"}]}]
    (tmp_path / "main.job.json").write_text(json.dumps({"name": "main", "tasks": tasks}))
    return tmp_path / "main.job.json"


def test_the_last_run_is_repaired_as_often_as_it_takes_and_no_further(job: Path, tmp_path: Path) -> None:
    places, console = Places(tmp_path / "home"), Console(width=200)
    failed = run_job(job, places=places)
    assert failed.state.result_state == "FAILED"
    assert repair_last_run(places, console=console, job=job) == 1
    (tmp_path / "mended").touch()
    assert repair_last_run(places, console=console, job=job) == 0
    (run,) = list_runs(places.runs)
    assert (run.run_id, run.state.result_state, len(run.repair_history)) == (failed.run_id, "SUCCESS", 3)
    assert len((tmp_path / "first").read_text().splitlines()) == 1
    with pytest.raises(NothingToRepair, match=f"The last run of the main job, {run.run_id}, succeeded"):
        repair_last_run(places, console=console, job=job)


def test_without_a_run_of_the_job_nothing_is_repaired(job: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToRepair, match="has not run yet"):
        repair_last_run(Places(tmp_path / "home"), console=Console(), job=job)
