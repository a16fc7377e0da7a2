"""`study` as a learner meets it: JupyterLab in a browser, on the first lesson, with a home outside the repository."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from helpers.runtime import Places, stop_server

ROOT = Path(__file__).resolve().parents[2]
LESSON = "00_start_here.ipynb"
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


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    places = Places(tmp_path_factory.mktemp("study"))
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "study", "--no-browser"],
        cwd=ROOT,
        env={**os.environ, "LAKEPREP_HOME": str(places.root)},
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
    process.kill()
    process.communicate()
    stop_server(places)
    assert _URL.search(said), said


def test_the_first_lesson_is_open_and_its_first_cell_runs(study: Study, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(study.url)
    page.get_by_role("heading", name="Start here").wait_for(timeout=60_000)
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-InputPrompt", has_text="[1]:").wait_for(timeout=120_000)
    assert (
        cell.locator("[data-mime-type='application/vnd.jupyter.stderr'], .jp-OutputArea-error").all_inner_texts() == []
    )
    page.close()


def test_without_the_token_nothing_is_shown(study: Study, browser: Any) -> None:
    page = browser.new_context().new_page()
    page.goto(study.url.partition("?")[0])
    assert "/login" in page.url
    page.context.close()


def test_it_listens_on_the_loopback_address_only(study: Study) -> None:
    port = int(study.url.split(":")[2].split("/")[0])
    assert _connects("127.0.0.1", port)
    assert not _connects("127.0.0.2", port)


def test_ctrl_c_closes_it_and_leaves_the_lessons(study: Study) -> None:
    port = int(study.url.split(":")[2].split("/")[0])
    code, said = study.interrupt()
    assert code == 0
    assert f"JupyterLab is closed. Your lessons are in {study.places.lessons}." in said
    assert "Traceback" not in said
    assert not _connects("127.0.0.1", port)
    assert (study.places.lessons / LESSON).is_file()


def _connects(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
