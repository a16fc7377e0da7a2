"""A question as data, once its file has been checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["single", "multiple", "output", "blank", "bug"]
KINDS: tuple[str, ...] = get_args(Kind)
GAP = "____"


@dataclass(frozen=True)
class Option:
    """One thing to choose; ``key`` is its name in ``quiz.answer``, whatever its place on the screen."""

    key: str
    text: str
    feedback: str
    correct: bool = False


@dataclass(frozen=True)
class LikelyMistake:
    """A wrong text that learners write, and what it means."""

    text: str
    feedback: str


@dataclass(frozen=True)
class Blank:
    """What fits into the gap of a question's code; texts are compared without the spaces around them."""

    answers: tuple[str, ...]
    feedback: str
    otherwise: str
    wrong: tuple[LikelyMistake, ...] = ()
    ignore_case: bool = False

    def accepts(self, text: str) -> bool:
        return self._plain(text) in map(self._plain, self.answers)

    def mistake(self, text: str) -> LikelyMistake | None:
        """The likely mistake that this text is."""
        return next((each for each in self.wrong if self._plain(each.text) == self._plain(text)), None)

    def _plain(self, text: str) -> str:
        return text.strip().casefold() if self.ignore_case else text.strip()


@dataclass(frozen=True)
class Question:
    """One question: either ``options`` to choose from or a ``blank`` to fill."""

    id: str
    objective: str
    kind: Kind
    stem: str
    docs: str
    options: tuple[Option, ...] = ()
    blank: Blank | None = None
    code: str = ""
    language: str = ""
    proof: str = ""

    @property
    def right(self) -> frozenset[str]:
        """The keys of the right options."""
        return frozenset(option.key for option in self.options if option.correct)

    def accepts(self, chosen: tuple[str, ...]) -> bool:
        """Whether these keys, or this text for a blank, are the right answer."""
        if self.blank:
            return len(chosen) == 1 and self.blank.accepts(chosen[0])
        return frozenset(chosen) == self.right
