"""A reading position in one statement: look, accept, expect, and say what is wrong where."""

import re
from dataclasses import dataclass

from helpers.sql.errors import PipelineSyntaxError
from helpers.sql.lexemes import Lexeme
from helpers.sql.source import Piece

_PLAIN = re.compile(r"(?!\d+$)[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Name:
    """A dotted identifier as its parts; `legacy` when it was written LIVE.name."""

    parts: tuple[str, ...]
    first: Lexeme
    legacy: bool = False

    @property
    def note(self) -> str:
        """What to tell the author of a LIVE.name."""
        return f"LIVE.{self.text}: LIVE is legacy and ignored; write {self.text}"

    @property
    def text(self) -> str:
        """The dotted name, a part in backticks only where it needs them."""
        return ".".join(part if _PLAIN.fullmatch(part) else "`" + part.replace("`", "``") + "`" for part in self.parts)


class Cursor:
    """Walks over a statement's lexemes; beyond the last one it sees an empty `end` lexeme."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.lexemes = piece.lexemes()
        self.at = 0

    def look(self, ahead: int = 0) -> Lexeme:
        """The lexeme so many places ahead (or, negative, behind)."""
        index = self.at + ahead
        if 0 <= index < len(self.lexemes):
            return self.lexemes[index]
        edge = len(self.piece.text) if index >= 0 else 0
        return Lexeme("end", "", edge, edge)

    def next(self) -> Lexeme:
        """Take one lexeme."""
        lexeme = self.look()
        self.at += 1
        return lexeme

    @property
    def done(self) -> bool:
        """Whether every lexeme is taken."""
        return self.at >= len(self.lexemes)

    def sees(self, *words: str) -> bool:
        """Whether these words come next, in any case."""
        return all(self.look(ahead).word == word for ahead, word in enumerate(words))

    def accept(self, *words: str) -> bool:
        """Take these words if they come next."""
        found = self.sees(*words)
        self.at += len(words) if found else 0
        return found

    def sees_symbol(self, text: str) -> bool:
        """Whether this symbol comes next."""
        return self.look().is_symbol(text)

    def accept_symbol(self, text: str) -> bool:
        """Take this symbol if it comes next."""
        found = self.sees_symbol(text)
        self.at += found
        return found

    def expect(self, *words: str) -> None:
        """Take these words or fail."""
        if not self.accept(*words):
            raise self.error(f"expected {' '.join(words)}, found {self.found()}")

    def expect_symbol(self, text: str) -> Lexeme:
        """Take this symbol or fail."""
        if not self.sees_symbol(text):
            raise self.error(f"expected `{text}`, found {self.found()}")
        return self.next()

    def string(self, what: str) -> str:
        """Take a string literal: Spark joins neighbours, and reads '' inside a string as one quote."""
        if self.look().kind != "string":
            raise self.error(f"{what} must be a string in quotes, found {self.found()}")
        value, previous = "", None
        while self.look().kind == "string":
            lexeme = self.next()
            quote = self.piece.text[lexeme.start]
            if previous and previous.end == lexeme.start and self.piece.text[previous.end - 1] == quote:
                value += quote
            value, previous = value + lexeme.text, lexeme
        return value

    def identifier(self, what: str) -> str:
        """Take one plain or backticked identifier."""
        if not self.look().is_name:
            raise self.error(f"expected {what}, found {self.found()}")
        return self.next().text

    def name(self, what: str) -> Name:
        """Take a dotted name; a leading LIVE is dropped and remembered."""
        first = self.look()
        parts = [self.identifier(what)]
        while self.accept_symbol("."):
            parts.append(self.identifier(f"a name after `{'.'.join(parts)}.`"))
        legacy = first.word == "LIVE" and len(parts) > 1
        return Name(tuple(parts[1:] if legacy else parts), first, legacy)

    def found(self) -> str:
        """What comes next, for a message."""
        lexeme = self.look()
        if lexeme.kind == "end":
            return "the end of the statement"
        text = self.piece.text[lexeme.start : lexeme.end]
        return f"`{text if len(text) <= 40 else text[:37] + '...'}`"

    def text_between(self, start: int, end: int) -> str:
        """The statement's text from one offset to another, untouched."""
        return self.piece.text[start:end]

    def error(self, message: str, *, at: Lexeme | None = None) -> PipelineSyntaxError:
        """The error that points at a lexeme, the next one by default."""
        return self.piece.error(message, offset=(at or self.look()).start)
