"""What the runner itself costs a task: a job of 100 empty Python files, against the same files started plainly.

    .venv/bin/python tests/benchmarks/runner_cost.py [--tasks 100] [--rounds 3] [--parallelism 4] [--profile FILE]

Both sides start as many processes, as many at once, with the same Python, and take turns in one process. The job's
tasks depend on each other, ten abreast, and its definition is read and checked each time. Printed: the seconds of each
round and what of them the processors worked, the medians, and their difference in milliseconds a task. `--profile`
writes what cProfile says of one more run.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.jobs import run_job  # noqa: E402
from helpers.runtime.places import Places  # noqa: E402

ABREAST = 10
MOST_MS = 50


def definition(folder: Path, tasks: int) -> dict[str, Any]:
    """Rows of tasks, each of which waits for two tasks of the row before."""
    (folder / "empty.py").touch()
    made = []
    for number in range(tasks):
        row = number - number % ABREAST
        upstream = {row - ABREAST + number % ABREAST, row - ABREAST + (number + 1) % ABREAST} if row else set()
        made.append({
            "task_key": f"t{number}",
            "depends_on": [{"task_key": f"t{other}"} for other in sorted(upstream)],
            "spark_python_task": {"python_file": "empty.py"},
        })  # fmt: skip
    return {"name": "empty", "tasks": made}


def by_runner(folder: Path, tasks: int, parallelism: int) -> float:
    job = definition(folder, tasks)
    started = time.perf_counter()
    run = run_job(job, base_dir=folder, places=Places(folder / "home"), parallelism=parallelism)
    taken = time.perf_counter() - started
    assert run.state.result_state == "SUCCESS", run.text()
    assert len(run.tasks) == tasks
    return taken


def plainly(folder: Path, tasks: int, parallelism: int) -> float:
    command = [sys.executable, str(folder / "empty.py")]
    started = time.perf_counter()
    with ThreadPoolExecutor(parallelism) as pool:
        ended = list(pool.map(lambda _: subprocess.run(command, check=False, stdin=subprocess.DEVNULL), range(tasks)))
    taken = time.perf_counter() - started
    assert all(process.returncode == 0 for process in ended)
    return taken


def worked() -> float:
    """Seconds that the processors have spent on this process and on those that it has waited for."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def measure(folder: Path, tasks: int, rounds: int, parallelism: int) -> None:
    sides = {"runner": by_runner, "plainly": plainly}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):  # the first round imports and fills caches, and is not counted
        for name, run in sides.items():
            before = worked()
            taken = run(folder, tasks, parallelism)
            said = f"{taken:6.2f} s, worked {worked() - before:5.2f} s, load {os.getloadavg()[0]:.1f}"
            print(f"round {number} {name:8} {said}", flush=True)
            if number:
                seconds[name].append(taken)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    cost = (medians["runner"] - medians["plainly"]) / tasks * 1000
    print("medians:", ", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    print(f"the runner's own cost: {cost:.1f} ms a task (at most {MOST_MS})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parallelism", type=int, default=4)
    parser.add_argument("--profile", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        measure(Path(made), asked.tasks, asked.rounds, asked.parallelism)
        if asked.profile:
            with cProfile.Profile() as profile:
                by_runner(Path(made), asked.tasks, asked.parallelism)
            profile.dump_stats(asked.profile)


if __name__ == "__main__":
    main()
