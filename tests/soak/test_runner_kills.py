"""kill -9 of the runner at 20 random moments: the run shows as dead, nothing of it lives on, a repair ends it right.

Run by hand: `.venv/bin/python -m pytest tests/soak/test_runner_kills.py -s`; no Spark. `LAKEPREP_SOAK_KILLS` (20) says
how many, `LAKEPREP_SOAK_SEED` chooses the moments; both are printed. Every third repair is killed too, then repaired.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.jobs import Run, list_runs, load_run
from helpers.jobs.errors import RunRecordError
from helpers.runtime import Places

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("LAKEPREP_SOAK_KILLS", "20"))
SEED = int(os.environ.get("LAKEPREP_SOAK_SEED") or time.time_ns() % 1_000_000)
RANDOM = random.Random(SEED)

#: Starts a process, works for a while and leaves a line; `flaky` fails at its first attempt.
SCRIPT = """
import subprocess, sys, time
from pathlib import Path
folder, name, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
subprocess.Popen(["sleep", "300"])
time.sleep(seconds)
if name == "flaky" and not (folder / "tried").exists():
    (folder / "tried").touch()
    raise RuntimeError("not yet")
with (folder / name).open("a") as file:
    file.write("done\\n")
"""
RUN = """
import sys
from pathlib import Path
from helpers.jobs import run_job
from helpers.runtime.places import Places
run_job(Path(sys.argv[1]), places=Places(Path(sys.argv[2])))
"""
REPAIR = """
import sys
from pathlib import Path
from helpers.jobs import repair_run
from helpers.runtime.places import Places
latest = int(sys.argv[3]) or None
repair_run(int(sys.argv[2]), places=Places(Path(sys.argv[1])), latest_repair_id=latest)
"""
RIGHT = {
    "setup": "SUCCESS", "one": "SUCCESS", "two": "SUCCESS", "three": "SUCCESS", "flaky": "SUCCESS", "each": "SUCCESS",
    "large": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED", "join": "SUCCESS", "alarm": "EXCLUDED", "clean": "SUCCESS",
}  # fmt: skip
#: Who leaves a line, and how many lines that are.
LEFT = {"setup", "one", "two", "three", "flaky", "each1", "each2", "each3", "each4", "yes", "join", "clean"}


class World:
    """One run's home, its job and what its scripts leave."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder / "home")
        self.left = folder / "left"
        self.left.mkdir(parents=True)
        self.job = folder / "kills.job.json"
        (folder / "work.py").write_text(SCRIPT)
        self.job.write_text(json.dumps(definition(self.left)))

    def start(self) -> subprocess.Popen[bytes]:
        return self._python(RUN, self.job, self.places.root)

    def repair(self, run: Run) -> subprocess.Popen[bytes]:
        return self._python(REPAIR, self.places.root, run.run_id, run.repair_history[-1].id or 0)

    def lines(self) -> dict[str, int]:
        """How often each script came to its end."""
        return {path.name: len(path.read_text().splitlines()) for path in self.left.iterdir() if path.name != "tried"}

    def folder(self) -> Path | None:
        """The run's folder, once it is there."""
        return next((path for path in self.places.runs.glob("*") if path.name.isdigit()), None)

    def alive(self) -> list[psutil.Process]:
        """The processes that work for this home."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get("LAKEPREP_HOME") == str(self.places.root):
                    found.append(process)
        return found

    def _python(self, code: str, *arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def definition(left: Path) -> dict[str, Any]:
    def script(name: str, *upstream: str, seconds: float = 0.1, **more: Any) -> dict[str, Any]:
        work = {"python_file": "work.py", "parameters": [str(left), name, str(seconds)]}
        depends = [{"task_key": key} for key in upstream]
        return {"task_key": name, "depends_on": depends, "spark_python_task": work, **more}

    nested = script("each{{input}}", seconds=0.2) | {"task_key": "each_one", "max_retries": 1}
    del nested["depends_on"]
    tasks = [
        script("setup"),
        script("one", "setup", seconds=0.3),
        script("two", "setup", seconds=0.5),
        script("three", "two", seconds=0.1),
        script("flaky", "setup", max_retries=2, min_retry_interval_millis=300),
        {"task_key": "each", "depends_on": [{"task_key": "one"}],
         "for_each_task": {"inputs": "[1, 2, 3, 4]", "concurrency": 2, "task": nested}},
        {"task_key": "large", "depends_on": [{"task_key": "one"}],
         "condition_task": {"op": "GREATER_THAN", "left": "{{job.parameters.rows}}", "right": "10"}},
        script("yes") | {"depends_on": [{"task_key": "large", "outcome": "true"}]},
        script("no") | {"depends_on": [{"task_key": "large", "outcome": "false"}]},
        script("join", "three", "flaky", "each", "yes", "no"),
        script("alarm", "join", run_if="AT_LEAST_ONE_FAILED"),
        script("clean", "join", run_if="ALL_DONE"),
    ]  # fmt: skip
    return {"name": "kills", "parameters": [{"name": "rows", "default": "12"}], "tasks": tasks}


@pytest.fixture(scope="module")
def seconds(tmp_path_factory: pytest.TempPathFactory) -> float:
    """How long an undisturbed run takes from its folder on; it is what the killed ones must come to."""
    print(f"\nseed {SEED}, {KILLS} kills")
    world = World(tmp_path_factory.mktemp("undisturbed"))
    runner = world.start()
    started = first_sign(world, runner)
    assert runner.wait(300) == 0
    taken = time.monotonic() - started
    assert_right(world)
    assert world.lines() == dict.fromkeys(LEFT, 1)
    return taken


@pytest.mark.parametrize("number", range(KILLS))
def test_a_run_whose_runner_is_killed_is_shown_and_repaired_to_its_right_end(number, seconds, tmp_path):
    world, dead = killed_run(tmp_path, seconds)
    if number % 3 == 0:
        dead = killed_repair(world, dead)
    kept, before = good(dead), world.lines()
    if dead.state.result_state != "SUCCESS":  # a repair may have been faster than its kill
        assert world.repair(dead).wait(300) == 0
    run = assert_right(world)
    # What had succeeded is the same task run and did not work again; all else has worked once more.
    assert {key: run.task(key).run_id for key in kept} == kept
    after = world.lines()
    assert after.keys() == LEFT
    for name in LEFT:
        again = 0 if owner(name) in kept else 1
        assert after[name] - before.get(name, 0) == again, (name, before, after)


def killed_run(folder: Path, seconds: float) -> tuple[World, Run]:
    """Start a run and kill it at a random moment; one that had not begun, or had ended, does not count."""
    for attempt in range(20):
        world, moment = World(folder / str(attempt)), RANDOM.uniform(0, seconds)
        runner = world.start()
        first_sign(world, runner)
        if dead := killed(world, runner, moment):
            return world, dead
    raise AssertionError("no kill came while a run was under way, twenty times")


def killed_repair(world: World, dead: Run) -> Run:
    """Kill the repair too, soon after it has begun, and give the run as it is then."""
    runner = world.repair(dead)
    while len(load_run(Path(dead.folder or "")).repair_history) == len(dead.repair_history):
        assert runner.poll() is None, "the repair ended without a word"
        time.sleep(0.005)
    killed(world, runner, RANDOM.uniform(0, 0.1))
    return load_run(Path(dead.folder or ""))


def killed(world: World, runner: subprocess.Popen[bytes], moment: float) -> Run | None:
    """Kill the runner after a moment, and give the run as it is shown then; None where it had its end already."""
    with suppress(subprocess.TimeoutExpired):
        assert runner.wait(moment) == 0
        return None
    runner.kill()
    runner.wait()
    assert psutil.wait_procs(world.alive(), timeout=10)[1] == []
    try:
        run = load_run(world.folder() or Path())
    except RunRecordError:
        assert world.lines() == {}
        return None
    if run.state.life_cycle_state == "TERMINATED":
        return None
    assert_shown_as_dead(world, run)
    print(f"killed after {moment:.2f} s; {len(good(run))} tasks had succeeded", flush=True)
    return run


def first_sign(world: World, runner: subprocess.Popen[bytes]) -> float:
    """Wait until the run's folder is there; gives when that was."""
    while world.folder() is None:
        assert runner.poll() is None, "the runner ended without a run"
        time.sleep(0.002)
    return time.monotonic()


