"""What the learner has done: exercises, hints and questions, in one file that a kill cannot damage."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from helpers.journal import Content, Journal

VERSION = 1


@dataclass(frozen=True)
class ExerciseState:
    """One exercise; `correct` once it was correct, `hints` is the number of the last hint that was shown."""

    attempts: int = 0
    correct: bool = False
    hints: int = 0


@dataclass(frozen=True)
class QuestionState:
    """One question; `chosen` and `correct` are those of the last answer."""

    attempts: int = 0
    chosen: tuple[str, ...] = ()
    correct: bool = False
    first_correct: bool = False


@dataclass(frozen=True)
class _Event:
    kind: str
    id: str
    correct: bool = False
    number: int = 0
    chosen: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Book:
    exercises: dict[str, ExerciseState] = field(default_factory=dict)
    questions: dict[str, QuestionState] = field(default_factory=dict)
    unknown: int = 0
    damaged: int = 0


class Progress:
    """The progress file of one learner; it is read again when another process has written to it.

    Recording returns once it is on the disk. Raises `JournalUnavailable` when the file cannot be read or written.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._journal = Journal(Path(path), parse=_parse)
        self._clock = clock
        self._book, self._stamp = _Book(), None

    def record_exercise(self, exercise: str, *, correct: bool) -> None:
        """Count an attempt."""
        self._record("exercise", exercise, correct=bool(correct))

    def record_hint(self, exercise: str, number: int) -> None:
        """Remember that hint `number` (from 1) was shown."""
        self._record("hint", exercise, number=int(number))

    def record_question(self, question: str, *, chosen: Sequence[str], correct: bool) -> None:
        """Remember an answer."""
        self._record("question", question, chosen=[str(option) for option in chosen], correct=bool(correct))

    def exercise(self, id: str) -> ExerciseState:
        return self.exercises.get(id, ExerciseState())

    def question(self, id: str) -> QuestionState:
        return self.questions.get(id, QuestionState())

    @property
    def exercises(self) -> Mapping[str, ExerciseState]:
        return MappingProxyType(self._current().exercises)

    @property
    def questions(self) -> Mapping[str, QuestionState]:
        return MappingProxyType(self._current().questions)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the learner should know of the file: lines that could not be read, and where they are."""
        book, path = self._current(), self._journal.path
        said = []
        for copy in self._journal.aside():
            damaged = _lines(self._journal.content(copy).damaged)
            said.append(
                f"Your progress file was damaged. {damaged} could not be read; the file as it was is {copy}. "
                "Everything else was kept. Delete that copy when you do not need it."
            )
        if book.damaged:
            said.append(
                f"{_lines(book.damaged)} of {path} cannot be read, and the file could not be set aside. "
                f"Make {path.parent} writable."
            )
        if book.unknown:
            said.append(
                f"{_lines(book.unknown)} of {path} comes from a newer Lakeprep. It is kept, but not counted here: "
                "update Lakeprep to see it."
            )
        return tuple(said)

    def _record(self, kind: str, id: str, **what: Any) -> None:
        self._journal.append({"version": VERSION, "kind": kind, "id": id, **what, "at": round(self._clock(), 3)})

    def _current(self) -> _Book:
        stamp = self._journal.stamp()
        if stamp != self._stamp:
            self._book, self._stamp = _fold(self._journal.read()), stamp
        return self._book


def _parse(record: Any) -> _Event | None:
    """Read one record; None for one of a newer Lakeprep, ValueError for one that says nothing."""
    version, kind = (record.get(key) for key in ("version", "kind")) if isinstance(record, dict) else (0, "")
    if type(version) is not int or version < 1:
        raise ValueError("no version")
    if version > VERSION:
        return None
    if kind not in ("exercise", "hint", "question"):
        raise ValueError("no kind")
    event = _Event(
        kind,
        record.get("id"),
        correct=False if kind == "hint" else record.get("correct"),
        number=record.get("number") if kind == "hint" else 0,
        chosen=_strings(record.get("chosen")) if kind == "question" else (),
    )
    if (type(event.id), type(event.correct), type(event.number)) != (str, bool, int):
        raise ValueError("a field has the wrong type")
    return event


def _strings(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("no list of texts")
    return tuple(value)


def _fold(content: Content[_Event]) -> _Book:
    book = _Book(unknown=content.unknown, damaged=content.damaged)
    for event in content.events:
        if event.kind == "question":
            book.questions[event.id] = _answered(book.questions.get(event.id, QuestionState()), event)
        else:
            book.exercises[event.id] = _tried(book.exercises.get(event.id, ExerciseState()), event)
    return book


def _answered(state: QuestionState, event: _Event) -> QuestionState:
    first = state.first_correct if state.attempts else event.correct
    return QuestionState(state.attempts + 1, event.chosen, event.correct, first)


def _tried(state: ExerciseState, event: _Event) -> ExerciseState:
    if event.kind == "hint":
        return replace(state, hints=max(state.hints, event.number))
    return replace(state, attempts=state.attempts + 1, correct=state.correct or event.correct)


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"
