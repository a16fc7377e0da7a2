"""Real notebooks under papermill, in kernels of their own; no Spark."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from helpers.jobs import Run, list_runs, load_job, run_job
from helpers.runtime.places import REPO_ROOT, Places

RUNNER = """
import sys
from pathlib import Path
from helpers.jobs import load_job, run_job
from helpers.runtime.places import Places
run_job(load_job(Path(sys.argv[1])), places=Places(Path(sys.argv[2])))
"""
#: Says which process it is, as soon as it runs, and then sleeps.
SLEEPER = "import os, time, pathlib; pathlib.Path('kernel.pid').write_text(str(os.getpid())); time.sleep(600)"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Path]:
    def make(notebooks: dict[str, list[str] | str], tasks: list[dict[str, Any]], **more: Any) -> Path:
        for name, cells in notebooks.items():
            if isinstance(cells, str):  # exported as source
                (tmp_path / f"{name}.py").write_text(cells)
                continue
            notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            nbformat.write(notebook, tmp_path / f"{name}.ipynb")
        path = tmp_path / "job.json"
        path.write_text(json.dumps({"name": "small", "tasks": tasks, **more}))
        return path

    return make


def task(key: str, *upstream: str, **more: Any) -> dict[str, Any]:
    work = {"notebook_path": key, **more.pop("notebook_task", {})}
    return {"task_key": key, "depends_on": [{"task_key": name} for name in upstream], "notebook_task": work, **more}


def errors(run: Run) -> dict[str, str | None]:
    return {one.task_key: one.error for one in run.latest()}


def wait_for(found: Callable[[], Any], what: str) -> Any:
    for _ in range(600):
        if result := found():
            return result
        time.sleep(0.1)
    raise AssertionError(f"{what} did not happen within a minute")


def pid_in(path: Path) -> int | None:
    return int(path.read_text()) if path.exists() and path.read_text() else None


def test_two_notebooks_hand_each_other_values_and_an_exit_value(job, places):
    notebooks = {
        "setup": [
            "dbutils.widgets.text('day', 'default')\ndbutils.widgets.text('size', 'small')",
            "dbutils.jobs.taskValues.set(key='rows', value={'n': 3})",
            "dbutils.notebook.exit(dbutils.widgets.get('day') + ' ' + dbutils.widgets.get('size'))",
            "raise AssertionError('a cell after the exit ran')",
        ],
        "report": """# Databricks notebook source
# MAGIC %md
# MAGIC # What came of it

# COMMAND ----------

from helpers.jobs import get_dbutils
import helper
dbutils = get_dbutils()

# COMMAND ----------

