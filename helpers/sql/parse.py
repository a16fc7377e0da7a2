"""Pipeline SQL text to statements: the heads of CREATE, SET, and what is refused."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from helpers.sql.cdc import read_auto_cdc
from helpers.sql.clauses import Clauses, read_clauses, read_specification
from helpers.sql.cursor import Cursor, Name
from helpers.sql.lexemes import Lexeme
from helpers.sql.query import read_query
from helpers.sql.source import Source, split, substitute
from helpers.sql.statements import (
    CreateFlow,
    CreateMaterializedView,
    CreateStreamingTable,
    CreateView,
    Query,
    SetConf,
    Statement,
)

_KNOWN = "CREATE STREAMING TABLE, CREATE MATERIALIZED VIEW, CREATE TEMPORARY VIEW, CREATE FLOW and SET"
_OLD_NAME = "APPLY CHANGES INTO is the old name: write CREATE FLOW name AS AUTO CDC INTO"
_OLD_INLINE = "APPLY CHANGES is the old name: write FLOW AUTO CDC"
_TABLE, _VIEW, _TEMPORARY_VIEW = "streaming table", "materialized view", "temporary view"
_HEADS = {
    ("STREAMING", "TABLE"): (_TABLE, None),
    ("STREAMING", "LIVE", "TABLE"): (_TABLE, "CREATE OR REFRESH STREAMING TABLE"),
    ("MATERIALIZED", "VIEW"): (_VIEW, None),
    ("LIVE", "TABLE"): (_VIEW, "CREATE OR REFRESH MATERIALIZED VIEW"),
    ("VIEW",): (_TEMPORARY_VIEW, None),
    ("LIVE", "VIEW"): (_TEMPORARY_VIEW, "CREATE TEMPORARY VIEW"),
    ("STREAMING", "LIVE", "VIEW"): (_TEMPORARY_VIEW, "CREATE TEMPORARY VIEW"),
}


def parse_pipeline(
    text: str, *, source: str, parameters: Mapping[str, str], placeholder: str = "__files"
) -> list[Statement]:
    """Read a pipeline's SQL source; file sources become the views `<placeholder>_1`, `_2`, … of this source.

    Raises PipelineSyntaxError, which points at the first mistake in the text as written.
    """
    whole, values, names = Source(source, text), dict(parameters), _placeholders(placeholder)
    statements: list[Statement] = []
    for lexemes in split(whole):
        statement = _statement(Cursor(substitute(whole, lexemes, values)), names)
        if isinstance(statement, SetConf):
            values[statement.key] = statement.value
        statements.append(statement)
    return statements


def parse_query(text: str, *, source: str, parameters: Mapping[str, str], placeholder: str = "__files") -> Query:
    """Read one bare query, as `spark.sql` takes it; a `;` may end it."""
    whole = Source(source, text)
    pieces = list(split(whole))
    if not pieces:
        raise whole.error("expected a query, found nothing", offset=0)
    if len(pieces) > 1:
        raise whole.error("expected one query, found a second statement", offset=pieces[1][0].start)
    cursor = Cursor(substitute(whole, pieces[0], parameters))
    return read_query(cursor, placeholders=_placeholders(placeholder))


def _placeholders(prefix: str) -> Iterator[str]:
    return (f"{prefix}_{number}" for number in count(1))


def _statement(cursor: Cursor, names: Iterator[str]) -> Statement:
    if cursor.sees("COPY", "INTO"):
        raise cursor.error(f"COPY INTO is not supported in a pipeline; these are: {_KNOWN}")
    if cursor.sees("REFRESH"):
        raise cursor.error(f"{_refreshed(cursor)} is not supported in a pipeline, whose updates refresh its tables: "
                           "remove it, and start an update")
    if cursor.sees("AUTO", "CDC"):
        raise cursor.error("AUTO CDC is part of a flow: write CREATE FLOW name AS AUTO CDC INTO …")
    if cursor.accept("SET"):
        return _set(cursor)
    if cursor.accept("APPLY", "CHANGES"):
        return _auto_cdc(cursor, names, flow=None, note=_OLD_NAME)
    start = cursor.look()
    if cursor.accept("CREATE"):
        return _create(cursor, names, start)
    raise cursor.error(f"{cursor.found()} starts no pipeline statement; these are: {_KNOWN}")


def _refreshed(cursor: Cursor) -> str:
    kinds = (("MATERIALIZED", "VIEW"), ("STREAMING", "TABLE"))
    return " ".join(["REFRESH", *next((kind for kind in kinds if cursor.sees("REFRESH", *kind)), ())])


def _set(cursor: Cursor) -> SetConf:
    start = cursor.look()
    if start.word in ("VAR", "VARIABLE", "TIME") and not cursor.look(1).is_symbol("="):
        raise cursor.error(f"SET {start.word} is not supported in a pipeline: write SET key = value")
    while not cursor.sees_symbol("="):
        if cursor.done:
            raise cursor.error("write SET key = value")
        cursor.next()
    key = cursor.text_between(start.start, cursor.look().start).strip().strip("`")
    cursor.next()
    if not key or cursor.done:
        raise cursor.error(f"SET needs a {'value' if key else 'key'}: write SET key = value")
    value = cursor.text_between(cursor.look().start, len(cursor.piece.text))
    return SetConf(key=key, value=value, position=cursor.piece.position(0))


def _create(cursor: Cursor, names: Iterator[str], start: Lexeme) -> Statement:
    at, refresh = cursor.look(), cursor.accept("OR", "REFRESH")
    again, replace = cursor.look(), cursor.accept("OR", "REPLACE")
    _refuse(cursor, again, refresh and replace, "write OR REFRESH or OR REPLACE, not both")
    private, second = cursor.accept("PRIVATE"), cursor.look()
    temporary = cursor.accept("TEMPORARY") or cursor.accept("TEMP")
    if cursor.accept("FLOW"):
        _refuse(cursor, at, refresh or replace or private or temporary, "CREATE FLOW takes no word before FLOW")
        return _flow(cursor, names)
    kind, notes = _kind(cursor, start)
    live_view = kind == _TEMPORARY_VIEW and bool(notes)
    if kind == _TEMPORARY_VIEW:
        _refuse(cursor, at, refresh or replace or private, "write CREATE TEMPORARY VIEW, without a word in between")
        lasting = not temporary and not live_view
        _refuse(cursor, start, lasting, "CREATE VIEW is not supported yet: write CREATE TEMPORARY VIEW")
        return _view(cursor, names, notes)
    _refuse(cursor, at, replace and kind == _TABLE, "a streaming table is never replaced: write CREATE OR REFRESH")
    _refuse(cursor, second, private and temporary, f"PRIVATE and TEMPORARY mean the same on a {kind}: write PRIVATE")
    if temporary:
        notes.append(f"TEMPORARY on a {kind} is legacy: write PRIVATE")
    return _table(cursor, names, kind, notes, private=private or temporary, refresh=refresh or replace)


def _refuse(cursor: Cursor, at: Lexeme, wrong: bool, message: str) -> None:
    if wrong:
        raise cursor.error(message, at=at)


def _kind(cursor: Cursor, start: Lexeme) -> tuple[str, list[str]]:
    for words, (kind, current) in _HEADS.items():
        if cursor.accept(*words):
            return kind, [f"CREATE {' '.join(words)} is legacy: write {current}"] if current else []
    raise cursor.error(f"CREATE {cursor.look().text} is no pipeline statement; these are: {_KNOWN}", at=start)


def _table(
    cursor: Cursor, names: Iterator[str], kind: str, notes: list[str], *, private: bool, refresh: bool
) -> Statement:
    missing = cursor.accept("IF", "NOT", "EXISTS")
    name, clauses = _dataset(cursor, kind, notes), Clauses()
    read_specification(cursor, clauses)
    _refuse_untyped(cursor, kind, clauses)
    read_clauses(cursor, clauses, kind=kind)
    inline = cursor.accept("FLOW")
    query, flow = _inline_flow(cursor, names) if inline else (_query(cursor, names, kind, needed=kind == _VIEW), {})
    make = CreateMaterializedView if kind == _VIEW else CreateStreamingTable
    return make(
        name=name.text,
        query=query,
        **flow,
        **clauses.fields(),
        private=private,
        or_refresh=refresh,
        if_not_exists=missing,
        notes=_all_notes(notes, query),
        position=cursor.piece.position(0),
    )


def _inline_flow(cursor: Cursor, names: Iterator[str]) -> tuple[Query, dict[str, Any]]:
    """Read what follows FLOW in a streaming table: the query of its own flow, and how that is run."""
    for words in (("REPLACE", "WHERE"), ("UPDATE",)):
        if cursor.sees(*words):
            raise cursor.error(f"FLOW {' '.join(words)} is not supported yet: remove it, or run this on Databricks")
    notes = [_OLD_INLINE] if cursor.sees("APPLY", "CHANGES") else []
    if cursor.accept("AUTO", "CDC") or cursor.accept("APPLY", "CHANGES"):
        once = cursor.accept("ONCE")
        query, changes = read_auto_cdc(cursor, placeholders=names, once=once)
        return replace(query, notes=_all_notes(notes, query)), {"changes": changes}
    if not cursor.accept("INSERT"):
        raise cursor.error(f"expected INSERT … BY NAME or AUTO CDC after FLOW, found {cursor.found()}")
    once = cursor.accept("ONCE")
    cursor.expect("BY", "NAME")
    return read_query(cursor, placeholders=names), {"once": once}


def _refuse_untyped(cursor: Cursor, kind: str, clauses: Clauses) -> None:
    untyped = [column.name for column in clauses.columns if column.type is None]
    if kind == _TABLE and untyped:
        raise cursor.error(f"the column `{untyped[0]}` needs a type", at=cursor.look(-1))


def _view(cursor: Cursor, names: Iterator[str], notes: list[str]) -> CreateView:
    name, clauses = _dataset(cursor, _TEMPORARY_VIEW, notes), Clauses()
    read_specification(cursor, clauses)
    read_clauses(cursor, clauses, kind=_TEMPORARY_VIEW)
    query = _query(cursor, names, _TEMPORARY_VIEW, needed=True)
    return CreateView(
        name=name.text,
        query=query,
        **clauses.fields("columns", "expectations", "comment", "properties"),
        notes=_all_notes(notes, query),
        position=cursor.piece.position(0),
    )


def _flow(cursor: Cursor, names: Iterator[str]) -> CreateFlow:
    name = cursor.name("the flow's name")
    comment = cursor.string("the comment") if cursor.accept("COMMENT") else None
    cursor.expect("AS")
    if cursor.accept("AUTO", "CDC"):
        return _auto_cdc(cursor, names, flow=name.text, comment=comment)
    if cursor.accept("APPLY", "CHANGES"):
        return _auto_cdc(cursor, names, flow=name.text, comment=comment, note=_OLD_NAME)
    if not cursor.sees("INSERT"):
        raise cursor.error(f"expected INSERT INTO … BY NAME or AUTO CDC INTO, found {cursor.found()}")
    cursor.expect("INSERT")
    once = cursor.accept("ONCE")
    cursor.expect("INTO")
    if not cursor.look(1).is_symbol(".") and not cursor.sees("ONCE", "BY", "NAME"):  # else a table of that name
        _refuse(cursor, cursor.look(), once and cursor.sees("ONCE"), "ONCE is given twice: write INSERT ONCE INTO")
        once = cursor.accept("ONCE") or once
    notes: list[str] = []
    target = _dataset(cursor, _TABLE, notes)
    cursor.expect("BY", "NAME")
    query = read_query(cursor, placeholders=names)
    return CreateFlow(
        name=name.text,
        target=target.text,
        query=query,
        once=once,
        comment=comment,
        notes=_all_notes(notes, query),
        position=cursor.piece.position(0),
    )


def _auto_cdc(
    cursor: Cursor, names: Iterator[str], *, flow: str | None, comment: str | None = None, note: str | None = None
) -> CreateFlow:
    once = cursor.accept("ONCE")
    cursor.expect("INTO")
    notes = [note] if note else []
    target = _dataset(cursor, _TABLE, notes)
    query, changes = read_auto_cdc(cursor, placeholders=names, once=once)
    query = replace(query, notes=_all_notes(notes, query))
    return CreateFlow(
        name=flow or target.text,
        target=target.text,
        query=query,
        once=once,
        changes=changes,
        comment=comment,
        notes=query.notes,
        position=cursor.piece.position(0),
    )


def _dataset(cursor: Cursor, kind: str, notes: list[str]) -> Name:
    name = cursor.name(f"the name of the {kind}")
    if name.legacy:
        notes.append(name.note)
    return name


def _query(cursor: Cursor, names: Iterator[str], kind: str, *, needed: bool) -> Query | None:
    if cursor.accept("AS"):
        return read_query(cursor, placeholders=names)
    if needed:
        raise cursor.error(f"a {kind} needs a query: add AS SELECT …")
    return None


def _all_notes(notes: list[str], query: Query | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*notes, *(query.notes if query else ())]))
