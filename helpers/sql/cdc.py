"""AUTO CDC, once its target is read: the source of the changes and the clauses that say how they are applied.

Imitates https://docs.databricks.com/aws/en/ldp/developer/ldp-sql-ref-apply-changes-into.
"""

from collections.abc import Iterator
from typing import Any

from helpers.sql.cursor import Cursor
from helpers.sql.lexemes import Lexeme, subquery
from helpers.sql.query import read_source
from helpers.sql.statements import AutoCdc, ColumnChoice, Query

_KEYS, _NULLS, _DELETE, _TRUNCATE = "KEYS", "IGNORE NULL UPDATES", "APPLY AS DELETE WHEN", "APPLY AS TRUNCATE WHEN"
_SEQUENCE, _COLUMNS, _STORED, _TRACK = "SEQUENCE BY", "COLUMNS", "STORED AS", "TRACK HISTORY ON"
#: In the order in which they must stand.
_CLAUSES = (_KEYS, _NULLS, _DELETE, _TRUNCATE, _SEQUENCE, _COLUMNS, _STORED, _TRACK)
_UNSUPPORTED = ("SYSTEM SEQUENCE BY", "COLUMNS TO UPDATE", "WHERE")
#: The first words of what may follow an expression.
_ENDS_EXPRESSION = tuple(tuple(clause.split()[:2]) for clause in (*_CLAUSES, *_UNSUPPORTED))


def read_auto_cdc(cursor: Cursor, *, placeholders: Iterator[str], once: bool) -> tuple[Query, AutoCdc]:
    """Read from FROM to the end of the statement."""
    cursor.expect("FROM")
    if cursor.sees("SNAPSHOT") and cursor.look(1).is_symbol("("):
        raise cursor.error("FROM SNAPSHOT is not supported in SQL: use dp.create_auto_cdc_from_snapshot_flow in Python")
    query = read_source(cursor, placeholders=placeholders, as_stream=once)
    places: dict[str, Lexeme] = {}
    values: dict[str, Any] = {}
    while not cursor.done:
        at, clause = cursor.look(), _next_clause(cursor, places)
        places[clause] = at
        values[clause] = _value(cursor, clause)
    for needed, form in ((_KEYS, "KEYS (column, …)"), (_SEQUENCE, "SEQUENCE BY column")):
        if needed not in values:
            raise cursor.error(f"AUTO CDC needs {form}, found {cursor.found()}")
    scd_type = values.get(_STORED, 1)
    _check_type(cursor, places, scd_type)
    return query, AutoCdc(
        keys=values[_KEYS],
        sequence_by=values[_SEQUENCE],
        ignore_null_updates=_NULLS in values,
        apply_as_deletes=values.get(_DELETE),
        apply_as_truncates=values.get(_TRUNCATE),
        columns=values.get(_COLUMNS),
        scd_type=scd_type,
        track_history=values.get(_TRACK),
        once=once,
    )


def _next_clause(cursor: Cursor, seen: dict[str, Lexeme]) -> str:
    """Take the words of the clause that comes next; an unknown, repeated or misplaced one is an error."""
    for clause in _UNSUPPORTED:
        if cursor.sees(*clause.split()):
            raise cursor.error(f"{clause} in AUTO CDC is not supported here: remove it, or run this on Databricks")
    at = cursor.look()
    clause = next((clause for clause in _CLAUSES if cursor.accept(*clause.split())), None)
    if clause is None:
        left = [each for each in _CLAUSES if each not in seen]
        raise cursor.error(f"expected {', '.join(left)} or the end, found {cursor.found()}")
    if clause in seen:
        raise cursor.error(f"{clause} is given twice", at=at)
    later = next((each for each in seen if _CLAUSES.index(each) > _CLAUSES.index(clause)), None)
    if later:
        raise cursor.error(f"{clause} must stand before {later}", at=at)
    return clause


