"""`watch`: start a job whenever its schedule or trigger says so, until Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from helpers import landing
from helpers.commands.run import JOB, SOURCE
from helpers.jobs import Job, Run, load_bundle_job, load_job, run_job, watch_job
from helpers.jobs.errors import WatchError
from helpers.runtime.places import Places


def watch(
    places: Places, *, job: str | None, target: str | None, unpause: bool, once: bool, console: Console
) -> int:
    """Give the exit code: 0, but with `once` 1 when no run succeeded. `job` is None for the main job."""

    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    chosen, start = (load_job(JOB), _run_main_job) if job is None else (_named(job, target), run_job)
    last = watch_job(chosen, places=places, say=say, unpause=unpause, once=once, start=start)
    succeeded = last is not None and last.state.result_state == "SUCCESS"
    return 0 if succeeded or not once else 1


def _named(job: str, target: str | None) -> Job:
    """The job of a file, or of a bundle's `databricks.yml#key`."""
    name, _, key = job.partition("#")
    if Path(name).suffix not in (".yml", ".yaml"):
        return load_job(Path(job).resolve())
    if not key:
        raise WatchError(f"{name} is a bundle's file: say which of its jobs, as {name}#KEY")
    return load_bundle_job(Path(name).resolve(), key, target=target)


def _run_main_job(job: Job, *, places: Places, **options: Any) -> Run:
    """One run of the main job, for which its first days have arrived, as with `run`."""
    folder = places.volume("retail", "landing")
    landing.land(landing.first_files(landing.data_files(SOURCE)), source=SOURCE, landing=folder)
    report = places.root / "reports" / "retail.html"
    parameters = {"schema": "retail", "landing": str(folder), "report": str(report)}
    return run_job(job, places=places, parameters=parameters, **options)
