"""The learner's copies of the lessons."""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from helpers.commands.lessons import Copied, copy_lessons
from helpers.commands.study import tell_copied
from helpers.runtime import Places

NAME = "00_start_here.ipynb"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / NAME).write_text("first edition")
    return tmp_path / "lessons"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "work" / "lessons"


def test_a_lesson_is_copied_once(source: Path, target: Path) -> None:
    assert copy_lessons(source, target) == Copied(new=(NAME,))
    assert (target / NAME).read_text() == "first edition"
    before = os.stat(target / NAME)
    assert copy_lessons(source, target) == Copied()
    assert os.stat(target / NAME).st_mtime_ns == before.st_mtime_ns


def test_what_the_learner_wrote_stays(source: Path, target: Path) -> None:
    copy_lessons(source, target)
    (target / NAME).write_text("my answers")
    assert copy_lessons(source, target) == Copied()
    assert (target / NAME).read_text() == "my answers"


def test_a_newer_lesson_replaces_a_copy_that_was_not_changed(source: Path, target: Path) -> None:
    copy_lessons(source, target)
    (source / NAME).write_text("second edition")
    assert copy_lessons(source, target) == Copied(refreshed=(NAME,))
    assert (target / NAME).read_text() == "second edition"


def test_a_newer_lesson_leaves_a_changed_copy_and_says_so_each_time(source: Path, target: Path) -> None:
    copy_lessons(source, target)
    (target / NAME).write_text("my answers")
    (source / NAME).write_text("second edition")
    for _ in range(2):
        assert copy_lessons(source, target) == Copied(outdated=(NAME,))
        assert (target / NAME).read_text() == "my answers"


def test_renaming_the_own_copy_brings_the_newer_lesson(source: Path, target: Path) -> None:
    copy_lessons(source, target)
    (target / NAME).write_text("my answers")
    (source / NAME).write_text("second edition")
    (target / NAME).rename(target / "mine.ipynb")
    assert copy_lessons(source, target) == Copied(new=(NAME,))
    assert (target / NAME).read_text() == "second edition"
    assert (target / "mine.ipynb").read_text() == "my answers"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"lessons": 3}'])
def test_a_damaged_record_costs_no_file(source: Path, target: Path, damage: str) -> None:
    copy_lessons(source, target)
    (target / NAME).write_text("my answers")
    (target / ".copied.json").write_text(damage)
    (source / NAME).write_text("second edition")
    assert copy_lessons(source, target) == Copied(outdated=(NAME,))
    assert (target / NAME).read_text() == "my answers"


def test_a_file_of_the_learners_own_is_not_looked_at(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    (target / "99_mine.ipynb").write_text("mine")
    copy_lessons(source, target)
    assert (target / "99_mine.ipynb").read_text() == "mine"


@pytest.fixture
def job(source: Path) -> Path:
    """The sources of the job that the last lesson works on."""
    folder = source / "retail_job" / "pipeline"
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "__pycache__" / "silver.pyc").touch()
    (source / "retail_job" / ".hidden").touch()
    (folder.parent / "job.json").write_text("{}")
    (folder / "silver.sql").write_text("first edition")
    return source / "retail_job"


def test_the_sources_of_the_job_are_copied_with_their_folders(source: Path, target: Path, job: Path) -> None:
    copied = copy_lessons(source, target)
    assert copied == Copied(new=(NAME, "retail_job/job.json", "retail_job/pipeline/silver.sql"))
    assert (target / "retail_job" / "pipeline" / "silver.sql").read_text() == "first edition"
    assert sorted(path.name for path in (target / "retail_job").rglob("*")) == ["job.json", "pipeline", "silver.sql"]
    assert copy_lessons(source, target) == Copied()


def test_a_source_that_the_learner_changed_is_never_overwritten(source: Path, target: Path, job: Path) -> None:
    copy_lessons(source, target)
    (target / "retail_job" / "pipeline" / "silver.sql").write_text("my answer")
    (job / "pipeline" / "silver.sql").write_text("second edition")
    (job / "job.json").write_text("[]")
    done = copy_lessons(source, target)
    assert done == Copied(refreshed=("retail_job/job.json",), outdated=("retail_job/pipeline/silver.sql",))
    assert (target / "retail_job" / "pipeline" / "silver.sql").read_text() == "my answer"


def test_only_numbered_notebooks_count_as_lessons(source: Path, target: Path, job: Path) -> None:
    (job / "report.ipynb").write_text("a task's notebook")
    (source / "25_capstone_retail_job.ipynb").write_text("first edition")
    copied = copy_lessons(source, target)
    assert len(copied.new) == 5
    assert copied.lessons == (NAME, "25_capstone_retail_job.ipynb")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ((NAME, "retail_job/job.json", "retail_job/report.ipynb"), "Copied 1 lesson to "),
        ((NAME, "05_auto_loader.ipynb", "retail_job/job.json"), "Copied 2 lessons to "),
        (("retail_job/job.json", "retail_job/report.ipynb"), "Copied 2 files to "),
        (("retail_job/job.json",), "Copied 1 file to "),
    ],
)
def test_study_says_how_many_lessons_it_copied(tmp_path: Path, new: tuple[str, ...], said: str) -> None:
    console = Console(file=StringIO(), width=200)
    tell_copied(Copied(new=new), Places(tmp_path), console)
    assert console.file.getvalue().startswith(said)
