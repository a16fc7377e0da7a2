"""The file through which a task knows its job: parameters and task values in, task values and exit value out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from helpers.files import replace_file

VARIABLE = "LAKEPREP_JOB_CONTEXT"
_VALUES, _EXIT = "values.json", "exit.json"


@dataclass(frozen=True)
class JobContext:
    """What one attempt of a task is told; `folder` takes what it answers.

    `called` says that it is a notebook which another one runs.
    """

    folder: str
    job_id: int
    run_id: int
    task_key: str
    task_run_id: int
    attempt_number: int
    parameters: Mapping[str, str]
    task_values: Mapping[str, Mapping[str, Any]]
    tasks: tuple[str, ...]
    called: bool = False

    def write(self) -> Path:
        """Put it into its folder and give the file's path."""
        path = Path(self.folder) / "context.json"
        write_json(path, {"version": 1, **asdict(self)})
        return path


def read_context(environ: Mapping[str, str]) -> JobContext | None:
    """Give the job's context, or None outside a job."""
    path = environ.get(VARIABLE)
    if not path:
        return None
    written = json.loads(Path(path).read_text(encoding="utf-8"))
    del written["version"]
    return JobContext(**{**written, "tasks": tuple(written["tasks"])})


def set_value(folder: Path, key: str, value: Any) -> None:
    """Keep one task value."""
    write_json(folder / _VALUES, {**read_values(folder), key: value})


def read_values(folder: Path) -> dict[str, Any]:
    """Give the task values set so far."""
    path = folder / _VALUES
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def set_exit_value(folder: Path, value: str) -> None:
    """Keep what the notebook exits with."""
    write_json(folder / _EXIT, {"version": 1, "value": value})


def read_exit_value(folder: Path) -> str | None:
    """Give what the notebook exited with, or None when it did not call exit."""
    path = folder / _EXIT
    return json.loads(path.read_text(encoding="utf-8"))["value"] if path.exists() else None


def write_json(path: Path, value: Any) -> None:
    """Write a file whole or not at all."""
    replace_file(path, json.dumps(value, ensure_ascii=False).encode(), durable=False)
