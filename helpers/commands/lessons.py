"""The learner's copies of the lessons: a copy is refreshed until the learner changes it, and never after that."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

_RECORD = ".copied.json"


@dataclass(frozen=True)
class Copied:
    """What copying did, as names of lessons; `outdated` are the learner's own, of which a newer one exists."""

    new: tuple[str, ...] = ()
    refreshed: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()


def copy_lessons(source: Path, target: Path) -> Copied:
    """Copy what is missing, refresh what the learner has not changed, and leave the rest as it is."""
    target.mkdir(parents=True, exist_ok=True)
    record = _read_record(target)
    done: dict[str, list[str]] = {"new": [], "refreshed": [], "outdated": []}
    for lesson in sorted(source.glob("*.ipynb")):
        name, content = lesson.name, lesson.read_bytes()
        what = _decide(target / name, given=record.get(name), new=_digest(content))
        if what in ("new", "refreshed"):
            _write(target / name, content)
        if what in ("new", "refreshed", "same"):
            record[name] = _digest(content)
        if what in done:
            done[what].append(name)
    _write(target / _RECORD, json.dumps({"version": 1, "lessons": record}, indent=1).encode())
    return Copied(**{what: tuple(names) for what, names in done.items()})


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


def _write(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)
