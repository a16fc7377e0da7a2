"""Small scripts in the place of notebooks, pipelines and the like, for tests of the runner."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import psutil

from helpers.jobs import Run, run_job
from helpers.jobs.attempt import COMMANDS
from helpers.jobs.clock import Clock
from helpers.jobs.model import Job, Notebook, Task
from helpers.runtime.places import Places

#: Does what FAKE says for its task and attempt: {"task": ["ok", "fail"]}; the last entry holds for later attempts.
SCRIPT = """
import json, os, signal, sys, time
spec = json.load(open(sys.argv[1]))
told = json.load(open(os.environ["LAKEPREP_JOB_CONTEXT"]))
doings = json.loads(os.environ["FAKE"]).get(told["task_key"], ["ok"])
doing, _, rest = doings[min(told["attempt_number"], len(doings) - 1)].partition(" ")
def leave(name, value):
    json.dump(value, open(os.path.join(told["folder"], name), "w"))
result = {"version": 1, "error": None, "error_trace": None}
if doing == "set":
    leave("values.json", json.loads(rest))
elif doing == "exit":
    leave("exit.json", {"version": 1, "value": rest})
elif doing == "update":
    result = json.loads(rest)
elif doing == "told":
    result = None
    leave("exit.json", {"version": 1, "value": json.dumps({"spec": spec, "told": told, "env": dict(os.environ)})})
    leave("result.json", {"version": 1, "error": None})
elif doing == "crash":
    sys.exit(rest)
elif doing == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
elif doing in ("sleep", "stubborn"):
    if doing == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(spec.get("progress") or spec["events"], "w").write('{"message": "asleep"}')
    time.sleep(float(rest or 60))
elif doing == "fail":
    result["error"], result["error_trace"] = rest or "ValueError: boom", "line 1"
if result is not None:
    leave("result.json", result)
sys.exit(1 if result and result.get("error") else 0)
"""


class IdleClock(Clock):
    """A clock that jumps to the next due time when no process runs, and remembers how far."""

    def __init__(self) -> None:
        self.jumped: list[float] = []

    def elapsed(self) -> float:
        return super().elapsed() + sum(self.jumped)

    def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any | None:
        if idle and seconds:
            self.jumped.append(seconds)
            return None
        return super().wait(queue, seconds=seconds, idle=idle)


Runs = Callable[..., Run]


def fake_commands(folder: Path) -> dict[str, tuple[str, ...]]:
    """The script in the place of everything but the runner of another job."""
    (folder / "fake.py").write_text(SCRIPT)
    command = (sys.executable, "-S", "-E", str(folder / "fake.py"))
    return {**dict.fromkeys(("notebook", "pipeline", "spark_python", "sql"), command), "run_job": COMMANDS["run_job"]}


def fake_runs(folder: Path) -> Runs:
    """Give a function that runs tasks as the job `retail`, doing what `fake` says; its home is `home` in the folder."""
    commands = fake_commands(folder)

    def go(
        *tasks: Task, fake: Mapping[str, list[str]] | None = None, job: Mapping[str, Any] | None = None, **more: Any
    ) -> Run:
        made = Job("retail", folder / "job.json", tasks, **(job or {}))
        environment = {"PATH": os.environ["PATH"], "FAKE": json.dumps(fake or {}), **more.pop("environment", {})}
        return run_job(made, places=Places(folder / "home"), commands=commands, environment=environment, **more)

    return go


def task(key: str, *upstream: str, **more: Any) -> Task:
    return Task(key, more.pop("work", Notebook(Path(f"/n/{key}.ipynb"))), upstream, **more)


def results(run: Run) -> dict[str, str | None]:
    return {one.task_key: one.state.result_state for one in run.latest()}


def told(run: Run, key: str) -> dict[str, Any]:
    return json.loads(next(one.exit_value for one in run.latest() if one.task_key == key) or "")


def still_alive() -> list[psutil.Process]:
    """Processes that this one started and that do not end by themselves."""
    return psutil.wait_procs(psutil.Process().children(recursive=True), timeout=20)[1]
