"""What a learner is told after an answer: pure, from the question, what was chosen and how often it was tried."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from helpers.quiz import markup
from helpers.quiz.choices import lettered
from helpers.quiz.model import Blank, Option, Question

RIGHT, WRONG = "✓", "✗"
_TRIES = 2


@dataclass(frozen=True)
class Remark:
    """One option or text: whether it is right, how it reads, and why; ``typed`` is text that the learner wrote."""

    right: bool
    label: str
    why: str
    letter: str = ""
    typed: bool = False

    @property
    def mark(self) -> str:
        return RIGHT if self.right else WRONG


@dataclass(frozen=True)
class Feedback:
    """The answer to an answer; ``chosen`` are keys, or for a blank the text."""

    question_id: str
    correct: bool
    chosen: tuple[str, ...]
    summary: str
    own: tuple[Remark, ...]
    others: tuple[Remark, ...]
    docs: str

    @property
    def mark(self) -> str:
        return RIGHT if self.correct else WRONG

    @property
    def text(self) -> str:
        """All of it in plain words, ✓ or ✗ first."""
        lines = [f"{self.mark} {self.summary}", "Your answer:", *_lines(self.own)]
        if self.others:
            lines += ["The others:", *_lines(self.others)]
        return "\n".join([*lines, f"Read more: {self.docs}"])

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return markup.feedback(self)


def judge(question: Question, options: tuple[Option, ...], chosen: tuple[str, ...], *, attempts: int) -> Feedback:
    """Say what is right and why; of several right options and of gaps, a first wrong try leaves the rest open."""
    correct = question.accepts(chosen)
    settled = correct or attempts >= _TRIES
    if question.blank:
        own, others = _of_blank(question.blank, chosen[0])
    else:
        own, others = _of_options(options, chosen)
    told = settled or question.kind not in ("multiple", "blank")
    return Feedback(
        question_id=question.id,
        correct=correct,
        chosen=chosen,
        summary=_summary(question, chosen, correct=correct),
        own=own,
        others=others if told else (),
        docs=question.docs,
    )


def _of_options(options: tuple[Option, ...], chosen: tuple[str, ...]) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    remarks = {
        option.key: Remark(option.correct, option.text, option.feedback, letter)
        for letter, option in lettered(options).items()
    }
    return (
        tuple(remark for key, remark in remarks.items() if key in chosen),
        tuple(remark for key, remark in remarks.items() if key not in chosen),
    )


def _of_blank(blank: Blank, text: str) -> tuple[tuple[Remark, ...], tuple[Remark, ...]]:
    right, mistake = blank.accepts(text), blank.mistake(text)
    why = blank.feedback if right else mistake.feedback if mistake else blank.otherwise
    accepted = () if right else (Remark(True, f"`{blank.answers[0]}`", blank.feedback),)
    mistakes = tuple(Remark(False, f"`{each.text}`", each.feedback) for each in blank.wrong if each != mistake)
    return (Remark(right, text, why, typed=True),), accepted + mistakes


def _summary(question: Question, chosen: tuple[str, ...], *, correct: bool) -> str:
    if correct:
        return f"{question.id} is right."
    if question.kind != "multiple":
        return f"{question.id} is not right."
    found = len(question.right.intersection(chosen))
    missing = len(question.right) - found
    return (
        f"{question.id} is not right: {found or 'none'} of your {len(chosen)} {_verb(found)} right, "
        f"{missing or 'none'} {_verb(missing)} missing."
    )


def _verb(number: int) -> str:
    return "are" if number > 1 else "is"


def _lines(remarks: Iterable[Remark]) -> list[str]:
    lines = []
    for remark in remarks:
        head = f"  {remark.mark} {remark.letter}) " if remark.letter else f"  {remark.mark} "
        lines += [f"{head}{remark.label}", f"{' ' * len(head)}{remark.why}"]
    return lines
