"""`study`: everything that a learner needs, then JupyterLab on the first lesson."""

from __future__ import annotations

import threading

from rich.console import Console

from helpers.commands.lab import FIRST_PORT, Lab, PortTaken, plan_lab, serve
from helpers.commands.lessons import Copied, copy_lessons
from helpers.commands.ready import Reporter, fetch_jars
from helpers.errors import LakeprepError
from helpers.runtime.places import REPO_ROOT, Places
from helpers.runtime.server import ensure_server


def study(places: Places, *, browser: bool, lab: bool, console: Console) -> None:
    """Fetch what is missing, copy the lessons, start Spark beside JupyterLab; without `lab`, start Spark and return."""
    fetch_jars(console)
    tell_copied(copy_lessons(REPO_ROOT / "lessons", places.lessons), places, console)
    if not lab:
        with Reporter(console) as report:
            ensure_server(places, report=report)
        console.print("Spark is ready.")
        return
    threading.Thread(target=_start_spark, args=(places, console), daemon=True).start()
    _open_lab(places, browser=browser, console=console)
    console.print(f"\nJupyterLab is closed. Your lessons are in {places.lessons}.", soft_wrap=True)


def _open_lab(places: Places, *, browser: bool, console: Console) -> None:
    """Run JupyterLab until it ends, on another port when somebody takes the chosen one first."""
    planned = plan_lab(places, browser=browser)
    if planned.port != FIRST_PORT:
        console.print(f"Port {FIRST_PORT} is busy: JupyterLab uses {planned.port}.")
    try:
        serve(planned, opened=lambda: _tell_opened(planned, console))
    except PortTaken:
        _open_lab(places, browser=browser, console=console)


def _start_spark(places: Places, console: Console) -> None:
    # A lesson that needs Spark says the same again, so that JupyterLab stays open without it.
    try:
        ensure_server(places, report=lambda text: None)
    except LakeprepError as error:
        console.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    else:
        console.print("Spark is ready.")


def _tell_opened(lab: Lab, console: Console) -> None:
    console.print(f"JupyterLab is open: {lab.url}", markup=False, highlight=False, soft_wrap=True)
    console.print("Ctrl-C here closes it.")


def tell_copied(copied: Copied, places: Places, console: Console) -> None:
    """Say what copying did; sources of a lesson's job are no lessons of their own."""
    if copied.new:
        count = len(copied.lessons) or len(copied.new)
        what = ("lesson" if copied.lessons else "file") + ("" if count == 1 else "s")
        console.print(f"Copied {count} {what} to {places.lessons}", highlight=False, soft_wrap=True)
    if copied.refreshed:
        console.print(f"Newer, and not changed by you, so replaced: {', '.join(copied.refreshed)}", highlight=False)
    for name in copied.outdated:
        console.print(
            f"There is a newer {name}; yours is kept. To get it, rename yours and run `study` again.",
            highlight=False,
            soft_wrap=True,
        )