def _value(cursor: Cursor, clause: str) -> Any:
    if clause == _KEYS:
        return _names(cursor, clause)
    if clause == _NULLS:
        return _ignored_nulls(cursor)
    if clause == _STORED:
        return _scd_type(cursor)
    if clause in (_COLUMNS, _TRACK):
        return _choice(cursor, clause)
    return _expression(cursor, clause)


def _ignored_nulls(cursor: Cursor) -> bool:
    if cursor.sees("ON"):
        raise cursor.error("IGNORE NULL UPDATES ON … is not supported here: leave ON and its columns out")
    return True


def _scd_type(cursor: Cursor) -> int:
    if cursor.sees("BITEMPORAL"):
        raise cursor.error("STORED AS BITEMPORAL is not supported here: write STORED AS SCD TYPE 1 or 2")
    cursor.expect("SCD", "TYPE")
    lexeme = cursor.look()
    if lexeme.kind != "number" or lexeme.text not in ("1", "2"):
        raise cursor.error(f"SCD TYPE is 1 or 2, found {cursor.found()}")
    return int(cursor.next().text)


def _choice(cursor: Cursor, clause: str) -> ColumnChoice | None:
    """Take `* EXCEPT (a, b)`, `(a, b)` or `a, b`; nothing is chosen by a `*` alone."""
    if cursor.accept_symbol("*"):
        return ColumnChoice(_names(cursor, f"{clause} * EXCEPT"), all_but=True) if cursor.accept("EXCEPT") else None
    if cursor.sees_symbol("("):
        return ColumnChoice(_names(cursor, clause))
    names = [_name(cursor, clause)]
    while cursor.accept_symbol(","):
        names.append(_name(cursor, clause))
    return ColumnChoice(tuple(names))


def _names(cursor: Cursor, clause: str) -> tuple[str, ...]:
    cursor.expect_symbol("(")
    names: list[str] = []
    while not names or cursor.accept_symbol(","):
        at = cursor.look()
        names.append(_name(cursor, clause))
        if names[-1].lower() in [name.lower() for name in names[:-1]]:
            raise cursor.error(f"{clause} names the column `{names[-1]}` twice", at=at)
    cursor.expect_symbol(")")
    return tuple(names)


def _name(cursor: Cursor, clause: str) -> str:
    name = cursor.identifier(f"a column in {clause}")
    if cursor.sees_symbol("."):
        raise cursor.error(f"{clause} takes columns, not their fields: name `{name}`, or make the field a column")
    return name


def _expression(cursor: Cursor, clause: str) -> str:
    """Take an expression as written, up to the next clause outside of parentheses."""
    first, depth, start = cursor.look(), 0, cursor.at
    while not cursor.done and (depth or not any(cursor.sees(*words) for words in _ENDS_EXPRESSION)):
        lexeme = cursor.next()
        depth += lexeme.is_symbol("(") - lexeme.is_symbol(")")
        if depth < 0:
            raise cursor.error("this `)` closes nothing", at=lexeme)
    query = subquery(cursor.lexemes[start:cursor.at])
    if query is not None:
        raise cursor.error(f"{clause} may not contain a subquery", at=query)
    if depth:
        raise cursor.error(f"a parenthesis of {clause} is never closed: add `)`", at=first)
    if cursor.look() is first or first.kind == "end":
        raise cursor.error(f"{clause} needs an expression, found {cursor.found()}")
    return cursor.text_between(first.start, cursor.look(-1).end)


def _check_type(cursor: Cursor, places: dict[str, Lexeme], scd_type: int) -> None:
    if scd_type == 2 and _TRUNCATE in places:
        raise cursor.error("APPLY AS TRUNCATE WHEN is for SCD TYPE 1 only: remove it", at=places[_TRUNCATE])
    if scd_type == 1 and _TRACK in places:
        raise cursor.error("TRACK HISTORY ON needs STORED AS SCD TYPE 2", at=places[_TRACK])
