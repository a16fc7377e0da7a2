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
) -> None:
    from rich.console import Console

    from helpers.commands.run import run_main_job
    from helpers.runtime.places import Places

    if arrive and full_data:
        raise typer.BadParameter("with --full-data, everything has arrived: leave out --arrive")
    code = run_main_job(Places.from_environment(), arrive=arrive, full_data=full_data, console=Console())
    raise typer.Exit(code)


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
