"""What each kind of task tells its process: one JSON object, in the attempt's folder."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.jobs.context import write_json
from helpers.jobs.model import Job
from helpers.jobs.work import Attempted, Notebook, Pipeline, RunJob, Script, SqlFile, SqlQuery, Wheel

SPEC, RESULT, PROGRESS, LOG = "spec.json", "result.json", "progress.jsonl", "log.txt"
_JOB, _PIPELINE = "job.pickle", "pipeline.json"


def spec(work: Attempted, folder: Path, *, commands: Mapping[str, Sequence[str]], limits: Mapping[str, float]) -> Any:
    """Give the object; references in `work` are filled in. `commands` and `limits` are for a runner of its own."""
    told: dict[str, Any] = {"result": str(folder / RESULT)}
    match work:
        case Notebook():
            output = folder / work.path.with_suffix(".ipynb").name
            told |= {"notebook": str(work.path), "output": str(output), "wheels": _paths(work.wheels)}
        case Pipeline():
            told |= {
                "settings": str(_settings(work, folder)),
                "parameters": dict(work.parameters),
                "refresh_selection": list(work.refresh_selection),
                "full_refresh": work.full_refresh,
                "full_refresh_selection": list(work.full_refresh_selection),
                "events": str(folder / PROGRESS),
            }
        case Script():
            told |= {"script": str(work.path), "arguments": list(work.arguments), "wheels": _paths(work.wheels)}
        case Wheel():
            told |= {
                "package": work.package,
                "entry_point": work.entry_point,
                "arguments": list(work.command_line),
                "wheels": _paths(work.wheels),
            }
        case SqlFile():
            told |= {"file": str(work.path), "parameters": dict(work.parameters)}
        case SqlQuery():
            told |= {"query": str(work.path), "parameters": dict(work.parameters)}
        case RunJob():
            (folder / _JOB).write_bytes(pickle.dumps(_portable(work.job)))
            told |= {
                "job": str(folder / _JOB),
                "parameters": dict(work.parameters),
                "commands": {kind: list(command) for kind, command in commands.items()},
                **limits,
            }
    return told if isinstance(work, Pipeline) else {**told, "progress": str(folder / PROGRESS)}


def _paths(files: Sequence[Path]) -> list[str]:
    return [str(file) for file in files]


def _settings(work: Pipeline, folder: Path) -> Path:
    """Where the pipeline's settings are; a bundle's are written down, their paths as seen from the attempt's folder."""
    if work.inline is None:
        return work.settings
    back = os.path.relpath(work.settings.parent, folder)
    libraries = [_seen_from(back, library) for library in work.inline.get("libraries", ())]
    write_json(folder / _PIPELINE, {**work.inline, "libraries": libraries})
    return folder / _PIPELINE


def _seen_from(back: str, library: Any) -> Any:
    """One library's paths from another folder; what is no library stays for the pipeline to refuse."""
    if isinstance(library, Mapping):
        return {kind: _seen_from(back, where) for kind, where in library.items()}
    return f"{back}/{library}" if isinstance(library, str) else library


def read_job(path: Path) -> Job:
    """Read the job that a runner of its own gets; only its parent runner writes such a file."""
    return pickle.loads(path.read_bytes())


def _portable(job: Job) -> Job:
    """The same without the SDK's objects, whose import costs a second."""
    tasks = tuple(
        replace(task, work=replace(task.work, job=_portable(task.work.job))) if isinstance(task.work, RunJob) else task
        for task in job.tasks
    )
    return replace(job, tasks=tasks, settings=None)
