"""SQL text as lexemes with exact offsets: sqlglot's Databricks tokenizer without its keywords."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from sqlglot.dialects.databricks import Databricks
from sqlglot.errors import TokenError
from sqlglot.tokens import TokenType

Kind = Literal["word", "quoted", "string", "number", "symbol", "end"]

_KINDS: dict[TokenType, Kind] = {
    TokenType.VAR: "word",
    TokenType.IDENTIFIER: "quoted",
    TokenType.STRING: "string",
    TokenType.RAW_STRING: "string",
    TokenType.NUMBER: "number",
    TokenType.HEX_STRING: "number",
}
_BLANK = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SENTINEL = "\n;"
#: The words with which a query can begin.
QUERY_STARTS = ("SELECT", "WITH", "FROM", "VALUES", "TABLE")


class _Tokenizer(Databricks.Tokenizer):
    """Operators, strings and names only: sqlglot's keywords swallow whole statements (SHOW, SET) or join words."""

    KEYWORDS: ClassVar[dict[str, TokenType]] = {
        text: kind for text, kind in Databricks.Tokenizer.KEYWORDS.items() if not re.search(r"\w", text)
    }
    RAW_STRINGS: ClassVar[list[str | tuple[str, str]]] = [*Databricks.Tokenizer.RAW_STRINGS, ("$$", "$$")]


@dataclass(frozen=True)
class Lexeme:
    """One token; `text` is decoded (no quotes), [start, end) is where it stands."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The upper-case word, or nothing when it is quoted or no word."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def is_name(self) -> bool:
        """Whether it can be part of an identifier."""
        return self.kind in ("word", "quoted")

    def is_symbol(self, text: str) -> bool:
        """Whether it is this operator or punctuation mark."""
        return self.kind == "symbol" and self.text == text


class UnreadableText(Exception):
    """Where tokenizing stopped (an offset) and why; callers turn it into a PipelineSyntaxError."""

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message)
        self.message, self.offset = message, offset


def subquery(lexemes: Sequence[Lexeme]) -> Lexeme | None:
    """The word with which a query begins inside of an expression; None without any."""
    for place, lexeme in enumerate(lexemes):
        opened = place == 0 or lexemes[place - 1].is_symbol("(")
        asked = place > 1 and lexemes[place - 2].word in ("IN", "EXISTS")
        if opened and lexeme.word in (QUERY_STARTS if asked else ("SELECT",)):
            return lexeme
    return None


def tokenize(text: str) -> list[Lexeme]:
    """Read all lexemes of `text`; comments are no lexemes."""
    tokenizer = _Tokenizer(dialect="databricks")
    try:
        tokens = tokenizer.tokenize(text + _SENTINEL)
    except TokenError:
        raise _unreadable(text, tokenizer.tokens) from None
    # A comment that never ends swallows the sentinel.
    if not tokens or tokens[-1].start != len(text) + 1:
        raise _unreadable(text, tokens)
    return [
        Lexeme(_KINDS.get(token.token_type, "symbol"), token.text, token.start, token.end + 1) for token in tokens[:-1]
    ]


def _unreadable(text: str, tokens: list) -> UnreadableText:
    after = tokens[-1].end + 1 if tokens else 0
    offset = min(_BLANK.match(text, after).end(), len(text))
    rest = text[offset : offset + 2]
    what = "this text cannot be read as SQL"
    if rest.startswith("/*"):
        what = "this comment is never closed: add `*/`"
    elif rest.startswith("`"):
        what = "this name is never closed: add a backtick"
    elif rest[:1] in ("'", '"') or rest[1:] in ("'", '"') or rest == "$$":
        what = "this string is never closed, or not written as SQL allows: look for a missing quote"
    return UnreadableText(what, offset=offset)
