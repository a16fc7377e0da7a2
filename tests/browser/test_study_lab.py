"""`study` as a learner meets it: JupyterLab in a browser, on the first lesson, with a home outside the repository."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from helpers.progress import Progress
from helpers.runtime import Places
from tests.browser.learner import RIGHT, Learner, Study, press_run, studying

LESSON = "00_start_here.ipynb"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Study]:
    with studying(Places(tmp_path_factory.mktemp("study"))) as running:
        yield running


def test_the_first_lesson_is_open_and_its_first_cell_runs(study: Study, browser: Any) -> None:
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(study.url)
    page.get_by_role("heading", name="Start here").wait_for(timeout=60_000)
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    press_run(page, cell, "Shift+Enter")
    cell.locator(".jp-InputPrompt", has_text="[1]:").wait_for(timeout=120_000)
    assert (
        cell.locator("[data-mime-type='application/vnd.jupyter.stderr'], .jp-OutputArea-error").all_inner_texts() == []
    )
    page.close()


def test_a_learner_does_a_lesson_in_parts_and_finds_it_as_it_was_left(study: Study, browser: Any) -> None:
    learner = Learner(browser, study.url)
    assert learner.page.get_by_text("get notified about official Jupyter news").count() == 0
    learner.begin()
    assert learner.solve('lab.check("05.1", 7)').startswith("✗")
    assert learner.solve(RIGHT).startswith("✓")
    card = learner.open_quiz()
    told = learner.choose(card, 0)
    chosen = card.get_by_role("radio", checked=True).evaluate("radio => radio.parentElement.textContent")
    assert told.split()[0] in ("✓", "✗")
    learner.close()

    later = Learner(browser, study.url)
    later.return_to_it()
    said = later.progress()
    assert "1 of 8" in said
    again = later.open_quiz()
    assert again.get_by_role("radio", checked=True).evaluate("radio => radio.parentElement.textContent") == chosen
    assert again.get_by_role("status").inner_text() == told
    kept = Progress(study.places.progress)
    assert (kept.exercise("05.1").attempts, kept.exercise("05.1").correct) == (2, True)
    later.close()


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