assert dbutils.jobs.taskValues.get(taskKey='setup', key='rows') == {'n': 3}
dbutils.notebook.exit(dbutils.widgets.get('from_setup') + helper.suffix)
""",
    }
    parameters = {"base_parameters": {"from_setup": "{{tasks.setup.values.rows}}"}}
    path = job(notebooks, [task("setup"), task("report", "setup", notebook_task=parameters)],
               parameters=[{"name": "day", "default": "2017-01-01"}])  # fmt: skip
    (path.parent / "helper.py").write_text("suffix = '!'")
    run = run_job(load_job(path), places=places, parameters={"day": "2017-01-02"})
    assert errors(run) == {"setup": None, "report": None}
    assert [one.exit_value for one in run.tasks] == ["2017-01-02 small", '{"n": 3}!']
    kept = nbformat.read(Path(run.folder) / run.tasks[0].folder / "setup.ipynb", as_version=4)
    assert kept.cells[2].outputs[0].text == "Notebook exited: 2017-01-02 small\n"
    assert len(kept.cells) == 4
    assert not kept.cells[3].outputs
    kept = nbformat.read(Path(run.folder) / run.tasks[1].folder / "report.ipynb", as_version=4)
    assert [cell.cell_type for cell in kept.cells] == ["markdown", "code", "code"]
    assert kept.cells[0].source == "# What came of it"


def test_a_notebook_that_fails_says_which_error_in_which_cell(job, places):
    notebooks = {
        "divides": ["x = 1", "def share(n):\n    return x / n\n\nshare(0)"],
        "imports": "# Databricks notebook source\nx = 1\n\n# COMMAND ----------\n\nimport no_such_module\n",
        "dies": ["import os, signal; os.kill(os.getpid(), signal.SIGKILL)"],
        "value": ["dbutils.jobs.taskValues.get('divides', 'rows')"],
    }
    tasks = [*map(task, ("divides", "imports", "dies", "broken")), task("value", "divides", run_if="ALL_DONE")]
    path = job(notebooks, tasks)
    (path.parent / "broken.ipynb").write_text('{"cells": [')
    run = run_job(load_job(path), places=places, parallelism=2)
    said = errors(run)
    assert said["divides"] == "ZeroDivisionError: division by zero (cell 2 of divides.ipynb)"
    assert said["imports"] == "ModuleNotFoundError: No module named 'no_such_module' (cell 2 of imports.py)"
    assert said["dies"].startswith("KernelDied: the process of dies.ipynb ended in the middle of a cell")
    assert said["broken"].startswith("NotebookNotReadable: broken.ipynb is not a notebook")
    assert said["value"].startswith("TaskValueError: task 'divides' has set no value 'rows'")
    trace = next(one.error_trace for one in run.tasks if one.task_key == "divides")
    assert trace.endswith("ZeroDivisionError: division by zero")
    assert "\x1b" not in trace
    assert len(trace.splitlines()) <= 12


def test_a_notebook_that_fails_once_succeeds_on_its_retry(job, places):
    cells = [
        "from pathlib import Path\nfirst = not Path('seen').exists()\nPath('seen').touch()",
        "assert not first, 'flaky'",
    ]
    run = run_job(load_job(job({"flaky": cells}, [task("flaky", max_retries=1)])), places=places)
    assert [(one.state.result_state, one.error) for one in run.tasks] == [
        ("FAILED", "AssertionError: flaky (cell 2 of flaky.ipynb)"), ("SUCCESS", None),
    ]  # fmt: skip


def test_a_notebook_that_takes_too_long_is_stopped_with_its_kernel(job, places, tmp_path):
    run = run_job(load_job(job({"slow": [SLEEPER]}, [task("slow", timeout_seconds=15)])), places=places)
    assert run.tasks[0].state.result_state == "TIMEDOUT"
    kernel = pid_in(tmp_path / "kernel.pid")
    assert kernel
    wait_for(lambda: not psutil.pid_exists(kernel), "the kernel's end")


def start_runner(path: Path, places: Places) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", RUNNER, str(path), str(places.root)], cwd=REPO_ROOT)


def test_killing_the_runner_ends_its_tasks_and_the_run_shows_as_died(job, places, tmp_path):
    path = job({"slow": [SLEEPER], "next": ["1"]}, [task("slow"), task("next", "slow")])
    runner = start_runner(path, places)
    kernel = wait_for(lambda: pid_in(tmp_path / "kernel.pid"), "the notebook's start")
    children = psutil.Process(runner.pid).children(recursive=True)
    assert kernel in [child.pid for child in children]
    runner.kill()
    runner.wait()
    assert psutil.wait_procs(children, timeout=30)[1] == []
    (died,) = list_runs(places.runs)
    assert (died.state.life_cycle_state, died.state.result_state) == ("INTERNAL_ERROR", "FAILED")
    said = f"the runner (pid {runner.pid}) died before the run ended; repair the run, or start the job again"
    assert died.state.state_message == said
    assert [one.state.life_cycle_state for one in died.tasks] == ["INTERNAL_ERROR", "INTERNAL_ERROR"]
    job({"slow": ["1"]}, [task("slow"), task("next", "slow")])
    assert run_job(load_job(path), places=places).state.result_state == "SUCCESS"


def test_ctrl_c_cancels_the_run_and_ends_the_kernel(job, places, tmp_path):
    runner = start_runner(job({"slow": [SLEEPER]}, [task("slow")]), places)
    kernel = wait_for(lambda: pid_in(tmp_path / "kernel.pid"), "the notebook's start")
    os.kill(runner.pid, signal.SIGINT)
    assert runner.wait() == 0
    (canceled,) = list_runs(places.runs)
    assert canceled.state.result_state == "CANCELED"
    wait_for(lambda: not psutil.pid_exists(kernel), "the kernel's end")


def test_a_second_run_while_one_is_alive_is_skipped_and_names_its_process(job, places, tmp_path):
    path = job({"slow": [SLEEPER]}, [task("slow")])
    runner = start_runner(path, places)
    wait_for(lambda: pid_in(tmp_path / "kernel.pid"), "the notebook's start")
    second = run_job(load_job(path), places=places)
    assert second.state.life_cycle_state == "SKIPPED"
    assert f"(pid {runner.pid}) still runs" in second.state.state_message
    runner.terminate()
    assert runner.wait() == 0
