"""The commands, one function each; what they need is imported when they run, so that `--help` answers at once."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Annotated

import typer

from helpers.bootstrap import COMMANDS
from helpers.errors import LakeprepError

_MARKS = {"ok": "✓", "note": "·", "problem": "✗"}
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command(help=COMMANDS["study"])
def study(
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
    lab: Annotated[bool, typer.Option("--lab/--no-lab", hidden=True)] = True,
) -> None:
    from rich.console import Console

    from helpers.commands.study import study as open_lessons
    from helpers.runtime.places import Places

    open_lessons(Places.from_environment(), browser=browser, lab=lab, console=Console())


@app.command(help=COMMANDS["run"])
def run(
    arrive: Annotated[bool, typer.Option("--arrive", help="First let the next day's files arrive.")] = False,
    full_data: Annotated[bool, typer.Option("--full-data", help="Use all 1.47 million transactions.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Only run again what failed in the last run.")] = False,
) -> None:
    from rich.console import Console

    from helpers.commands.run import repair_last_run, run_main_job
    from helpers.runtime.places import Places

    if arrive and full_data:
        raise typer.BadParameter("with --full-data, everything has arrived: leave out --arrive")
    if repair and (arrive or full_data):
        raise typer.BadParameter("a repair keeps the data of its run: leave out --arrive and --full-data")
    if repair:
        raise typer.Exit(repair_last_run(Places.from_environment(), console=Console()))
    code = run_main_job(Places.from_environment(), arrive=arrive, full_data=full_data, console=Console())
    raise typer.Exit(code)


@app.command(
    help=f"{COMMANDS['watch']} JOB is a definition's file, or databricks.yml#KEY for a job of a bundle; without it, "
    "the main job is watched. Ctrl-C ends it and cancels the runs under way; a second one does not wait for their end."
)
def watch(
    job: Annotated[str | None, typer.Argument(metavar="[JOB]", show_default=False)] = None,
    unpause: Annotated[bool, typer.Option("--unpause", help="Obey a schedule or trigger that is paused.")] = False,
    once: Annotated[bool, typer.Option("--once", help="End after the first run; exit code 1 when it failed.")] = False,
    target: Annotated[str | None, typer.Option("--target", help="The bundle's target, when not the default.")] = None,
    var: Annotated[list[str] | None, typer.Option("--var", help="A variable of the bundle, NAME=VALUE.")] = None,
) -> None:
    from rich.console import Console

    from helpers.commands.watch import Chosen
    from helpers.commands.watch import watch as watch_one
    from helpers.runtime.places import Places

    if bare := [each for each in var or () if "=" not in each]:
        raise typer.BadParameter(f"'{bare[0]}' has no value: write --var {bare[0]}=VALUE")
    chosen = Chosen(job, target, dict(each.split("=", 1) for each in var or ()))
    code = watch_one(Places.from_environment(), chosen, unpause=unpause, once=once, console=Console())
    raise typer.Exit(code)


@app.command(help=COMMANDS["dashboard"])
def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8501,
    address: Annotated[str, typer.Option("--address", help="Beyond 127.0.0.1 it asks for a login.")] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser window.")] = True,
) -> None:
    from rich.console import Console

    from helpers.commands.dashboard import show_dashboard
    from helpers.runtime.places import Places

    show_dashboard(Places.from_environment(), address=address, port=port, browser=browser, console=Console())


@app.command("test", help=COMMANDS["test"])
def run_every_test(
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[-- PYTEST ARGUMENTS]", show_default=False)] = None,
) -> None:
    from rich.console import Console

    from helpers.commands.testing import run_tests

    raise typer.Exit(run_tests(arguments or [], console=Console()))


@app.command(help=COMMANDS["progress"])
def progress(
    html: Annotated[Path | None, typer.Option("--html", help="Also write it as a picture that opens offline.")] = None,
) -> None:
    from rich.console import Console

    from helpers.commands.progress import show_progress
    from helpers.runtime.places import Places

    show_progress(Places.from_environment(), html=html, console=Console())


@app.command(help=COMMANDS["publish"])
def publish(
    check: Annotated[bool, typer.Option("--check", help="Only name the lessons that are not up to date.")] = False,
) -> None:
    from rich.console import Console

    from helpers.commands.publish import publish_lessons

    raise typer.Exit(publish_lessons(only_check=check, console=Console()))


@app.command(
    help=f"{COMMANDS['deploy']} Running it again brings everything up to date. To remove it by hand: delete the job, "
    "the pipeline, then the schema in Catalog Explorer, and the folder .lakeprep in your workspace home."
)
def deploy(
    target: Annotated[str, typer.Option("--target", help="free, dev (serverless) or prod (job cluster).")] = "free",
    profile: Annotated[str | None, typer.Option("--profile", help="A profile of ~/.databrickscfg.")] = None,
    catalog: Annotated[str | None, typer.Option("--catalog", help="Not the target's (workspace, main).")] = None,
    schema: Annotated[str, typer.Option("--schema", help="In free and dev, dev_<you>_ comes before it.")] = "retail",
    node_type: Annotated[str | None, typer.Option("--node-type", help="prod: machine type outside AWS.")] = None,
    notify: Annotated[str | None, typer.Option("--notify", help="Who gets the job's mails.")] = None,
    arrive: Annotated[bool, typer.Option("--arrive", help="Only let files arrive: first a week, then a day.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
) -> None:
    from rich.console import Console

    from helpers.commands.deploy import deploy_retail_job
    from helpers.deploy import TARGETS, Deployment
    from helpers.runtime.places import REPO_ROOT

    if target not in TARGETS:
        raise typer.BadParameter(f"there is no target '{target}': give one of {', '.join(TARGETS)}")
    what = Deployment(TARGETS[target], REPO_ROOT, catalog, schema, node_type, notify)
    deploy_retail_job(what, profile=profile, dry_run=dry_run, only_files=arrive, console=Console())


@app.command(help=COMMANDS["export"])
def export(
    file: Annotated[Path | None, typer.Argument(help="Instead of work/lakeprep.zip.", show_default=False)] = None,
) -> None:
    from rich.console import Console

    from helpers.commands.export import export_repository
    from helpers.runtime.places import Places

    export_repository(file or Places.from_environment().root / "lakeprep.zip", console=Console())


@app.command(help=COMMANDS["stop"])
def stop() -> None:
    from helpers.runtime.places import Places
    from helpers.runtime.server import stop_server

    stopped = stop_server(Places.from_environment())
    print("The Spark server is stopped." if stopped else "No Spark server was running.")


@app.command(help=COMMANDS["doctor"])
def doctor() -> None:
    from helpers.runtime.doctor import diagnose
    from helpers.runtime.places import Places

    findings = diagnose(Places.from_environment())
    for finding in findings:
        print(f"{_MARKS[finding.level]} {finding.what} {finding.next_step}".rstrip())
    raise typer.Exit(1 if any(finding.level == "problem" for finding in findings) else 0)


def main(arguments: list[str]) -> int:
    """Run one command and give its exit code; an error that a user is meant to read is one sentence."""
    try:
        app(args=arguments, prog_name="python3 -m helpers")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except LakeprepError as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _fail("The disk is full. Free some space, then run the same command again.")
        if error.errno in (errno.EACCES, errno.EROFS):
            return _fail(f"{error.filename} cannot be written. Make it writable, or name a folder with LAKEPREP_HOME.")
        raise
    return 0


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1
