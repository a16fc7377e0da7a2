"""`watch`: start a job whenever its schedule or trigger says so, until Ctrl-C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from helpers import landing
from helpers.commands.run import JOB, SOURCE
from helpers.jobs import Job, Run, load_bundle_job, load_job, run_job, watch_job
from helpers.jobs.errors import WatchError
from helpers.runtime.places import Places


@dataclass(frozen=True)
class Chosen:
    """Which job: a definition's file, `databricks.yml#key` with a target and variables, or None for the main job."""

    job: str | None = None
    target: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


def watch(places: Places, chosen: Chosen, *, unpause: bool, once: bool, console: Console) -> int:
    """Give the exit code: 0, but with `once` 1 when no run succeeded."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    job, start = (load_job(JOB), _run_main_job) if chosen.job is None else (_named(chosen.job, chosen), run_job)
    last = watch_job(job, places=places, say=say, unpause=unpause, once=once, start=start)
    succeeded = last is not None and last.state.result_state in ("SUCCESS", "SUCCESS_WITH_FAILURES")
    return 0 if succeeded or not once else 1


def _named(job: str, chosen: Chosen) -> Job:
    """The job of a file, or of a bundle's `databricks.yml#key`."""
    name, _, key = job.partition("#")
    if Path(name).suffix not in (".yml", ".yaml"):
        if chosen.target or chosen.variables:
            raise WatchError(f"{name} is no bundle's file: leave out --target and --var")
        return load_job(Path(job).resolve())
    if not key:
        raise WatchError(f"{name} is a bundle's file: say which of its jobs, as {name}#KEY")
    return load_bundle_job(Path(name).resolve(), key, target=chosen.target, variables=chosen.variables)


def _run_main_job(job: Job, *, places: Places, **options: Any) -> Run:
    """One run of the main job, for which its first days have arrived, as with `run`."""
    folder = places.volume("retail", "landing")
    landing.land(landing.first_files(landing.data_files(SOURCE)), source=SOURCE, landing=folder)
    report = places.root / "reports" / "retail.html"
    parameters = {"schema": "retail", "landing": str(folder), "report": str(report)}
    return run_job(job, places=places, parameters=parameters, **options)
