"""A quiz as plain text, for a run without a screen and for whoever reads rather than clicks."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from helpers.quiz.choices import lettered
from helpers.quiz.model import Question

if TYPE_CHECKING:
    from helpers.quiz.feedback import Feedback
    from helpers.quiz.quiz import Quiz

TASKS = {
    "single": "choose one",
    "multiple": "choose every one that is right",
    "output": "predict the output, choose one",
    "blank": "fill the gap",
    "bug": "find the bug, choose one",
}
_WIDTH = 100


def quiz_text(quiz: Quiz) -> str:
    """Every question with its state and, where it was answered, its feedback."""
    if not quiz.questions:
        return "There are no questions here yet."
    return "\n\n".join([score_line(quiz.score), *(_question(quiz, question) for question in quiz.questions)])


def score_line(score: tuple[int, int]) -> str:
    """How far the learner is, in one line."""
    return f"{score[0]} of {score[1]} right"


def state_word(standing: Feedback | None) -> str:
    """How a question stands."""
    if standing is None:
        return "not answered yet"
    return "answered right" if standing.correct else "answered wrong"


def _question(quiz: Quiz, question: Question) -> str:
    standing = quiz.standing(question.id)
    parts = [f"{question.id} · {TASKS[question.kind]} · {state_word(standing)}", _filled(question.stem)]
    if question.code:
        parts.append(textwrap.indent(question.code, "    "))
    if question.options:
        parts.append("\n".join(_options(quiz, question, standing)))
    if standing is None:
        parts.append(f'Answer with quiz.answer("{question.id}", {_example(question)}).')
    else:
        parts.append(textwrap.indent(standing.text, "  "))
    return "\n".join(parts)


def _options(quiz: Quiz, question: Question, standing: Feedback | None) -> list[str]:
    chosen = standing.chosen if standing else ()
    return [
        f"{'→' if option.key in chosen else ' '} {letter}) {option.text}"
        for letter, option in lettered(quiz.options(question.id)).items()
    ]


def _filled(text: str) -> str:
    return "\n".join(
        textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False) for line in text.splitlines()
    )


def _example(question: Question) -> str:
    return {"multiple": '"a", "b"', "blank": '"your text"'}.get(question.kind, '"a"')
