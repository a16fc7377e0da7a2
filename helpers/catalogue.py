"""What the exam asks for, what the lessons offer, and how much of it the learner has done."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import checks
from helpers.exam import Exam, Facts, Objective, Section, load_exam
from helpers.runtime.places import REPO_ROOT

if TYPE_CHECKING:
    from helpers.checks import Exercise
    from helpers.progress import Progress
    from helpers.quiz import Question

__all__ = [
    "Exam",
    "Facts",
    "LessonInfo",
    "NextStep",
    "Objective",
    "ObjectiveStanding",
    "Section",
    "lessons",
    "load_exam",
    "standing",
    "what_next",
]

_LESSON = re.compile(r"\d\d_\w+")


@dataclass(frozen=True)
class LessonInfo:
    """One lesson that has checks: "05_auto_loader", with its exercises and questions in order."""

    name: str
    number: str
    title: str
    objectives: tuple[str, ...]
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class ObjectiveStanding:
    """How far one objective is; `share` runs from 0 to 1, `next` is the first lesson with something open for it."""

    id: str
    text: str
    section: Section
    exercises_done: int
    exercises: int
    questions_right: int
    questions: int
    share: float
    next: str | None

    @property
    def done(self) -> int:
        return self.exercises_done + self.questions_right

    @property
    def all(self) -> int:
        """Exercises and questions together; 0 when no lesson treats this objective yet."""
        return self.exercises + self.questions


@dataclass(frozen=True)
class NextStep:
    """The first lesson with something open, and the ids of what is open in it."""

    lesson: LessonInfo
    exercises: tuple[str, ...]
    questions: tuple[str, ...]


def lessons(
    *,
    root: Path = REPO_ROOT,
    module: Callable[[str], Any] = checks.lesson_module,
    questions: Callable[[str], Sequence[Question]] | None = None,
) -> tuple[LessonInfo, ...]:
    """Read every lesson that has checks and a solution notebook, in order; `module` and `questions` give its parts."""
    bank = questions or _bank
    names = sorted(path.stem for path in (root / "helpers" / "exercises").glob("[0-9][0-9]_*.py"))
    return tuple(
        _lesson(name, module(name), tuple(bank(name)))
        for name in names
        if _LESSON.fullmatch(name) and (root / "solutions" / f"{name}.ipynb").is_file()
    )


def standing(progress: Progress, lessons: Sequence[LessonInfo], exam: Exam) -> tuple[ObjectiveStanding, ...]:
    """Tell for each objective of the exam, in its order, how much is done."""
    return tuple(
        _objective_standing(objective, section, progress, lessons)
        for section in exam.sections
        for objective in section.objectives
    )


def what_next(progress: Progress, lessons: Sequence[LessonInfo]) -> NextStep | None:
    """The first lesson with an exercise or a question that is not right; None when nothing is open."""
    for lesson in lessons:
        exercises = tuple(each.id for each in lesson.exercises if not progress.exercise(each.id).correct)
        questions = tuple(each.id for each in lesson.questions if not progress.question(each.id).correct)
        if exercises or questions:
            return NextStep(lesson, exercises, questions)
    return None


def _bank(name: str) -> Sequence[Question]:
    from helpers.quiz import load_questions

    return load_questions(name)


def _lesson(name: str, module: Any, questions: tuple[Question, ...]) -> LessonInfo:
    return LessonInfo(name, name[:2], module.TITLE, tuple(module.OBJECTIVES), tuple(module.EXERCISES), questions)


def _objective_standing(
    objective: Objective, section: Section, progress: Progress, lessons: Sequence[LessonInfo]
) -> ObjectiveStanding:
    done: list[bool] = []
    right: list[bool] = []
    following = None
    for lesson in lessons:
        own = [progress.exercise(each.id).correct for each in lesson.exercises if objective.id in each.objectives]
        asked = [progress.question(each.id).correct for each in lesson.questions if each.objective == objective.id]
        if following is None and not all(own + asked):
            following = lesson.name
        done, right = done + own, right + asked
    total = len(done) + len(right)
    share = (sum(done) + sum(right)) / total if total else 0.0
    return ObjectiveStanding(
        objective.id,
        objective.text,
        section,
        exercises_done=sum(done),
        exercises=len(done),
        questions_right=sum(right),
        questions=len(right),
        share=share,
        next=following,
    )
