"""A quiz: questions, the learner's answers so far, and the ways to answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from helpers.checks import WrongAnswer
from helpers.quiz.choices import displayed, resolve
from helpers.quiz.errors import UnknownQuestion
from helpers.quiz.feedback import Feedback, judge
from helpers.quiz.model import Option, Question
from helpers.quiz.text import quiz_text


class AnswerState(Protocol):
    """How one question stands: `helpers.progress.QuestionState`."""

    @property
    def attempts(self) -> int: ...

    @property
    def chosen(self) -> tuple[str, ...]: ...


class Answers(Protocol):
    """Where answers are kept: `helpers.progress.Progress`."""

    def question(self, id: str, /) -> AnswerState: ...

    def record_question(self, question: str, *, chosen: Sequence[str], correct: bool) -> None: ...


class Quiz:
    """Questions that a learner answers in a widget or by ``quiz.answer("05.q3", "b")``; earlier answers are kept.

    ``seed`` decides the order of the options. With ``strict`` a wrong answer in a call is a WrongAnswer.
    """

    def __init__(self, questions: Iterable[Question], *, progress: Answers, seed: str, strict: bool = False) -> None:
        self._questions = {question.id: question for question in questions}
        self._options = {name: displayed(question, seed=seed) for name, question in self._questions.items()}
        self._progress = progress
        self._strict = strict
        self._view: Any = None

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(self._questions.values())

    @property
    def score(self) -> tuple[int, int]:
        """How many questions are answered right, and how many there are."""
        standings = map(self.standing, self._questions)
        return sum(bool(each and each.correct) for each in standings), len(self._questions)

    def options(self, question_id: str) -> tuple[Option, ...]:
        """The options of a question as they are displayed."""
        return self._options[self._question(question_id).id]

    def standing(self, question_id: str) -> Feedback | None:
        """The feedback on the last answer; None when there is none, or when its option has left the bank."""
        question = self._question(question_id)
        state = self._progress.question(question_id)
        known = {option.key for option in question.options}
        if not state.attempts or not state.chosen or not (question.blank or known.issuperset(state.chosen)):
            return None
        return judge(question, self.options(question_id), tuple(state.chosen), attempts=state.attempts)

    def answer(self, question_id: str, *choice: str) -> Feedback:
        """Answer by letter or key, or for a gap by its text; several right options are several arguments.

        Raises UnknownQuestion or UnknownChoice, which say what there is, and WrongAnswer in a strict quiz.
        """
        feedback = self.submit(question_id, *choice)
        if self._view is not None:
            self._view.refresh(question_id)
        if self._strict and not feedback.correct:
            raise WrongAnswer(feedback.text)
        return feedback

    def submit(self, question_id: str, *choice: str) -> Feedback:
        """Record an answer and say what it is worth; never strict, as the widget needs it."""
        question = self._question(question_id)
        chosen = resolve(question, self.options(question_id), choice)
        self._progress.record_question(question_id, chosen=chosen, correct=question.accepts(chosen))
        attempts = self._progress.question(question_id).attempts
        return judge(question, self.options(question_id), chosen, attempts=attempts)

    def text(self) -> str:
        """The whole quiz in plain words, with what is answered."""
        return quiz_text(self)

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the widget, and the text wherever no widget can be shown."""
        if not self._questions:
            return {"text/plain": self.text()}
        try:
            shown = self._shown()._repr_mimebundle_() or {}
        except ImportError:
            return {"text/plain": self.text()}
        except Exception as error:  # widgets differ from place to place, and the questions must show in each
            return {"text/plain": f"{self.text()}\n\n(Shown as text: the widget failed with {error!r}.)"}
        return {**shown, "text/plain": self.text()}

    def _shown(self) -> Any:
        from helpers.quiz.widget import QuizView

        if self._view is None:
            self._view = QuizView(self)
        return self._view.box

    def _question(self, question_id: str) -> Question:
        if question_id not in self._questions:
            raise UnknownQuestion(f"There is no question {question_id!r} here. There are {', '.join(self._questions)}.")
        return self._questions[question_id]
