"""From what a learner names to what is meant: displayed order, letters, keys."""

from __future__ import annotations

import hashlib
import random
from string import ascii_lowercase

from helpers.quiz.errors import UnknownChoice
from helpers.quiz.model import Option, Question


def displayed(question: Question, *, seed: str) -> tuple[Option, ...]:
    """The options in the order in which this learner always sees them."""
    digest = hashlib.sha256(f"{seed}\n{question.id}".encode()).digest()
    options = list(question.options)
    random.Random(int.from_bytes(digest, "big")).shuffle(options)
    return tuple(options)


def lettered(options: tuple[Option, ...]) -> dict[str, Option]:
    """The options by the letters that stand before them."""
    return dict(zip(ascii_lowercase, options, strict=False))


def resolve(question: Question, options: tuple[Option, ...], choice: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that the choice names, in displayed order; for a blank, the text without the spaces around it."""
    if question.blank:
        return _filled(question, choice)
    letters = lettered(options)
    names = {letter: option.key for letter, option in letters.items()} | {option.key: option.key for option in options}
    said = [str(each).strip().lower() for each in choice]
    for name in said:
        if name not in names:
            raise UnknownChoice(f"{question.id} has no option {name!r}. It has {_listed(letters)}.")
    keys = {names[name] for name in said}
    if question.kind == "multiple" and not keys:
        raise UnknownChoice(f"Name each option of {question.id} that you think is right: {_listed(letters)}.")
    if question.kind != "multiple" and len(keys) != 1:
        raise UnknownChoice(f"{question.id} takes one option, and you named {len(keys)}. It has {_listed(letters)}.")
    return tuple(option.key for option in options if option.key in keys)


def _filled(question: Question, choice: tuple[str, ...]) -> tuple[str, ...]:
    if len(choice) != 1 or not str(choice[0]).strip():
        raise UnknownChoice(f"{question.id} takes one text: what stands in place of the gap.")
    return (str(choice[0]).strip(),)


def _listed(letters: dict[str, Option]) -> str:
    return ", ".join(f"{letter} ({option.key})" for letter, option in letters.items())
