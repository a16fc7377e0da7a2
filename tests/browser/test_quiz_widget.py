"""A learner answers a quiz in JupyterLab by keyboard alone, and finds the answer again after the kernel has gone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from helpers.commands.lab import plan_lab
from helpers.progress import Progress
from helpers.quiz import Quiz, load_questions
from helpers.runtime import Places

LESSON = "05_auto_loader"
SOURCE = f"""from helpers.progress import Progress
from helpers.quiz import Quiz, load_questions
from helpers.runtime import Places
Quiz(load_questions({LESSON!r}), progress=Progress(Places.from_environment().progress), seed="ada")"""
BUSY = "import time\ntime.sleep(3)"
#: The lowest contrast of a text with what is behind it, over all elements that hold text themselves.
CONTRAST = """root => {
  const parts = color => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return [r, g, b, a] }
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3]))
  const ground = element => {
    if (!element) return [255, 255, 255]
    const color = parts(getComputedStyle(element).backgroundColor)
    return color[3] === 1 ? color : over(color, ground(element.parentElement))
  }
  const light = color => {
    const [r, g, b] = color.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    return .2126 * r + .7152 * g + .0722 * b
  }
  const ratio = element => {
    const behind = ground(element), text = over(parts(getComputedStyle(element).color), behind)
    const [dim, bright] = [light(text), light(behind)].sort((a, b) => a - b)
    return (bright + .05) / (dim + .05)
  }
  const texts = [...root.querySelectorAll('*')].filter(e => e.tagName !== 'STYLE' && e.offsetParent
    && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
  return Math.min(...texts.map(ratio))
}"""


@dataclass(frozen=True)
class Jupyter:
    """A running JupyterLab with settings of its own; nothing in its home starts Spark."""

    places: Places
    settings: Path
    address: str

    def set_theme(self, theme: str) -> None:
        """Choose the theme of the pages that are opened from now on."""
        self._set("themes", {"theme": f"JupyterLab {theme}"})

    def ask_no_question(self) -> None:
        """Keep JupyterLab's own question about news off the page."""
        self._set("notification", {"fetchNews": "false"})

    def _set(self, name: str, values: dict[str, str]) -> None:
        folder = self.settings / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values), encoding="utf-8")


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    places = Places(tmp_path_factory.mktemp("quiz"))
    _write_notebook(places.lessons / "quiz.ipynb")
    lab = plan_lab(places, browser=False)
    settings = tmp_path_factory.mktemp("settings")
    environment = {**lab.environment(os.environ), "JUPYTER_CONFIG_DIR": str(settings)}
    with lab.log.open("wb") as log:
        process = subprocess.Popen(lab.command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    _wait_for_port(lab.port, process)
    running = Jupyter(places, settings, f"http://localhost:{lab.port}/lab/tree/quiz.ipynb?token={lab.token}&reset")
    running.ask_no_question()
    yield running
    process.terminate()
    process.wait(60)


@pytest.fixture(scope="module")
def page(browser: Any, jupyter: Jupyter) -> Iterator[Any]:
    """The notebook in the light theme, with its kernel ready."""
    with _opened(browser, jupyter, "Light") as page:
        yield page


def test_an_answer_by_keyboard_is_told_and_found_again_after_a_restart(page: Any, jupyter: Jupyter) -> None:
    options = _quiz(jupyter).options("05.q1")
    wrong = next(option for option in options if not option.correct)
    _run(page)
    _tab_to(page, wrong.text.replace("`", ""))
    page.keyboard.press("Space")
    _tab_to(page, "Check 05.q1")
    page.keyboard.press("Enter")
    told = _told(page, "05.q1")
    assert told.startswith("✗ 05.q1 is not right.")
    assert all(option.feedback.replace("`", "") in told for option in options)
    assert Progress(jupyter.places.progress).question("05.q1").chosen == (wrong.key,)

    _restart_kernel(page)
    lost = page.locator(".lakeprep-quiz").evaluate("e => getComputedStyle(e, '::before').content")
    assert "Run its cell again" in lost
    assert not page.get_by_role("button", name="Check 05.q1").is_visible()
    _run(page)
    assert _told(page, "05.q1") == told
    chosen = _card(page, "05.q1").get_by_role("radio", checked=True)
    assert chosen.evaluate("radio => radio.parentElement.textContent").endswith(wrong.text.replace("`", ""))


def test_a_gap_is_answered_with_enter_and_shows_what_was_written_as_text(page: Any) -> None:
    _run(page)
    _tab_to(page, "Gap of 05.q3")
    page.keyboard.type("<b>cloud</b>Files")
    page.keyboard.press("Enter")
    assert "<b>cloud</b>Files" in _told(page, "05.q3")


def test_an_answer_that_is_changed_while_a_cell_runs_counts_as_it_was_last(page: Any, jupyter: Jupyter) -> None:
    _run(page)
    page.locator(".jp-CodeCell .cm-content").last.click()
    page.keyboard.press("Control+Enter")
    card = _card(page, "05.q4")
    for place in (0, 1, 2):
        card.get_by_role("radio").nth(place).check()
    card.get_by_role("button").click()
    _told(page, "05.q4")
    state = Progress(jupyter.places.progress).question("05.q4")
    assert (state.attempts, state.chosen) == (1, (_quiz(jupyter).options("05.q4")[2].key,))


def test_every_text_is_readable_in_both_themes(page: Any, browser: Any, jupyter: Jupyter) -> None:
    _quiz(jupyter).answer("05.q1", "available-now")
    _assert_readable(page, light="true")
    with _opened(browser, jupyter, "Dark") as dark:
        _assert_readable(dark, light="false")


def _assert_readable(page: Any, *, light: str) -> None:
    _run(page)
    assert _told(page, "05.q1").startswith("✓")
    assert page.locator("body").get_attribute("data-jp-theme-light") == light
    assert page.locator(".lakeprep-quiz").evaluate(CONTRAST) >= 4.5


@contextmanager
def _opened(browser: Any, jupyter: Jupyter, theme: str) -> Iterator[Any]:
    jupyter.set_theme(theme)
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.set_default_timeout(90_000)
    page.goto(jupyter.address)
    _when_idle(page)
    yield page
    page.close()


def _quiz(jupyter: Jupyter) -> Quiz:
    """The quiz as the notebook makes it, in this process."""
    return Quiz(load_questions(LESSON), progress=Progress(jupyter.places.progress), seed="ada")


def _write_notebook(path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, (SOURCE, BUSY))))
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    process.kill()
    raise AssertionError("JupyterLab did not answer")


