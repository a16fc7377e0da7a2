"""The exam's facts as they are published, and the lessons' part of them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.catalogue import LessonInfo, lessons, load_exam, standing, what_next
from helpers.errors import LakeprepError
from helpers.exam import EXAM_FILE
from helpers.progress import Progress

EXAM = load_exam()


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / "progress.jsonl")


def exercise(id: str, *objectives: str) -> Any:
    return SimpleNamespace(id=id, objectives=objectives)


def question(id: str, objective: str) -> Any:
    return SimpleNamespace(id=id, objective=objective)


def lesson(name: str, exercises: tuple[Any, ...] = (), questions: tuple[Any, ...] = ()) -> LessonInfo:
    return LessonInfo(name, name[:2], name[3:], (), exercises, questions)


FIVE = lesson(
    "05_auto_loader",
    (exercise("05.1", "2.3"), exercise("05.2", "2.3", "2.7")),
    (question("05.q1", "2.3"), question("05.q2", "3.1")),
)
SIX = lesson("06_schema_evolution", (exercise("06.1", "2.3"),))


def test_the_exam_has_33_objectives_in_7_sections_that_weigh_100_percent() -> None:
    ids = [objective.id for section in EXAM.sections for objective in section.objectives]
    assert [len(section.objectives) for section in EXAM.sections] == [2, 7, 7, 4, 4, 5, 4]
    assert ids == [f"{n}.{m}" for n, size in enumerate([2, 7, 7, 4, 4, 5, 4], start=1) for m in range(1, size + 1)]
    assert [section.number for section in EXAM.sections] == list(range(1, 8))
    assert [section.weight_percent for section in EXAM.sections] == [6, 21, 22, 16, 10, 10, 15]


def test_a_mock_exam_has_as_many_questions_as_the_real_one() -> None:
    assert [section.mock_questions for section in EXAM.sections] == [3, 9, 10, 7, 5, 4, 7]
    assert EXAM.facts.scored_questions == sum(section.mock_questions for section in EXAM.sections) == 45


def test_the_facts_are_dated_and_say_where_to_look_and_no_pass_mark_is_made_up() -> None:
    facts = EXAM.facts
    assert (facts.guide_in_force_since, facts.looked_up) == ("2026-05-04", "2026-11-23")
    assert facts.current_guide == "https://www.databricks.com/learn/certification/data-engineer-associate"
    assert (facts.minutes, facts.fee_usd, facts.retake_after_days, facts.valid_years) == (90, 200, 14, 2)
    assert facts.pass_mark is None
    assert "%" not in facts.pass_mark_note
    assert sum(weight for _, weight in EXAM.older.sections) == 100


def test_a_file_of_another_version_is_named(tmp_path: Path) -> None:
    newer = tmp_path / "exam.json"
    newer.write_text(json.dumps({**json.loads(EXAM_FILE.read_text(encoding="utf-8")), "version": 2}))
    with pytest.raises(LakeprepError, match=r"exam\.json has version 2, this Lakeprep reads 1"):
        load_exam(newer)


def test_a_standing_counts_exercises_and_questions_of_every_lesson(progress: Progress) -> None:
    progress.record_exercise("05.1", correct=True)
    progress.record_exercise("05.2", correct=False)
    progress.record_question("05.q1", chosen=["a"], correct=True)
    found = {one.id: one for one in standing(progress, (FIVE, SIX), EXAM)}
    assert len(found) == 33
    auto_loader = found["2.3"]
    assert (auto_loader.exercises_done, auto_loader.exercises) == (1, 3)
    assert (auto_loader.questions_right, auto_loader.questions) == (1, 1)
    assert (auto_loader.share, auto_loader.next) == (0.5, "05_auto_loader")
    assert auto_loader.section is EXAM.sections[1]


def test_next_is_the_first_lesson_with_something_open(progress: Progress) -> None:
    for name in ("05.1", "05.2"):
        progress.record_exercise(name, correct=True)
    progress.record_question("05.q1", chosen=["a"], correct=True)
    found = {one.id: one for one in standing(progress, (FIVE, SIX), EXAM)}
    assert (found["2.3"].next, found["2.7"].next, found["2.7"].share) == ("06_schema_evolution", None, 1.0)
    step = what_next(progress, (FIVE, SIX))
    assert step is not None
    assert (step.lesson, step.exercises, step.questions) == (FIVE, (), ("05.q2",))
    progress.record_question("05.q2", chosen=["a"], correct=True)
    progress.record_exercise("06.1", correct=True)
    assert what_next(progress, (FIVE, SIX)) is None


def test_a_question_that_is_wrong_now_is_open_again(progress: Progress) -> None:
    for correct in (True, False):
        progress.record_question("05.q2", chosen=["a"], correct=correct)
    (found,) = (one for one in standing(progress, (FIVE,), EXAM) if one.id == "3.1")
    assert (found.share, found.next) == (0.0, "05_auto_loader")


def test_an_objective_without_exercise_and_question_has_no_lesson_yet(progress: Progress) -> None:
    found = standing(progress, (), EXAM)
    assert {(one.share, one.next, one.exercises, one.questions) for one in found} == {(0.0, None, 0, 0)}
    assert what_next(progress, ()) is None


def test_only_lessons_with_checks_and_a_solution_count(tmp_path: Path) -> None:
    (tmp_path / "helpers" / "exercises").mkdir(parents=True)
    (tmp_path / "solutions").mkdir()
    for name in ("06_schema_evolution", "05_auto_loader", "07_unwritten", "tools", "__init__"):
        (tmp_path / "helpers" / "exercises" / f"{name}.py").touch()
    for name in ("05_auto_loader", "06_schema_evolution", "00_start_here"):
        (tmp_path / "solutions" / f"{name}.ipynb").touch()
    checks = SimpleNamespace(TITLE="A title", OBJECTIVES=["2.3"], EXERCISES=(exercise("05.1", "2.3"),))
    found = lessons(root=tmp_path, module=lambda name: checks, questions=lambda name: [question(name, "2.3")])
    assert [each.name for each in found] == ["05_auto_loader", "06_schema_evolution"]
    assert found[0] == LessonInfo(
        "05_auto_loader", "05", "A title", ("2.3",), checks.EXERCISES, (question("05_auto_loader", "2.3"),)
    )


def test_without_any_exercise_there_is_no_lesson(tmp_path: Path) -> None:
    assert lessons(root=tmp_path) == ()


def test_every_lesson_of_the_repository_names_objectives_of_the_exam_and_numbers_of_its_own() -> None:
    known = {objective.id for section in EXAM.sections for objective in section.objectives}
    for each in lessons():
        used = {*each.objectives, *(one for item in each.exercises for one in item.objectives)}
        used |= {item.objective for item in each.questions}
        assert used <= known, each.name
        ids = [item.id for item in (*each.exercises, *each.questions)]
        assert len(set(ids)) == len(ids), each.name
        assert {name.partition(".")[0] for name in ids} <= {each.number}, each.name
