"""The one rule: what stands between `# BEGIN SOLUTION` and `# END SOLUTION` goes, and so do these two lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.errors import LakeprepError

SIGNS = ("#", "--")
MARKER_WORDS = re.compile(r"\b(BEGIN|END)[ \t_]+SOLUTION\b", re.IGNORECASE)


class PublishError(LakeprepError):
    """A solution that no lesson can be derived from; names the file, the cell and the line."""


@dataclass(frozen=True)
class Derived:
    """One published file; `text` is what a learner reads in it, `hidden` the solution's lines that are left out."""

    content: bytes
    text: str
    hidden: tuple[str, ...]


@dataclass(frozen=True)
class Cut:
    """A text without its solution blocks, and the blocks."""

    kept: str
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class _Marker:
    sign: str
    word: str
    line: int


def cut(text: str, *, where: str, signs: Sequence[str] = SIGNS) -> Cut:
    """Take the blocks out of a text; raises `PublishError` with `where` and the line of a marker that stands wrong."""
    kept: list[str] = []
    blocks: list[list[str]] = []
    opened: _Marker | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        marker = _marker(line, number, where=where, signs=signs)
        if marker is None:
            (blocks[-1] if opened else kept).append(line)
            continue
        _check_order(marker, opened, where=where)
        if opened and not "".join(blocks[-1]).strip():
            raise PublishError(f"{where}, line {number}: the block is empty. Fill it, or delete its markers.")
        opened = marker if marker.word == "BEGIN" else None
        if opened:
            blocks.append([])
    if opened:
        raise PublishError(f"{where}, line {opened.line}: BEGIN SOLUTION has no END SOLUTION. Add it below the block.")
    return Cut("\n".join(kept), tuple("\n".join(block) for block in blocks))


def without_markers(text: str, *, where: str) -> None:
    """Refuse a marker in a text from which nothing is taken out."""
    if found := MARKER_WORDS.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise PublishError(f"{where}, line {line}: nothing is cut out here. Move the marker into a code cell.")


def hidden_lines(blocks: Sequence[str]) -> tuple[str, ...]:
    """The lines of solutions without their indentation, each once."""
    lines = (line.strip() for block in blocks for line in block.split("\n"))
    return tuple(dict.fromkeys(line for line in lines if line))


def _marker(line: str, number: int, *, where: str, signs: Sequence[str]) -> _Marker | None:
    for sign in signs:
        for word in ("BEGIN", "END"):
            if line.strip() == f"{sign} {word} SOLUTION":
                return _Marker(sign, word, number)
    if MARKER_WORDS.search(line):
        wanted = " or ".join(f"`{sign} BEGIN SOLUTION`" for sign in signs)
        raise PublishError(f"{where}, line {number}: a marker stands alone on its line, written as {wanted} (or END).")
    return None


def _check_order(marker: _Marker, opened: _Marker | None, *, where: str) -> None:
    place = f"{where}, line {marker.line}"
    if marker.word == "BEGIN" and opened:
        raise PublishError(
            f"{place}: BEGIN SOLUTION inside the block that begins in line {opened.line}. End that block first."
        )
    if marker.word == "END" and not opened:
        raise PublishError(f"{place}: END SOLUTION without a BEGIN SOLUTION above it. Add that, or delete this line.")
    if opened and marker.sign != opened.sign:
        raise PublishError(f"{place}: the block of line {opened.line} begins with {opened.sign}; end it with that too.")
