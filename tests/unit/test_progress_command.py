"""What `python3 -m helpers progress` shows."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from helpers import cli
from helpers.catalogue import LessonInfo
from helpers.commands import progress as progress_command
from helpers.commands.progress import show_progress
from helpers.progress import Progress
from helpers.runtime.places import Places

LESSON = LessonInfo(
    "05_auto_loader",
    "05",
    "Auto Loader",
    ("2.3",),
    (SimpleNamespace(id="05.1", objectives=("2.3",)), SimpleNamespace(id="05.2", objectives=("2.3",))),  # type: ignore[arg-type]
    (SimpleNamespace(id="05.q1", objective="2.3"),),  # type: ignore[arg-type]
)


def shown(places: Places, *known: LessonInfo, html: Path | None = None) -> str:
    out = io.StringIO()
    now = datetime(2026, 11, 23, tzinfo=UTC)
    show_progress(places, html=html, console=Console(file=out, width=130), known=known, now=now)
    return out.getvalue()


def test_each_objective_has_its_counts_and_the_first_open_lesson_is_next(tmp_path: Path) -> None:
    progress = Progress(Places(tmp_path).progress)
    progress.record_exercise("05.1", correct=True)
    said = shown(Places(tmp_path), LESSON)
    assert re.search(r"^2\.3 Auto Loader .*33 %\s+1 / 2\s+0 / 1$", said, re.MULTILINE)
    assert re.search(r"^2\.4 set up Lakeflow .*no lesson yet\s+–\s+–$", said, re.MULTILINE)
    assert "2 Data Ingestion and Loading, 21 %" in said
    assert "Next: lesson 05, Auto Loader (05_auto_loader.ipynb): 1 exercise and 1 question to do." in said
    assert "looked up on 2026-11-23" in said


def test_it_works_without_a_progress_file_and_without_lessons(tmp_path: Path) -> None:
    said = shown(Places(tmp_path / "none"))
    assert len(re.findall(r"^\d\.\d ", said, re.MULTILINE)) == 33
    assert "Next: nothing is open" in said
    assert not (tmp_path / "none").exists()


def test_it_says_what_was_set_aside(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.progress.write_bytes(b"\xff\n")
    assert f"the file as it was is {tmp_path / 'progress.damaged-1.jsonl'}" in shown(places, LESSON)


def test_the_picture_is_one_page_that_opens_offline(tmp_path: Path) -> None:
    page = tmp_path / "pictures" / "progress.html"
    assert f"The picture is in {page}" in shown(Places(tmp_path), LESSON, html=page)
    html = page.read_text(encoding="utf-8")
    assert "default-src &#x27;none&#x27;" in html or "default-src 'none'" in html
    assert not re.search(r"""<(?:script|link|img)[^>]+(?:src|href)=""", html)
    assert "Next: lesson 05_auto_loader." in html
    assert "US dollars" not in html


def test_the_command_takes_a_file_for_the_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Path | None] = []
    monkeypatch.setattr(progress_command, "show_progress", lambda places, *, html, console: seen.append(html))
    assert (cli.main(["progress"]), cli.main(["progress", "--html", str(tmp_path / "p.html")])) == (0, 0)
    assert seen == [None, tmp_path / "p.html"]
