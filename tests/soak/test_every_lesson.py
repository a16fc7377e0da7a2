"""What the suite shows with lesson 05, for every lesson: papermill from another folder, and Databricks simulated.

The simulation has no workspace and only our Auto Loader, so the cells that begin `if lab.databricks` are left out.
By hand: `.venv/bin/python -m pytest tests/soak/test_every_lesson.py -s`; one notebook takes about a minute.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers import checks
from helpers.progress import Progress
from helpers.quiz import load_questions
from helpers.runtime import REPO_ROOT, Places
from tests.notebooks.conftest import papermill
from tests.notebooks.databricks import ambient, volumes

__all__ = ["ambient", "papermill", "volumes"]

LESSONS = [path.stem for path in sorted((REPO_ROOT / "solutions").glob("*.ipynb")) if checks.load_exercises(path.stem)]
#: On Databricks their jobs run in the workspace, so what stands on a run is not attempted in the notebook.
JOBS = ("15_job_orchestration", "16_control_flow", "25_capstone_retail_job")


@pytest.fixture
def progress(places: Places) -> Progress:
    places.progress.unlink(missing_ok=True)
    return Progress(places.progress)


@pytest.mark.parametrize("name", LESSONS)
def test_a_strict_solution_passes_every_check_and_question(
    name: str, papermill: Callable[..., Any], progress: Progress
) -> None:
    started = time.monotonic()
    done = papermill(f"solutions/{name}.ipynb", environ={"LAKEPREP_STRICT": "1"})
    print(f"solutions/{name}: {time.monotonic() - started:.1f} s")
    assert done.returncode == 0, done.stderr[-3000:]
    assert right(progress.exercises) == set(checks.load_exercises(name))
    assert right(progress.questions) == {question.id for question in load_questions(name)}


@pytest.mark.parametrize("name", LESSONS)
def test_an_untouched_lesson_runs_to_its_end_and_passes_nothing(
    name: str, papermill: Callable[..., Any], progress: Progress
) -> None:
    done = papermill(f"lessons/{name}.ipynb", environ={})
    assert done.returncode == 0, done.stderr[-3000:]
    assert not progress.exercises
    assert not progress.questions


@pytest.mark.parametrize("name", LESSONS)
def test_a_solution_runs_on_databricks(
    name: str, volumes: Path, ambient: dict[str, str], papermill: Callable[..., Any], tmp_path: Path
) -> None:
    strict = "0" if name in JOBS else "1"
    done = papermill(here(f"solutions/{name}", tmp_path), environ={**ambient, "LAKEPREP_STRICT": strict})
    assert done.returncode == 0, done.stderr[-3000:]
    (file,) = (tmp_path / "volumes" / "spark_catalog").glob("lakeprep_*/state/progress.jsonl")
    kept = Progress(file)
    assert right(kept.exercises) == set(kept.exercises)
    assert kept.exercises or name in JOBS
    assert right(kept.questions) == {question.id for question in load_questions(name)}


@pytest.mark.parametrize("name", LESSONS)
def test_an_untouched_lesson_runs_on_databricks(
    name: str, volumes: Path, ambient: dict[str, str], papermill: Callable[..., Any], tmp_path: Path
) -> None:
    done = papermill(here(f"lessons/{name}", tmp_path), environ=ambient)
    assert done.returncode == 0, done.stderr[-3000:]


def here(notebook: str, folder: Path) -> str:
    """The notebook without the cells that need the platform itself."""
    content = json.loads((REPO_ROOT / f"{notebook}.ipynb").read_text(encoding="utf-8"))
    sources = [(cell, "".join(cell["source"])) for cell in content["cells"]]
    content["cells"] = [cell for cell, source in sources if not source.startswith("if lab.databricks")]
    copy = folder / f"{Path(notebook).name}.ipynb"
    copy.write_text(json.dumps(content), encoding="utf-8")
    return str(copy)


def right(states: Any) -> set[str]:
    return {name for name, state in states.items() if state.correct}
