"""COPY INTO: its grammar, as plain data.

https://docs.databricks.com/aws/en/sql/language-manual/delta-copy-into
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import repeat

from helpers.sql.cursor import Cursor
from helpers.sql.lexemes import Lexeme
from helpers.sql.literals import literal
from helpers.sql.query import read_query
from helpers.sql.source import Piece, Segment, Source, split, substitute
from helpers.sql.statements import Position, Query

COPY_FORMATS = ("csv", "json", "parquet", "orc", "text", "xml", "binaryfile")
_MOST_FILES = 1000
_ROWS = "VALIDATE takes ALL or a number of rows above 0: VALIDATE 15 ROWS"


@dataclass(frozen=True, kw_only=True)
class CopyInto:
    """One COPY INTO; `format` is in lower case.

    `query` is the SELECT form, whose one file source stands for `path`. `columns` are the target's columns that the
    file's columns fill by place; `by_position` means all of them. `validate_rows` is None where all rows are validated.
    """

    target: str
    path: str
    format: str
    query: Query | None = None
    columns: tuple[str, ...] = ()
    by_position: bool = False
    validate: bool = False
    validate_rows: int | None = None
    files: tuple[str, ...] = ()
    pattern: str | None = None
    format_options: Mapping[str, str] = field(default_factory=dict)
    copy_options: Mapping[str, str] = field(default_factory=dict)
    position: Position | None = field(default=None, compare=False)


def parse_copy_into(text: str, *, source: str) -> CopyInto | None:
    """Read one COPY INTO, which a `;` may end; None for another statement.

    Raises PipelineSyntaxError, which points at the first mistake.
    """
    whole = Source(source, text)
    pieces = list(split(whole))
    if not pieces or [each.word for each in pieces[0][:2]] != ["COPY", "INTO"]:
        return None
    if len(pieces) > 1:
        raise whole.error("expected one statement, found a second one", offset=pieces[1][0].start)
    cursor = Cursor(substitute(whole, pieces[0], {}))
    cursor.expect("COPY", "INTO")
    return _copy_into(cursor)


def _copy_into(cursor: Cursor) -> CopyInto:
    target = cursor.name("the target table").text
    _refuse_with(cursor)
    by_position, columns = _positions(cursor)
    cursor.expect("FROM")
    path, query = _select(cursor) if cursor.accept_symbol("(") else (_path(cursor), None)
    statement = CopyInto(
        target=target,
        path=path,
        query=query,
        by_position=by_position,
        columns=columns,
        format=_format(cursor),
        **_validate(cursor),
        **_chosen(cursor),
        format_options=_options(cursor, "FORMAT_OPTIONS"),
        copy_options=_options(cursor, "COPY_OPTIONS"),
        position=cursor.piece.position(0),
    )
    if not cursor.done:
        raise cursor.error(
            f"expected the end or a clause, found {cursor.found()}; the clauses of COPY INTO stand in this order: "
            "FILEFORMAT, VALIDATE, FILES or PATTERN, FORMAT_OPTIONS, COPY_OPTIONS"
        )
    return statement


def _positions(cursor: Cursor) -> tuple[bool, tuple[str, ...]]:
    if cursor.accept("BY", "POSITION"):
        return True, ()
    if not cursor.accept_symbol("("):
        return False, ()
    columns: list[str] = []
    while not columns or cursor.accept_symbol(","):
        at = cursor.look()
        columns.append(cursor.identifier("a column of the target"))
        if columns[-1].lower() in {each.lower() for each in columns[:-1]}:
            raise cursor.error(f"the column `{columns[-1]}` is named twice", at=at)
    cursor.expect_symbol(")")
    return False, tuple(columns)


def _path(cursor: Cursor) -> str:
    path = cursor.string("the path of the files")
    _refuse_with(cursor)
    return path


def _refuse_with(cursor: Cursor) -> None:
    if cursor.sees("WITH"):
        raise cursor.error("WITH (CREDENTIAL …) and WITH (ENCRYPTION …) are not supported here: files lie on this "
                           "machine and need none. Remove it, or run this on Databricks")


def _select(cursor: Cursor) -> tuple[str, Query]:
    """Read `SELECT … FROM 'path')`, as a query of a file source."""
    start = cursor.look()
    if not cursor.sees("SELECT"):
        raise cursor.error(f"expected SELECT … FROM 'path', found {cursor.found()}")
    end = _closing(cursor)
    _to_path(cursor, start, end)
    first = cursor.look()
    path, after = _path(cursor), cursor.look()
    query = _as_file_source(cursor.piece, start, (first, cursor.look(-1)), end)
    cursor.accept("AS")
    if not cursor.sees_symbol(")"):
        cursor.identifier("an alias or `)`")
    if not cursor.sees_symbol(")"):
        raise cursor.error("COPY INTO takes expressions only, SELECT … FROM 'path': load into a table and query that "
                           "for WHERE, JOIN or GROUP BY", at=after)
    cursor.next()
    return path, query


def _to_path(cursor: Cursor, start: Lexeme, end: Lexeme) -> None:
    """Pass the expressions: FROM and a string inside their parentheses belong to a function."""
    depth = 0
    while cursor.look() is not end:
        lexeme = cursor.next()
        depth += lexeme.is_symbol("(") - lexeme.is_symbol(")")
        if not depth and lexeme.word == "FROM" and cursor.look().kind == "string":
            return
    raise cursor.error("the SELECT of COPY INTO reads a path in quotes: SELECT … FROM '/path'", at=start)


def _closing(cursor: Cursor) -> Lexeme:
    depth = 1
    for lexeme in cursor.lexemes[cursor.at:]:
        depth += lexeme.is_symbol("(") - lexeme.is_symbol(")")
        if not depth:
            return lexeme
    raise cursor.error("this `(` is never closed: add `)`", at=cursor.look(-1))


def _as_file_source(piece: Piece, start: Lexeme, path: tuple[Lexeme, Lexeme], end: Lexeme) -> Query:
    """The SELECT with `read_files('path')` in place of the path; positions stay those of the statement."""
    parts = ((start.start, path[0].start), (path[0].start, path[1].end), (path[1].end, end.start))
    wrapped = (("", ""), ("read_files(", ")"), ("", ""))
    text, segments = "", []
    for (first, last), (before, behind) in zip(parts, wrapped, strict=True):
        if before:
            segments.append(Segment(len(text), piece.origin(first), copied=False))
        segments.append(Segment(len(text) + len(before), piece.origin(first), copied=True))
        text += before + piece.text[first:last] + behind
    return read_query(Cursor(Piece(piece.source, text, tuple(segments))), placeholders=repeat("__files"))


def _format(cursor: Cursor) -> str:
    cursor.expect("FILEFORMAT")
    cursor.expect_symbol("=")
    at = cursor.look()
    name = cursor.identifier("a file format, such as CSV").lower()
    if name == "avro":
        raise cursor.error("AVRO is not supported here: it needs the Spark package spark-avro, which is not installed. "
                           f"Use one of {', '.join(COPY_FORMATS).upper()}, or run this on Databricks", at=at)
    if name not in COPY_FORMATS:
        raise cursor.error(f"there is no file format {at.text}; these are: {', '.join(COPY_FORMATS).upper()}", at=at)
    return name


def _validate(cursor: Cursor) -> dict[str, bool | int]:
    if not cursor.accept("VALIDATE"):
        return {}
    if cursor.look().kind != "number":
        cursor.accept("ALL")
        return {"validate": True}
    at = cursor.look()
    if not at.text.isdigit() or int(at.text) < 1:
        raise cursor.error(_ROWS)
    cursor.next()
    cursor.expect("ROWS")
    return {"validate": True, "validate_rows": int(at.text)}


def _chosen(cursor: Cursor) -> dict[str, tuple[str, ...] | str]:
    at, chosen = cursor.look(), {}
    if cursor.accept("FILES"):
        cursor.expect_symbol("=")
        chosen["files"] = _file_names(cursor)
        if len(chosen["files"]) > _MOST_FILES:
            raise cursor.error(f"FILES has {len(chosen['files'])} names; {_MOST_FILES} is the most. Use PATTERN", at=at)
    if cursor.sees("PATTERN"):
        if chosen:
            raise cursor.error("FILES and PATTERN exclude each other: keep one")
        cursor.next()
        cursor.expect_symbol("=")
        chosen["pattern"] = cursor.string("the pattern")
        if cursor.sees("FILES"):
            raise cursor.error("FILES and PATTERN exclude each other: keep one")
    return chosen


def _file_names(cursor: Cursor) -> tuple[str, ...]:
    cursor.expect_symbol("(")
    names = [cursor.string("a file's name in FILES")]
    while cursor.accept_symbol(","):
        names.append(cursor.string("a file's name in FILES"))
    cursor.expect_symbol(")")
    return tuple(names)


def _options(cursor: Cursor, clause: str) -> dict[str, str]:
    options: dict[str, str] = {}
    if not cursor.accept(clause):
        return options
    cursor.expect_symbol("(")
    while not cursor.accept_symbol(")"):
        if options:
            cursor.expect_symbol(",")
        at = cursor.look()
        name = cursor.string("an option") if at.kind == "string" else cursor.name("an option's name").text
        if name.lower() in {each.lower() for each in options}:
            raise cursor.error(f"the option `{name}` is given twice", at=at)
        cursor.expect_symbol("=")
        options[name] = literal(cursor, what=f"the value of `{name}`")
    return options
