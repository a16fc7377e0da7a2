"""One attempt of one task as a process: what it is given, how it starts and stops, what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.jobs import child, context
from helpers.jobs.context import JobContext, write_json
from helpers.jobs.specs import LOG, PROGRESS, RESULT, SPEC, spec
from helpers.jobs.work import Attempted
from helpers.runtime.places import REPO_ROOT

_MODULES = {
    "notebook": "helpers.jobs.notebook_task",
    "pipeline": "helpers.pipelines.task",
    "python_wheel": "helpers.jobs.wheel_task",
    "run_job": "helpers.jobs.run_job_task",
    "spark_python": "helpers.jobs.script_task",
    "sql": "helpers.jobs.sql_task",
}
#: The command of each kind of task; the spec's path is added to it.
COMMANDS: Mapping[str, Sequence[str]] = {
    kind: (sys.executable, "-m", "helpers.jobs.child", module) for kind, module in _MODULES.items()
}
#: How much of the end of a progress file holds its last line.
_TAIL = 256 * 1024
#: The runner's own, which no task needs and no task's log should show.
_WITHHELD = frozenset({"LAKEPREP_SMTP", "LAKEPREP_WEBHOOKS"})


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended."""

    result_state: str
    error: str | None = None
    error_trace: str | None = None
    exit_value: str | None = None
    update: Mapping[str, Any] | None = None
    values: Mapping[str, Any] | None = None
    outcome: str | None = None
    output: Mapping[str, Any] | None = None


def prepare(
    work: Attempted, told: JobContext, *, commands: Mapping[str, Sequence[str]], limits: Mapping[str, float]
) -> Path:
    """Make the attempt's folder with all that its process reads; gives the spec's path."""
    folder = Path(told.folder)
    folder.mkdir(parents=True)
    told.write()
    write_json(folder / SPEC, spec(work, folder, commands=commands, limits=limits))
    return folder / SPEC


def start(
    command: Sequence[str],
    spec_file: Path,
    *,
    home: Path,
    environment: Mapping[str, str],
    on_end: Callable[[], None],
    is_runner: bool = False,
) -> subprocess.Popen[bytes]:
    """Start the process in a session of its own; `on_end` is called from another thread as soon as it has ended.

    `is_runner` says that it sends notifications itself, and so must know where to.
    """
    with (spec_file.parent / LOG).open("wb") as log:
        process = subprocess.Popen(
            [*command, str(spec_file)],
            cwd=REPO_ROOT,
            env=_environment(environment, spec_file.parent, home, withheld=frozenset() if is_runner else _WITHHELD),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    threading.Thread(target=_await, args=(process, on_end), daemon=True).start()
    return process


def stop(process: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> None:
    """Signal the process and what it started in its session."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return


def outcome(folder: Path, kind: str, returncode: int) -> Outcome:
    """Read what an ended attempt left."""
    result = _result(folder)
    common = {"values": context.read_values(folder), "exit_value": context.read_exit_value(folder)}
    if result is None or (returncode and not result.get("error")):
        return Outcome("FAILED", error=_death(folder, returncode), **common)
    if kind == "pipeline":
        common["update"] = result
    else:
        common["output"] = result.get("output")
    if returncode or result.get("error"):
        ended = result.get("result_state", "FAILED")
        return Outcome(ended, error=result["error"], error_trace=result.get("error_trace"), **common)
    return Outcome("SUCCESS", **common)


def doing(folder: Path) -> str:
    """Say what an attempt does now, from the last whole line of its progress; nothing when there is none yet."""
    try:
        with (folder / PROGRESS).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        try:
            return _said(json.loads(line))
        except (ValueError, KeyError, TypeError):
            continue
    return ""


def _said(progress: Mapping[str, Any]) -> str:
    """A notebook's own message, or which of an update's datasets run."""
    if "message" in progress:
        return str(progress["message"])
    datasets = [entry for entry in progress["datasets"] if entry["kind"] != "SOURCE"]
    running = [entry["name"] for entry in datasets if entry["status"] in ("STARTING", "RUNNING")]
    done = sum(entry["status"] == "COMPLETED" for entry in datasets)
    return f"{done} dataset{'s' if done != 1 else ''} done" + (f", now {', '.join(running)}" if running else "")


def _environment(
    given: Mapping[str, str], folder: Path, home: Path, *, withheld: frozenset[str]
) -> dict[str, str]:
    kept = {name: value for name, value in given.items() if name not in withheld}
    paths = [str(REPO_ROOT), kept.get("PYTHONPATH", "")]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "LAKEPREP_HOME": str(home),
        context.VARIABLE: str(folder / "context.json"),
        child.RUNNER: str(os.getpid()),
    }


def _await(process: subprocess.Popen[bytes], on_end: Callable[[], None]) -> None:
    process.wait()
    # What it started and left running ends with it.
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    on_end()


def _result(folder: Path) -> dict[str, Any] | None:
    try:
        written = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return written if isinstance(written, dict) else None


def _death(folder: Path, returncode: int) -> str:
    """Name what ended a process that gave no reason itself."""
    if returncode < 0:
        return f"TaskProcessDied: the task's process was ended by a signal ({signal.strsignal(-returncode)})"
    lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = f": {lines[-1].strip()}" if lines else ""
    return f"TaskProcessDied: the task's process ended with exit code {returncode} and gave no reason{last}"