def _when_idle(page: Any) -> None:
    page.locator("#jp-main-statusbar").get_by_text("| Idle").wait_for()


def _run(page: Any) -> None:
    # An earlier quiz stays until the new one takes its place.
    page.evaluate("document.querySelector('.lakeprep-quiz')?.classList.add('earlier')")
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Enter")
    page.locator(".lakeprep-quiz:not(.earlier) .lakeprep-question").last.wait_for()
    _when_idle(page)


def _restart_kernel(page: Any) -> None:
    page.get_by_role("button", name="Restart the kernel", exact=True).click()
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.locator(".lakeprep-quiz.jupyter-widgets-disconnected").wait_for()
    _when_idle(page)


def _tab_to(page: Any, label: str) -> None:
    """Press Tab until what has the focus is labelled so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate("e => (e = document.activeElement, (e.labels?.[0] ?? e).textContent)")
        if focused.endswith(label):
            return
    raise AssertionError(f"Tab does not reach {label!r}")


def _card(page: Any, question: str) -> Any:
    return page.locator(".lakeprep-question", has_text=f"{question} ·")


def _told(page: Any, question: str) -> str:
    """The feedback of a question, once it is there, each run of space as one."""
    region = _card(page, question).get_by_role("status")
    region.get_by_text("Read more:").wait_for()
    return " ".join(region.inner_text().split())
