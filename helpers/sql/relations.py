"""What stands in a FROM clause: tables, streams, files, functions, rows and subqueries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.sql.blocks import Block, Edit
from helpers.sql.cursor import Cursor, Name
from helpers.sql.files import FILE_FUNCTIONS, file_source
from helpers.sql.lexemes import Lexeme
from helpers.sql.statements import Input

if TYPE_CHECKING:
    from helpers.sql.scan import Scan

ENDS_FROM = frozenset(
    {"WHERE", "GROUP", "HAVING", "ORDER", "SORT", "CLUSTER", "DISTRIBUTE", "LIMIT", "OFFSET", "WINDOW", "QUALIFY"}
    | {"SELECT", "UNION", "INTERSECT", "MINUS"}
)
_NO_ALIAS = ENDS_FROM | frozenset(
    {"EXCEPT", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "SEMI", "ANTI", "ON", "USING", "LATERAL"}
    | {"TABLESAMPLE", "WITH", "PIVOT", "UNPIVOT", "VERSION", "TIMESTAMP", "FOR", "WATERMARK"}
)


@dataclass(frozen=True)
class _Read:
    """How a table or file is read: `start` is where its text begins, STREAM included."""

    start: Lexeme
    streaming: bool = False
    in_parentheses: bool = False


def read_relation(scan: Scan, block: Block, ctes: frozenset[str]) -> None:
    """Read one item of a FROM clause; its alias is left to the steps that follow."""
    cursor = scan.cursor
    block.in_from = True
    cursor.accept("LATERAL")
    if cursor.sees("TABLE") and cursor.look(1).is_symbol("("):
        cursor.next()
    if cursor.accept_symbol("("):
        _in_parentheses(scan, block, ctes)
    elif cursor.accept("VALUES"):
        _rows(scan, block, ctes)
    elif cursor.sees("STREAM") and _is_keyword(cursor):
        _stream(scan, block, ctes)
    else:
        _named(scan, block, ctes, _Read(cursor.look()))


def _in_parentheses(scan: Scan, block: Block, ctes: frozenset[str]) -> None:
    if scan.starts_query():
        scan.nested(ctes)
        return
    scan.deeper()
    read_relation(scan, block, ctes)
    scan.steps(block, ctes)
    scan.closed()


def _rows(scan: Scan, block: Block, ctes: frozenset[str]) -> None:
    """Pass the rows of inline VALUES, whose commas bring no further table."""
    cursor = scan.cursor
    while not cursor.done and not cursor.sees_symbol(")"):
        if cursor.next().is_symbol("("):
            scan.expression(block, ctes)
        after = cursor.look(1)
        if not cursor.sees_symbol(",") or not (after.is_symbol("(") or after.kind in ("string", "number")):
            return
        cursor.next()


def _is_keyword(cursor: Cursor) -> bool:
    """Whether STREAM is the keyword here, and not a table of that name."""
    after = cursor.look(1)
    return after.is_symbol("(") or (after.is_name and after.word != "AS" and after.word not in _NO_ALIAS)


def _stream(scan: Scan, block: Block, ctes: frozenset[str]) -> None:
    cursor = scan.cursor
    start = cursor.next()
    in_parentheses = cursor.accept_symbol("(")
    if in_parentheses and (scan.starts_query() or cursor.sees_symbol("(")):
        raise cursor.error("STREAM reads a table or read_files(…), not a subquery: put STREAM inside it")
    _named(scan, block, ctes, _Read(start, streaming=True, in_parentheses=in_parentheses))


def _named(scan: Scan, block: Block, ctes: frozenset[str], read: _Read) -> None:
    cursor = scan.cursor
    if cursor.look().word in ENDS_FROM:
        raise cursor.error(f"expected a table, found {cursor.found()}")
    name = cursor.name("a table")
    if cursor.accept_symbol("("):
        _function(scan, block, ctes, read, name)
        return
    if read.in_parentheses:
        cursor.expect_symbol(")")
    if name.legacy:
        scan.live_names.add(name.parts[0].lower())
        scan.notes.append(name.note)
    skips = _skips_change_commits(scan, read)
    if len(name.parts) > 1 or name.legacy or name.parts[0].lower() not in ctes:
        position = cursor.piece.position(name.first.start)
        scan.inputs.append(
            Input(name=name.text, streaming=read.streaming, skip_change_commits=skips, position=position)
        )


def _skips_change_commits(scan: Scan, read: _Read) -> bool:
    """Turn WITH (SKIPCHANGECOMMITS), after a table or its alias, into the option that Spark reads before the alias."""
    cursor = scan.cursor
    table, alias = cursor.look(-1), _alias(cursor)
    words = [cursor.look(len(alias) + ahead) for ahead in range(4)]
    if words[0].word != "WITH" or not words[1].is_symbol("(") or words[2].word != "SKIPCHANGECOMMITS":
        return False
    if not read.streaming:
        raise cursor.error("SKIPCHANGECOMMITS needs a streaming read: write STREAM before the table", at=words[2])
    if not words[3].is_symbol(")"):
        raise cursor.error("write WITH (SKIPCHANGECOMMITS), without a value or another option", at=words[3])
    before = alias[-1] if alias else table
    scan.edits.append(Edit(table.end, table.end, " WITH ('skipChangeCommits' = 'true')"))
    scan.edits.append(Edit(before.end, words[3].end, ""))
    return True


def _alias(cursor: Cursor) -> list[Lexeme]:
    """The lexemes of the alias that comes next (its name is the last), which stay in place."""
    named = cursor.sees("AS")
    name = cursor.look(int(named))
    if not name.is_name or (not named and name.word in _NO_ALIAS):
        return []
    return [cursor.look(), name] if named else [name]


def _function(scan: Scan, block: Block, ctes: frozenset[str], read: _Read, name: Name) -> None:
    cursor = scan.cursor
    function = name.parts[-1].lower()
    if function == "identifier":
        raise cursor.error("IDENTIFIER(…) is not supported: write the name, with ${parameters} in it", at=name.first)
    if function in FILE_FUNCTIONS:
        _files(scan, block, read, function)
    elif read.streaming:
        raise cursor.error(f"STREAM {name.text}(…) is not supported: STREAM read_files(…) is", at=name.first)
    else:
        scan.expression(block, ctes)


def _files(scan: Scan, block: Block, read: _Read, function: str) -> None:
    cursor = scan.cursor
    placeholder = next(scan.placeholders)
    source = file_source(cursor, function, placeholder=placeholder, streaming=read.streaming, at=read.start)
    if read.in_parentheses:
        cursor.expect_symbol(")")
    text = f"STREAM({placeholder})" if source.streaming else placeholder
    scan.edits.append(Edit(read.start.start, cursor.look(-1).end, text))
    scan.files.append(source)
    if source.legacy:
        scan.notes.append("cloud_files is legacy: write STREAM read_files(path, format => …)")
    alias = _alias(cursor)
    block.reads_files = True
    block.aliases.add(alias[-1].text.lower() if alias else placeholder.lower())
