"""A pipeline source split into statements, with `${parameters}` put in and every character traced to its origin."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from helpers.sql.errors import PipelineSyntaxError
from helpers.sql.lexemes import Lexeme, UnreadableText, tokenize
from helpers.sql.statements import Position

_PARAMETER = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True)
class Source:
    """One file as written; offsets become positions here and nowhere else."""

    name: str
    text: str

    def position(self, offset: int) -> Position:
        """The line and column (from 1) of a character."""
        line = self.text.count("\n", 0, offset) + 1
        column = offset - self.text.rfind("\n", 0, offset)
        return Position(source=self.name, line=line, column=column)

    def error(self, message: str, *, offset: int) -> PipelineSyntaxError:
        """The error that points at a character."""
        at = self.position(offset)
        return PipelineSyntaxError(message, source=at.source, line=at.line, column=at.column)

    def lexemes(self) -> list[Lexeme]:
        """All lexemes of the file, before parameters are put in."""
        try:
            return tokenize(self.text)
        except UnreadableText as bad:
            raise self.error(bad.message, offset=bad.offset) from None


@dataclass(frozen=True)
class Segment:
    """From `start` in the new text on stands what was at `origin`; a parameter's value maps to its `${`."""

    start: int
    origin: int
    copied: bool


@dataclass(frozen=True)
class Piece:
    """One statement with its parameters' values in place."""

    source: Source
    text: str
    segments: tuple[Segment, ...]

    def origin(self, offset: int) -> int:
        """The offset in the file that a character of `text` comes from."""
        segment = self.segments[bisect_right(self.segments, offset, key=lambda each: each.start) - 1]
        return segment.origin + (offset - segment.start if segment.copied else 0)

    def position(self, offset: int) -> Position:
        """The line and column in the file that a character of `text` comes from."""
        return self.source.position(self.origin(offset))

    def error(self, message: str, *, offset: int) -> PipelineSyntaxError:
        """The error that points at the origin of a character of `text`."""
        return self.source.error(message, offset=self.origin(offset))

    def lexemes(self) -> list[Lexeme]:
        """The statement's lexemes; a `;` that came out of a parameter is refused."""
        try:
            found = tokenize(self.text)
        except UnreadableText as bad:
            raise self.error(bad.message, offset=bad.offset) from None
        for lexeme in found:
            if lexeme.is_symbol(";"):
                raise self.error("the value of this parameter contains a `;`", offset=lexeme.start)
        return found


def split(source: Source) -> Iterator[list[Lexeme]]:
    """The lexemes of each statement, in order; empty statements are left out."""
    statement: list[Lexeme] = []
    for lexeme in source.lexemes():
        if not lexeme.is_symbol(";"):
            statement.append(lexeme)
        elif statement:
            yield statement
            statement = []
    if statement:
        yield statement


def substitute(source: Source, lexemes: list[Lexeme], values: Mapping[str, str]) -> Piece:
    """Put values in for each `${key}` of one statement, inside strings and names too, but not inside comments."""
    at, end = lexemes[0].start, lexemes[-1].end
    starts = [lexeme.start for lexeme in lexemes]
    text, segments = "", []
    for match in _PARAMETER.finditer(source.text, at, end):
        if lexemes[bisect_right(starts, match.start()) - 1].end <= match.start():
            continue
        segments.append(Segment(len(text), at, copied=True))
        text += source.text[at : match.start()]
        segments.append(Segment(len(text), match.start(), copied=False))
        text += _value(source, match, values)
        at = match.end()
    segments.append(Segment(len(text), at, copied=True))
    return Piece(source, text + source.text[at:end], tuple(segments))


def _value(source: Source, match: re.Match[str], values: Mapping[str, str]) -> str:
    key = match[1].strip()
    if key in values:
        return str(values[key])
    known = ", ".join(sorted(values)) or "none"
    raise source.error(
        f"unknown parameter ${{{key}}}: known here are {known}; "
        "add it to the pipeline's configuration or write `SET` before this statement",
        offset=match.start(),
    )
