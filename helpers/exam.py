"""The exam: its facts, its sections and their objectives, from one data file that the next guide changes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError

EXAM_FILE = Path(__file__).with_name("exam.json")
VERSION = 1


class ExamNotUnderstood(LakeprepError):
    """The file of exam facts is of another version."""


@dataclass(frozen=True)
class Facts:
    """The exam in short; dates are ISO texts, and a `pass_mark` of None means that none is published."""

    name: str
    guide_in_force_since: str
    looked_up: str
    current_guide: str
    where_to_look: str
    scored_questions: int
    question_kind: str
    unscored_questions: str
    minutes: int
    aids: str
    place: str
    fee_usd: int
    fee_note: str
    retake_after_days: int
    valid_years: int
    prerequisite: str
    advised: str
    languages: tuple[str, ...]
    pass_mark: int | None
    pass_mark_note: str
    code_in_questions: str
    wording: str


@dataclass(frozen=True)
class Objective:
    """One objective; its id is section and number, as in "2.3"."""

    id: str
    text: str


@dataclass(frozen=True)
class Section:
    """One section; `mock_questions` is its part of a mock exam as long as the real one."""

    number: int
    title: str
    weight_percent: int
    mock_questions: int
    objectives: tuple[Objective, ...]


@dataclass(frozen=True)
class Older:
    """What the guide before this one asked for; `sections` are titles with their weights in percent."""

    until: str
    topics: tuple[str, ...]
    note: str
    sections: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Exam:
    """All that the course knows of the exam."""

    facts: Facts
    sections: tuple[Section, ...]
    older: Older


def load_exam(path: Path = EXAM_FILE) -> Exam:
    """Read the exam's facts, sections and objectives; raises `ExamNotUnderstood` for a file of another version."""
    data = json.loads(path.read_text(encoding="utf-8"))
    if data.get("version") != VERSION:
        raise ExamNotUnderstood(
            f"{path} has version {data.get('version')!r}, this Lakeprep reads {VERSION}. Update Lakeprep."
        )
    facts, older = data["facts"], data["older"]
    return Exam(
        Facts(**{**facts, "languages": tuple(facts["languages"])}),
        tuple(_section(each) for each in data["sections"]),
        Older(
            older["until"],
            tuple(older["topics"]),
            older["note"],
            tuple((each["title"], each["weight_percent"]) for each in older["sections"]),
        ),
    )


def _section(data: dict[str, Any]) -> Section:
    return Section(**{**data, "objectives": tuple(Objective(**each) for each in data["objectives"])})
