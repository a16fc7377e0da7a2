"""Someone who reads the dashboard in a browser, and what she waits for."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from helpers.commands.dashboard import Dashboard

FIGURES = {
    "Sales": {"day", "department", "share", "category", "hour", "tier"},
    "Quality": {"rules", "categories"},
    "Pipeline": {"graph", "rows", "expectations", "failures", "shuffle"},
    "Runs": {"matrix", "tasks", "timeline", "durations"},
}
_READ = """() => Object.fromEntries([...document.querySelectorAll('[class*="st-key-chart-"], [class*="st-key-wide-"]')]
  .filter(box => box.querySelector('.js-plotly-plot')?.data && box.querySelector('details'))
  .map(box => [/st-key-(?:chart|wide)-(\\S+)/.exec(box.className)[1], {
    points: box.querySelector('.js-plotly-plot').data.map(one => (one.values ?? one.x ?? []).length),
    words: box.querySelector('details').textContent,
    spoken: box.querySelector('[role=figure]')?.ariaLabel ?? ''}]))"""
PATIENCE = 60.0


class Reader:
    """A page of the dashboard, and what its console said."""

    def __init__(self, browser: Any, url: str) -> None:
        self.page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.errors: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)

    def figures(self, tab: str) -> dict[str, dict[str, Any]]:
        """Open a tab and read its figures, once all of them are drawn and nothing runs."""
        self.page.get_by_role("tab", name=tab, exact=True).click()
        return until(lambda: self.page.evaluate(_READ), lambda found: set(found) == FIGURES[tab] and self.idle())

    def idle(self) -> bool:
        return self.page.locator("[data-testid=stApp]").get_attribute("data-test-script-state") == "notRunning"

    def card(self, name: str) -> str:
        """Read a key figure with its proportion."""
        return self.page.get_by_test_id("stMetric").filter(has_text=name).inner_text()

    def choose(self, name: str, option: str) -> None:
        box = self.page.get_by_test_id("stMultiSelect").filter(has_text=name)
        box.get_by_role("combobox").fill(option[:6])
        self.page.get_by_role("option").get_by_text(option, exact=True).click()
        self.page.keyboard.press("Escape")

    def choose_days(self, first: date, last: date) -> None:
        for part, day in (("start", first), ("end", last)):
            self.page.get_by_role("spinbutton", name=f"year, Days {part} date").click()
            self.page.keyboard.type(f"{day:%Y%m%d}", delay=20)
        self.page.keyboard.press("Escape")  # leaving the calendar is what chooses

    def choose_everything(self) -> None:
        self.page.get_by_role("button", name="Show everything").click()


def until(read: Callable[[], Any], right: Callable[[Any], bool]) -> Any:
    """Read until it is right, and give what was read; the test fails with the last reading."""
    end = time.monotonic() + PATIENCE
    while not right(found := read()):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connects(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


@contextmanager
def serving(dashboard: Dashboard) -> Iterator[None]:
    """Run a dashboard that is planned, without its command."""
    environment = dashboard.environment(os.environ)
    with subprocess.Popen(dashboard.command, cwd=dashboard.places.root, env=environment) as process:
        try:
            until(lambda: connects("127.0.0.1", dashboard.port), bool)
            yield
        finally:
            process.kill()
