"""papermill from another folder: a solution is right in everything, a lesson passes nothing, a mistake ends the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers import checks
from helpers.progress import Progress
from helpers.quiz import load_questions
from helpers.runtime import REPO_ROOT, Places

NAME = "05_auto_loader"


@pytest.fixture
def progress(places: Places) -> Iterator[Progress]:
    places.progress.unlink(missing_ok=True)
    yield Progress(places.progress)
    places.progress.unlink(missing_ok=True)


def test_a_strict_solution_passes_every_check_and_question(papermill: Callable[..., Any], progress: Progress) -> None:
    done = papermill(f"solutions/{NAME}.ipynb", environ={"LAKEPREP_STRICT": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    exercises = checks.load_exercises(NAME)
    assert {name for name, state in progress.exercises.items() if state.correct} == set(exercises)
    assert {name for name, state in progress.questions.items() if state.correct} == {q.id for q in load_questions(NAME)}


def test_an_untouched_lesson_runs_to_its_end_and_passes_nothing(
    papermill: Callable[..., Any], progress: Progress
) -> None:
    done = papermill(f"lessons/{NAME}.ipynb", environ={})
    assert done.returncode == 0, done.stderr[-3000:]
    assert not progress.exercises
    assert not progress.questions


def test_a_wrong_answer_ends_a_strict_run_with_what_is_wrong(
    papermill: Callable[..., Any], tmp_path: Path, progress: Progress
) -> None:
    notebook = json.loads((REPO_ROOT / "lessons" / f"{NAME}.ipynb").read_text(encoding="utf-8"))
    first_check = next(number for number, cell in enumerate(notebook["cells"])
                       if any("lab.check(" in line for line in cell["source"]))
    notebook["cells"] = notebook["cells"][: first_check + 1]
    source = notebook["cells"][first_check]["source"]
    notebook["cells"][first_check]["source"] = [
        line.replace("= ...", '= spark.read.json(lab.volume("landing/transactions"))') for line in source]
    (tmp_path / "wrong.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    done = papermill(str(tmp_path / "wrong.ipynb"), environ={"LAKEPREP_STRICT": "1"})
    assert done.returncode != 0
    assert "WrongAnswer: 05.1 is incorrect: `receipts` is a batch DataFrame" in done.stderr
