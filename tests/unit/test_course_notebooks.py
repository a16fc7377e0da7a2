"""Every lesson is whole: each exercise is posed and checked, each question answered, each number known."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from helpers import catalogue, checks
from helpers.quiz import load_questions
from helpers.quiz.model import KINDS

ROOT = Path(__file__).resolve().parents[2]
NAMES = [path.stem for path in sorted((ROOT / "helpers" / "exercises").glob("[0-9]*.py"))]


def code(folder: str, name: str) -> list[dict[str, Any]]:
    cells = json.loads((ROOT / folder / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.parametrize("name", NAMES)
def test_each_exercise_is_posed_with_a_scaffold_and_checked_once(name: str) -> None:
    exercises = checks.load_exercises(name)
    assert 5 <= len(exercises) <= 10
    posed = [cell["source"] for cell in code("lessons", name) if "lab.check(" in cell["source"]]
    assert [re.findall(r'lab\.check\("([^"]+)"', source) for source in posed] == [[each] for each in exercises]
    for source in posed:
        assert "# TODO: " in source or "-- TODO: " in source
        assert "= ..." in source


@pytest.mark.parametrize("name", NAMES)
def test_the_solution_answers_every_question(name: str) -> None:
    questions = load_questions(name)
    assert len(questions) >= 8
    tagged = [cell for cell in code("solutions", name) if "solution" in cell["metadata"].get("tags", [])]
    answers = "".join(cell["source"] for cell in tagged)
    assert [each.id for each in questions if f'"{each.id}"' not in answers] == []
    assert any("lab.quiz(" in cell["source"] for cell in code("lessons", name))


@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_asks_every_kind_of_question_and_ends_as_all_do(name: str) -> None:
    assert {question.kind for question in load_questions(name)} == set(KINDS)
    sources = [cell["source"] for cell in code("lessons", name)]
    assert any(source.startswith("if lab.databricks") for source in sources)
    assert "lab.differences()" in sources
    assert sources[-1] == "lab.progress()"


@pytest.mark.parametrize("name", NAMES)
def test_objectives_and_differences_exist_and_ids_begin_with_the_lessons_number(name: str) -> None:
    known = {each.id for section in catalogue.load_exam().sections for each in section.objectives}
    module = checks.lesson_module(name)
    differences = json.loads((ROOT / "helpers" / "differences.json").read_text(encoding="utf-8"))["differences"]
    assert set(module.DIFFERENCES) <= {each["id"] for each in differences}
    assert set(module.OBJECTIVES) <= known
    for exercise in module.EXERCISES:
        assert set(exercise.objectives) <= known
        assert exercise.hints
    assert all(each.split(".")[0] == name[:2] for each in checks.load_exercises(name))


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_a_lesson_opens_its_own_lab(name: str) -> None:
    cells = code("lessons", name)
    assert f'lab = open_lab("{name}")' in cells[0]["source"]
    long = [cell["source"] for cell in cells
            if len([line for line in cell["source"].splitlines() if line and not line.startswith("#")]) > 16]
    assert long == []
