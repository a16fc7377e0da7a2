"""What a check is: a plain function of the lab and the answer that gives a verdict, with everything that is wrong."""

from __future__ import annotations

import html
import importlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from helpers.errors import LakeprepError

Status = Literal["correct", "incorrect", "not attempted", "broken"]
EXERCISES = Path(__file__).with_name("exercises")
_MARKS = {"correct": "✓", "incorrect": "✗", "not attempted": "·", "broken": "!"}


class WrongAnswer(LakeprepError):
    """In strict mode: an exercise whose answer is not right."""


class UnknownExercise(LakeprepError):
    """No exercise of the lesson has this id."""


@dataclass(frozen=True)
class Verdict:
    """What a check says; ``problems`` are all that it found, ``message`` is what to read otherwise.

    ``broken`` means that the check itself failed, which says nothing about the answer.
    """

    status: Status
    message: str
    problems: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        return self.problems or (self.message,)

    def __str__(self) -> str:
        return "\n".join(f"{_MARKS[self.status]} {line}" for line in self.lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = "".join(f"<div>{_MARKS[self.status]} {as_html(line)}</div>" for line in self.lines)
        return f'<div role="status" data-verdict="{self.status}">{lines}</div>'


@dataclass(frozen=True)
class Exercise:
    """One exercise; ``check(lab, answer)`` gives a verdict, ``hints`` go from vague to near."""

    id: str
    title: str
    objectives: tuple[str, ...]
    check: Callable[[Any, Any], Verdict]
    hints: tuple[str, ...]


def verdict(problems: Sequence[str] | Iterator[str], *, right: str) -> Verdict:
    """Correct with the words ``right`` when there is no problem, otherwise incorrect with all of them."""
    found = tuple(problems)
    return Verdict("incorrect", "", found) if found else Verdict("correct", right)


def judge(exercise: Exercise, lab: Any, answer: Any) -> Verdict:
    """Run a check so that nothing is ever raised at the learner."""
    if answer is ... or (isinstance(answer, (tuple, list)) and any(each is ... for each in answer)):
        return Verdict("not attempted", f"{exercise.id} is not attempted yet: replace the `...` and run the cell "
                                        "again.")
    if getattr(type(answer), "not_run_here", False) is True:
        return Verdict("not attempted", f"{exercise.id} cannot be judged here. {answer}")
    try:
        return exercise.check(lab, answer)
    except LakeprepError as error:
        return Verdict("incorrect", "", (str(error),))
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        return Verdict("broken", f"The check of {exercise.id} could not look at your answer: {first}. "
                                 "If your cell ran without an error, this is our mistake, not yours.")


def load_exercises(lesson: str) -> dict[str, Exercise]:
    """The exercises of a lesson by id; a lesson without any gives none."""
    if not (EXERCISES / f"{lesson}.py").is_file():
        return {}
    return {exercise.id: exercise for exercise in lesson_module(lesson).EXERCISES}


def lesson_module(lesson: str) -> Any:
    """The module of a lesson's checks, which also names its title, objectives and differences."""
    return importlib.import_module(f"helpers.exercises.{lesson}")


def as_html(text: str) -> str:
    """Text of ours as HTML: everything escaped, `code` and **bold** as such."""
    escaped = html.escape(text)
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", escaped).replace("\n", "<br>")
