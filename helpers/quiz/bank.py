"""The question bank: one JSON file a lesson, read and checked as a whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from helpers.exam import load_exam
from helpers.quiz.entry import Entry
from helpers.quiz.errors import QuestionBankError
from helpers.quiz.model import GAP, KINDS, Blank, LikelyMistake, Option, Question

QUESTIONS = Path(__file__).with_name("questions")
VERSION = 1
_COMMON = frozenset({"id", "objective", "kind", "stem", "code", "language", "docs", "proof"})
_CHOICE = _COMMON | {"options"}
_BLANK = _COMMON | {"answers", "ignore_case", "wrong", "feedback", "otherwise"}
_WITH_CODE = ("output", "blank", "bug")
_KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def load_questions(lesson: str, *, folder: Path = QUESTIONS) -> tuple[Question, ...]:
    """The questions of a lesson (``"05_auto_loader"``) in the file's order; a lesson without a file has none.

    Raises QuestionBankError, which names file, question and field.
    """
    path = folder / f"{lesson}.json"
    if not path.is_file():
        return ()
    top = Entry(_read(path), path.name)
    top.only({"version", "lesson", "questions"})
    if top.data.get("version") != VERSION:
        top.fail("version", f"must be {VERSION}.")
    if top.text("lesson") != lesson:
        top.fail("lesson", f"must be {lesson!r}, as the file is named.")
    listed = [Entry(each.data, _where(path, each)) for each in top.entries("questions", name="id")]
    top.distinct("questions", [entry.text("id") for entry in listed])
    objectives = frozenset(each.id for section in load_exam().sections for each in section.objectives)
    number, proofs = lesson.partition("_")[0], folder / "proofs"
    return tuple(_question(entry, number=number, objectives=objectives, proofs=proofs) for entry in listed)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise QuestionBankError(f"{path.name} is not JSON: {error}.") from None
    if not isinstance(found, dict):
        raise QuestionBankError(f"{path.name} must hold one object with version, lesson and questions.")
    return found


def _where(path: Path, entry: Entry) -> str:
    return f"{path.name}, question {entry.data.get('id', entry.path)}"


def _question(entry: Entry, *, number: str, objectives: frozenset[str], proofs: Path) -> Question:
    kind = entry.text("kind")
    if kind not in KINDS:
        entry.fail("kind", f"{kind!r} is not one of {', '.join(KINDS)}.")
    entry.only(_BLANK if kind == "blank" else _CHOICE)
    if not re.fullmatch(rf"{number}\.q[1-9]\d*", entry.text("id")):
        entry.fail("id", f"must be {number}.q1, {number}.q2 and so on, after the number of its lesson.")
    if entry.text("objective") not in objectives:
        entry.fail("objective", f"{entry.text('objective')!r} is not in exam.json.")
    if not entry.text("docs").startswith("https://"):
        entry.fail("docs", "must be a link that begins with https://.")
    return Question(
        id=entry.text("id"),
        objective=entry.text("objective"),
        kind=kind,  # type: ignore[arg-type]  # checked above
        stem=entry.text("stem"),
        docs=entry.text("docs"),
        options=() if kind == "blank" else _options(entry, kind),
        blank=_blank(entry) if kind == "blank" else None,
        proof=_proof(entry, proofs),
        **_code(entry, kind),
    )


def _code(entry: Entry, kind: str) -> dict[str, str]:
    if kind in _WITH_CODE:
        entry.text("code")
    code = entry.optional("code")
    if kind == "blank" and code.count(GAP) != 1:
        entry.fail("code", f"must have {GAP} once: it is where the answer goes.")
    if code:
        return {"code": code.strip("\n"), "language": entry.text("language")}
    if "language" in entry.data:
        entry.fail("language", "says nothing without code.")
    return {}


def _options(entry: Entry, kind: str) -> tuple[Option, ...]:
    options = tuple(map(_option, entry.entries("options", name="key")))
    if not 3 <= len(options) <= 5:
        entry.fail("options", f"must be 3 to 5; there are {len(options)}.")
    entry.distinct("options", [option.key for option in options])
    # The widget tells options apart by the words that it shows.
    entry.distinct("options", [option.text.replace("`", "") for option in options])
    right = sum(option.correct for option in options)
    if kind == "multiple" and not 1 <= right < len(options):
        entry.fail("options", f"one or more, but not all, must be correct; {right} are.")
    if kind != "multiple" and right != 1:
        entry.fail("options", f"exactly one must be correct; {right} are.")
    return options


def _option(entry: Entry) -> Option:
    entry.only({"key", "text", "feedback", "correct"})
    key = entry.text("key")
    if not 3 <= len(key) <= 30 or not _KEY.fullmatch(key):
        entry.fail("key", "must be 3 to 30 characters: lower-case words with hyphens between them.")
    return Option(key, entry.text("text"), entry.text("feedback"), entry.flag("correct"))


def _blank(entry: Entry) -> Blank:
    blank = Blank(
        answers=entry.texts("answers"),
        feedback=entry.text("feedback"),
        otherwise=entry.text("otherwise"),
        wrong=tuple(map(_mistake, entry.entries("wrong", name="text"))),
        ignore_case=entry.flag("ignore_case"),
    )
    entry.distinct("wrong", [each.text for each in blank.wrong])
    for each in blank.wrong:
        if blank.accepts(each.text):
            entry.fail("wrong", f"{each.text!r} is among the accepted answers.")
    return blank


def _mistake(entry: Entry) -> LikelyMistake:
    entry.only({"text", "feedback"})
    return LikelyMistake(entry.text("text"), entry.text("feedback"))


def _proof(entry: Entry, proofs: Path) -> str:
    name = entry.optional("proof")
    if not name:
        return ""
    path = (proofs / name).resolve()
    if not path.is_relative_to(proofs.resolve()) or not path.is_file():
        entry.fail("proof", f"{name!r} is not a file below {proofs.name}/.")
    return name
