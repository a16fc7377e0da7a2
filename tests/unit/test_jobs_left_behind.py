"""What a task's process starts: it ends with the task, and with the runner, even when that is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from helpers.jobs import list_runs, run_job
from helpers.jobs.child import RUNNER
from helpers.jobs.context import VARIABLE
from helpers.jobs.left_behind import end_all
from helpers.runtime.places import REPO_ROOT, Places

#: Starts a process in its own group and one in a group of its own, and stays for a while.
SCRIPT = """
import subprocess, sys, time
from pathlib import Path
left = [subprocess.Popen(["sleep", "300"], start_new_session=apart).pid for apart in (False, True)]
pids = Path("pids.part")
pids.write_text(" ".join(map(str, left)))
pids.rename("pids")
time.sleep(float(sys.argv[1]))
"""
RUN = """
import sys
from pathlib import Path
from helpers.jobs import run_job
from helpers.runtime.places import Places
run_job(Path(sys.argv[1]), places=Places(Path(sys.argv[2])))
"""


def definition(folder: Path, *, seconds: int, levels: int) -> Path:
    """A job whose task starts processes, so many run-job tasks below the one that is given."""
    (folder / "start.py").write_text(SCRIPT)
    task = {"task_key": "a", "spark_python_task": {"python_file": "start.py", "parameters": [str(seconds)]}}
    for level in range(levels + 1):
        above = folder / f"level{level}.job.json"
        above.write_text(json.dumps({"name": f"level{level}", "tasks": [task]}))
        task = {"task_key": "below", "run_job_task": {"job_id": f"${{resources.jobs.level{level}.id}}"}}
    return above


def left_behind(folder: Path) -> list[psutil.Process]:
    return [psutil.Process(int(pid)) for pid in (folder / "pids").read_text().split()]


def test_a_killed_runner_leaves_nothing_of_its_tasks_nor_of_a_job_below(tmp_path):
    job = definition(tmp_path, seconds=300, levels=1)
    runner = subprocess.Popen([sys.executable, "-c", RUN, str(job), str(tmp_path / "home")], cwd=REPO_ROOT)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "pids").exists():
            assert runner.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        processes = left_behind(tmp_path)
        assert all(process.is_running() for process in processes)
    finally:
        runner.kill()
        runner.wait()
    assert psutil.wait_procs(processes, timeout=60)[1] == []


def test_what_a_task_three_jobs_below_left_running_in_its_group_ends_with_it(tmp_path):
    places = Places(tmp_path / "home")
    run = run_job(definition(tmp_path, seconds=0, levels=3), places=places)
    assert run.state.result_state == "SUCCESS"
    runs = list_runs(places.runs)
    assert {(one.run_name, one.trigger["type"]) for one in runs} == {
        ("level3", "one_time"), *((f"level{level}", "run_job_task") for level in range(3))
    }  # fmt: skip
    with_it, apart = left_behind_or_gone(tmp_path)
    assert with_it is None
    assert apart is not None
    apart.kill()  # who starts a session of its own wants to stay


def test_what_a_repair_of_the_same_run_started_is_left_to_it(tmp_path):
    context = str(tmp_path / "tasks" / "a-1" / "context.json")
    of_dead, of_repair = (
        subprocess.Popen(["sleep", "300"], env={**os.environ, VARIABLE: context, RUNNER: runner})
        for runner in ("4194305", str(os.getpid()))
    )
    try:
        end_all(tmp_path, 4194305)
        assert of_dead.wait(timeout=60) == -signal.SIGKILL
        assert of_repair.poll() is None
    finally:
        for process in (of_dead, of_repair):
            process.kill()
            process.wait()


def left_behind_or_gone(folder: Path) -> list[psutil.Process | None]:
    found: list[psutil.Process | None] = []
    for pid in (folder / "pids").read_text().split():
        try:
            process = psutil.Process(int(pid))
            found.append(None if process.status() == psutil.STATUS_ZOMBIE else process)
        except psutil.NoSuchProcess:
            found.append(None)
    return found