def assert_shown_as_dead(world: World, run: Run) -> None:
    assert (run.state.life_cycle_state, run.state.result_state) == ("INTERNAL_ERROR", "FAILED")
    assert "died before the run ended; repair the run" in run.state.state_message
    tasks = [one for task in run.tasks for one in (task, *task.iterations)]
    assert all(one.state.final for one in tasks)
    assert run.text().splitlines()[0].startswith(f"kills · run {run.run_id} · FAILED")
    assert json.loads(json.dumps(run.as_dict()))["run_id"] == run.run_id
    assert "FAILED" in run._repr_html_()
    assert list_runs(world.places.runs) == [run]


def assert_right(world: World) -> Run:
    run = load_run(world.folder() or Path())
    assert {task.task_key: task.state.result_state for task in run.latest()} == RIGHT
    assert (run.state.life_cycle_state, run.state.result_state) == ("TERMINATED", "SUCCESS")
    assert world.alive() == []
    return run


def good(run: Run) -> dict[str, int]:
    """The tasks that a repair must leave alone, with their task runs."""
    return {task.task_key: task.run_id for task in run.latest() if task.state.result_state == "SUCCESS"}


def owner(name: str) -> str:
    """The task whose script leaves a line of this name."""
    return "each" if name.startswith("each") else name
