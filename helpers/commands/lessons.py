"""The learner's copies of the lessons: a copy is refreshed until the learner changes it, and never after that."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.files import replace_file

_RECORD = ".copied.json"
_SOURCES = "retail_job"  # the job of the last lesson is files in folders, not one notebook
_LESSON = re.compile(r"\d\d_\w+\.ipynb")


@dataclass(frozen=True)
class Copied:
    """What copying did, as names below the lessons; `outdated` are the learner's own, of which a newer one exists."""

    new: tuple[str, ...] = ()
    refreshed: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()

    @property
    def lessons(self) -> tuple[str, ...]:
        """Those of the new ones that are lessons, and not sources of a lesson's job."""
        return tuple(name for name in self.new if _LESSON.fullmatch(name))


def copy_lessons(source: Path, target: Path) -> Copied:
    """Copy what is missing, refresh what the learner has not changed, and leave the rest as it is."""
    target.mkdir(parents=True, exist_ok=True)
    record = _read_record(target)
    done: dict[str, list[str]] = {"new": [], "refreshed": [], "outdated": []}
    for lesson in _lessons(source):
        name, content = lesson.relative_to(source).as_posix(), lesson.read_bytes()
        what = _decide(target / name, given=record.get(name), new=_digest(content))
        if what in ("new", "refreshed"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            replace_file(target / name, content)
        if what in ("new", "refreshed", "same"):
            record[name] = _digest(content)
        if what in done:
            done[what].append(name)
    replace_file(target / _RECORD, json.dumps({"version": 1, "lessons": record}, indent=1).encode())
    return Copied(**{what: tuple(names) for what, names in done.items()})


def _lessons(source: Path) -> Iterator[Path]:
    yield from sorted(source.glob("*.ipynb"))
    for path in sorted((source / _SOURCES).rglob("*")):
        parts = path.relative_to(source).parts
        if path.is_file() and not any(part == "__pycache__" or part.startswith(".") for part in parts):
            yield path


def _decide(copy: Path, *, given: str | None, new: str) -> str:
    """Say new, refreshed, same, kept or outdated; `given` is what the learner last got, `new` what would come now."""
    if not copy.exists():
        return "new"
    have = _digest(copy.read_bytes())
    if have == new:
        return "same"
    if have == given:
        return "refreshed"
    return "kept" if given == new else "outdated"


def _read_record(target: Path) -> dict[str, str]:
    # Without a record every copy counts as the learner's own, so a damaged one loses nothing.
    try:
        lessons = json.loads((target / _RECORD).read_text(encoding="utf-8"))["lessons"]
        return {str(name): str(digest) for name, digest in lessons.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
