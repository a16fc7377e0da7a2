"""Lesson 05 as a learner does it: what is clicked and typed in JupyterLab, and what is then on the page."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from helpers.runtime import REPO_ROOT, Places, stop_server

LESSON = "05_auto_loader.ipynb"
RIGHT = """receipts = (
    spark.readStream.format("cloudFiles")
    .option("cloudFiles.format", "json")
    .option("cloudFiles.schemaLocation", lab.volume("state/receipts_schema"))
    .load(lab.volume("landing/transactions"))
)
lab.check("05.1", receipts)"""
_PATIENCE_MS = 120_000
_PRESSES, _LOOKS = 5, 50
_URL = re.compile(r"JupyterLab is open: (\S+)")


@dataclass
class Study:
    """A running `study`: where its JupyterLab answers, and what it said before that."""

    process: subprocess.Popen[str]
    places: Places
    url: str
    said: str

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; give the exit code and what was said after it."""
        self.process.send_signal(signal.SIGINT)
        rest = self.process.communicate(timeout=60)[0]
        return self.process.returncode, rest


@contextmanager
def studying(places: Places) -> Iterator[Study]:
    """Run `study` in this home for as long as the block runs, with JupyterLab's settings and open tabs in it too."""
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "study", "--no-browser"],
        cwd=REPO_ROOT,
        env={**os.environ, "LAKEPREP_HOME": str(places.root), "JUPYTER_CONFIG_DIR": str(places.root / "jupyter")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if found := _URL.search(line):
            yield Study(process, places, found[1], said)
            break
    # As closing its terminal does it: JupyterLab and its kernels end too.
    process.terminate()
    process.communicate()
    stop_server(places)
    assert _URL.search(said), said


def press_run(page: Any, cell: Any, keys: str) -> None:
    """Press the keys that run a cell, once more where nothing happens: a page that still loads loses them."""
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
    before = cell.locator(".jp-InputPrompt").inner_text()
    for _ in range(_PRESSES):
        cell.locator(".cm-content").click()
        page.keyboard.press(keys)
        for _ in range(_LOOKS):
            page.wait_for_timeout(100)
            if cell.locator(".jp-InputPrompt").inner_text() != before:
                return
    raise AssertionError(f"Pressing {keys} {_PRESSES} times did not run the cell:\n{cell.inner_text()}")


class Learner:
    """One page of JupyterLab on lesson 05; `url` is what `study` printed."""

    def __init__(self, browser: Any, url: str) -> None:
        self.page = browser.new_page(viewport={"width": 1240, "height": 1000})
        self.page.set_default_timeout(_PATIENCE_MS)
        self.page.goto(url.replace("00_start_here.ipynb", LESSON) + "&reset")
        self.page.get_by_role("heading", name="05 · Auto Loader").wait_for()

    def begin(self) -> None:
        """Run the setup cell, and the cell that lets two days arrive."""
        self._run("lab = open_lab(")
        self._run("lab.reset()")
        self.output("2017-01-02: households")

    def return_to_it(self) -> None:
        """Restart the kernel, as one who comes back the next day, and run the setup cell only."""
        self.page.get_by_role("button", name="Restart the kernel", exact=True).locator("visible=true").click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+Home")
        self._run("lab = open_lab(")

    def solve(self, code: str) -> str:
        """Write the first exercise's cell and run it; give what the check says."""
        cell = self._cell('lab.check("05.1"')
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(code)
        self._finish(cell)
        said = cell.locator(".jp-OutputArea-output")
        said.first.wait_for()
        return str(said.first.inner_text())

    def open_quiz(self) -> Any:
        """Run the cell of the questions, far below, and give the first question."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+End")
        self._run("quiz = lab.quiz()")
        card = self.page.locator(".lakeprep-question").first
        card.wait_for()
        return card

    def choose(self, card: Any, option: int) -> str:
        """Click an option and the check; give the feedback."""
        card.get_by_role("radio").nth(option).check()
        card.get_by_role("button").click()
        card.get_by_role("status").get_by_text("Read more:").wait_for()
        return str(card.get_by_role("status").inner_text())

    def progress(self) -> str:
        """Run the lesson's last cell."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+End")
        cell = self._run("lab.progress()")
        said = cell.locator(".jp-OutputArea-output")
        said.first.wait_for()
        return str(said.first.inner_text())

    def output(self, text: str) -> Any:
        """Wait for an output with this text."""
        shown = self.page.locator(".jp-OutputArea-output", has_text=text)
        shown.first.wait_for()
        return shown

    def close(self) -> None:
        self.page.close()

    def _cell(self, code: str) -> Any:
        return self.page.locator(".jp-CodeCell", has=self.page.locator(".cm-content", has_text=code)).first

    def _run(self, code: str) -> Any:
        """Run a cell and wait until it has its number, and until the kernel has nothing to do."""
        cell = self._cell(code)
        self._finish(cell)
        return cell

    def _finish(self, cell: Any) -> None:
        press_run(self.page, cell, "Control+Enter")
        cell.locator(".jp-InputPrompt").get_by_text(re.compile(r"\[\d+\]")).wait_for()
        self.page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()
