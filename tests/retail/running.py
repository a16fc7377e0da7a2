"""Start the retail job as a user's shell would, watch it from outside, and kill what a test wants dead."""

from __future__ import annotations

import base64
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from helpers.runtime import REPO_ROOT, Places
from helpers.runtime.state import read_info

JOB = REPO_ROOT / "solutions" / "retail_job" / "job.json"
DATA = REPO_ROOT / "datasets" / "retail"
_RUNNER = """
import sys
from pathlib import Path
from helpers.jobs import load_job, run_job
from helpers.runtime import Places

job, schema, landing, report = sys.argv[1:]
run = run_job(load_job(Path(job)), places=Places.from_environment(),
              parameters={"schema": schema, "landing": landing, "report": report})
print(run.state.state_message)
sys.exit(0 if run.state.result_state == "SUCCESS" else 1)
"""


_READER = """
import base64, json, pickle, sys
from helpers.runtime import Places, attach, detach

spark = attach(Places.from_environment())
names = [row.tableName for row in spark.sql(f"SHOW TABLES IN {sys.argv[1]}").collect()]
rows = {name: sorted((tuple(row) for row in spark.table(f"{sys.argv[1]}.{name}").collect()), key=repr)
        for name in names if not name.startswith("event_log")}
versions = {name: spark.sql(f"DESCRIBE HISTORY {sys.argv[1]}.`{name}` LIMIT 1").collect()[0].version for name in names}
logs = [name for name in names if name.startswith("event_log") and sys.argv[2:] == ["events"]]
events = [{"update": row.origin.update_id, "dataset": row.origin.dataset_name, "batch": row.origin.batch_id,
           "type": row.event_type, "details": json.loads(row.details)[row.event_type]}
          for name in logs for row in spark.table(f"{sys.argv[1]}.{name}")
          .orderBy("timestamp", "sequence.data_plane_id.seq_no").collect()]
print(base64.b64encode(pickle.dumps((rows, versions, events))).decode())
detach(spark)
"""


@dataclass(frozen=True)
class Tables:
    """A schema's tables: their rows, sorted, the Delta version of each, and the event log if it was asked for."""

    rows: dict[str, list[tuple[Any, ...]]]
    versions: dict[str, int]
    events: list[dict[str, Any]]


@dataclass(frozen=True)
class Shell:
    """Commands with one home; ``landing``: the folder that :meth:`start` reads."""

    places: Places

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "LAKEPREP_HOME": str(self.places.root), "LAKEPREP_WARM_UP": "0"}

    def helpers(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """``python -m helpers …`` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "helpers", *arguments],
            cwd=REPO_ROOT,
            text=True,
            env={**self.environment, **environment},
            capture_output=True,
            check=False,
            timeout=900,
        )

    def start(self, schema: str, landing: Path) -> subprocess.Popen[str]:
        """The runner alone, in a process group of its own, writing into ``schema``."""
        report = self.places.root / "reports" / f"{schema}.html"
        return subprocess.Popen(
            [sys.executable, "-c", _RUNNER, str(JOB), schema, str(landing), str(report)],
            cwd=REPO_ROOT,
            env=self.environment,
            text=True,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of the updates that run now, as far as they are on disk."""
        for path in self.places.checkpoints.glob("*/_events/*.jsonl"):
            try:
                lines = path.read_text(encoding="utf-8").splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                try:
                    yield json.loads(line)
                except ValueError:
                    continue

    def wait_for(
        self, seen: Callable[[dict[str, Any]], bool], runner: subprocess.Popen[str], *, seconds: float = 240
    ) -> None:
        """Until an event is there that ``seen`` accepts."""
        deadline = time.monotonic() + seconds
        while not any(seen(event) for event in self.events()):
            if runner.poll() is not None:
                raise AssertionError(f"the job ended before the event came: {runner.communicate()[0]}")
            if time.monotonic() > deadline:
                raise AssertionError("the event did not come")
            time.sleep(0.02)

    def kill_server(self) -> None:
        """The supervisor and its JVM at once, as a power cut would."""
        info = read_info(self.places)
        assert info is not None
        for pid in (info.pid, info.jvm_pid):
            psutil.Process(pid).kill()

    def tables(self, schema: str, *, events: bool = False) -> Tables:
        """Every table of a schema as it is now, read by a process of its own; with ``events`` also the event log."""
        read = subprocess.run(
            [sys.executable, "-c", _READER, schema, *(["events"] if events else [])],
            cwd=REPO_ROOT,
            env=self.environment,
            check=True,
            capture_output=True,
            timeout=300,
        )
        return Tables(*pickle.loads(base64.b64decode(read.stdout.split()[-1])))


def flow_runs(dataset: str) -> Callable[[dict[str, Any]], bool]:
    """An event that says that a dataset's flow has begun."""
    return lambda event: (
        event["event_type"] == "flow_progress"
        and event["origin"].get("dataset_name") == dataset
        and json.loads(event["details"])["flow_progress"]["status"] == "RUNNING"
    )


def task_process(runner: subprocess.Popen[str]) -> psutil.Process:
    """The process of the pipeline task that runs now."""
    for process in psutil.Process(runner.pid).children(recursive=True):
        if any("helpers.pipelines.task" in part for part in process.cmdline()):
            return process
    raise AssertionError("no pipeline task is running")


def kill_group(runner: subprocess.Popen[str]) -> None:
    """The runner and everything in its process group."""
    os.killpg(runner.pid, signal.SIGKILL)
    runner.wait()
