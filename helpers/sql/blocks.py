"""One SELECT of a query, and what its `*` must leave out where it names a file source's `_metadata`."""

from dataclasses import dataclass, field

from helpers.sql.cursor import Cursor

METADATA = "_metadata"


@dataclass(frozen=True)
class Edit:
    """Replace [start, end) of a statement's text."""

    start: int
    end: int
    text: str


@dataclass
class Block:
    """What one SELECT (between set operators) reads and names; filled while it is scanned."""

    reads_files: bool = False
    aliases: set[str] = field(default_factory=set)
    in_from: bool = False
    names_metadata: bool = False
    pipe: int | None = None
    stars: list[int] = field(default_factory=list)


def is_star(cursor: Cursor, index: int) -> bool:
    """Whether the `*` at this index stands for columns rather than for a multiplication."""
    before = cursor.lexemes[index - 1] if index else None
    if before is None or before.word in ("SELECT", "DISTINCT", "ALL"):
        return True
    return before.kind == "symbol" and before.text in (".", ",", "(")


def star_edits(cursor: Cursor, block: Block) -> list[Edit]:
    """The edits that keep `_metadata` out of every `*` of a block that reads files."""
    return [edit for index in block.stars if _is_concerned(cursor, block, index) for edit in _except(cursor, index)]


def _is_concerned(cursor: Cursor, block: Block, index: int) -> bool:
    before = cursor.lexemes[index - 1]
    if before.is_symbol("."):
        qualified = cursor.lexemes[index - 2]
        return qualified.text.lower() in block.aliases and not cursor.lexemes[index - 3].is_symbol(".")
    counted = before.is_symbol("(") and cursor.lexemes[index - 2].word == "COUNT"
    return not counted or not cursor.lexemes[index + 1].is_symbol(")")


def _except(cursor: Cursor, index: int) -> list[Edit]:
    after = cursor.lexemes[index].end
    following = cursor.lexemes[index + 1 : index + 3]
    if len(following) < 2 or following[0].word != "EXCEPT" or not following[1].is_symbol("("):
        return [Edit(after, after, f" EXCEPT ({METADATA})")]
    at = index + 3
    names = set()
    while not cursor.lexemes[at].is_symbol(")"):
        names.add(cursor.lexemes[at].text.lower())
        at += 1
    after = cursor.lexemes[at - 1].end
    return [] if METADATA in names else [Edit(after, after, f", {METADATA}")]
