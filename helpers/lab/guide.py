"""What teaches beside the code: the verdict, the hints, the solution, and what differs on Databricks."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers import checks
from helpers.checks import Exercise, UnknownExercise, Verdict, WrongAnswer, as_html
from helpers.progress import Progress
from helpers.runtime import REPO_ROOT

DIFFERENCES = Path(__file__).parents[1] / "differences.json"


@dataclass(frozen=True)
class Note:
    """A text that a notebook shows; ``code`` keeps its spaces."""

    text: str
    code: bool = False

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self.text)}</pre>" if self.code else f"<div>{as_html(self.text)}</div>"


def strict() -> bool:
    """Whether a wrong answer is to end the notebook: ``LAKEPREP_STRICT=1``."""
    return os.environ.get("LAKEPREP_STRICT", "").strip() not in ("", "0")


class Guide:
    """The checks, hints and solutions of one lesson, and what the learner has done of them."""

    def __init__(self, lesson: str, progress: Progress) -> None:
        self.lesson, self.progress = lesson, progress
        self.exercises = checks.load_exercises(lesson)

    def exercise(self, name: str) -> Exercise:
        if name not in self.exercises:
            raise UnknownExercise(f"Lesson {self.lesson} has no exercise {name!r}. It has {_listed(self.exercises)}.")
        return self.exercises[name]

    def check(self, lab: Any, name: str, answer: Any) -> Verdict:
        """Judge and remember; in strict mode anything but correct is an error."""
        exercise = self.exercise(name)
        verdict = checks.judge(exercise, lab, answer)
        if verdict.status in ("correct", "incorrect"):
            self.progress.record_exercise(name, correct=verdict.status == "correct")
        if strict() and verdict.status != "correct":
            raise WrongAnswer(f"{name} is {verdict.status}: " + " ".join(verdict.lines))
        return verdict

    def hint(self, name: str) -> Note:
        """The next hint; after the last one, the last again."""
        exercise = self.exercise(name)
        number = min(self.progress.exercise(name).hints + 1, len(exercise.hints))
        self.progress.record_hint(name, number)
        left = len(exercise.hints) - number
        more = f" ({left} more)" if left else " (the last one)"
        return Note(f"**Hint {number}**{more}: {exercise.hints[number - 1]}")

    def solution(self, name: str) -> Note:
        """One way to solve it, once it was tried."""
        from helpers.publish import solution_of

        self.exercise(name)
        if not self.progress.exercise(name).attempts:
            return Note(f"Try {name} first: the solution shows once an answer of yours was checked. "
                        f'A hint is there at any time: `lab.hint("{name}")`.')
        found = solution_of(REPO_ROOT / "solutions" / f"{self.lesson}.ipynb", name)
        if found is None:
            return Note(f"The solution of {name} is in solutions/{self.lesson}.ipynb, which is not here.")
        return Note(found, code=True)

    def standing(self, questions: Sequence[Any]) -> Note:
        """What of this lesson is done, and what is next."""
        done = [name for name in self.exercises if self.progress.exercise(name).correct]
        right = [each.id for each in questions if self.progress.question(each.id).correct]
        lines = [f"Exercises: {len(done)} of {len(self.exercises)} right. Questions: {len(right)} of {len(questions)} "
                 "right."]
        open_ones = [*(each for each in self.exercises if each not in done),
                     *(each.id for each in questions if each.id not in right)]
        lines.append(f"Next: {open_ones[0]}." if open_ones else "Everything in this lesson is done.")
        return Note("\n".join([*lines, *self.progress.notes]))

    def differences(self) -> Note:
        """What this lesson's features do differently on Databricks."""
        wanted = getattr(checks.lesson_module(self.lesson), "DIFFERENCES", ()) if self.exercises else ()
        known = {each["id"]: each for each in json.loads(DIFFERENCES.read_text(encoding="utf-8"))["differences"]}
        lines = [f"**{known[name]['feature']}**\nDatabricks: {known[name]['databricks']}\nHere: {known[name]['here']}"
                 for name in wanted]
        return Note("\n\n".join(lines) or "Nothing in this lesson differs.")


def _listed(names: Sequence[str] | dict[str, Any]) -> str:
    return ", ".join(names) or "none"
