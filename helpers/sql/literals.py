"""Literal values in a call's arguments and in table properties, as text."""

from helpers.sql.cursor import Cursor


def literal(cursor: Cursor, *, what: str) -> str:
    """Take a literal (strings may be joined by `||`); numbers stay as written, booleans become true or false."""
    value = _single(cursor, what)
    while cursor.accept_symbol("||"):
        value += cursor.string(f"{what}: what stands after `||`")
    return value


def _single(cursor: Cursor, what: str) -> str:
    if cursor.look().kind == "string":
        return cursor.string(what)
    for word in ("TRUE", "FALSE"):
        if cursor.accept(word):
            return word.lower()
    sign = "-" if cursor.accept_symbol("-") else ""
    if not sign:
        cursor.accept_symbol("+")
    lexeme = cursor.look()
    if lexeme.kind != "number":
        raise cursor.error(
            f"{what} must be a literal (a string, number, TRUE or FALSE), found {cursor.found()}; "
            "put a changing value in as a `${parameter}`"
        )
    cursor.next()
    return sign + cursor.text_between(lexeme.start, lexeme.end)
