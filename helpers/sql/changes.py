"""Whether a statement is a query, or changes something."""

import itertools

from helpers.sql.lexemes import UnreadableText, tokenize

_CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "CREATE", "REPLACE", "RESTORE", "DROP", "ALTER", "COPY",
            "OPTIMIZE", "VACUUM")
#: How a change goes on behind WITH … or FROM …
_BEHIND = {("INSERT", "INTO"), ("INSERT", "OVERWRITE"), ("DELETE", "FROM"), ("MERGE", "INTO")}


def changes(statement: str) -> bool:
    """Whether a SQL statement does something, and is no query."""
    try:
        words = [lexeme.word or lexeme.text for lexeme in tokenize(statement)]
    except UnreadableText:
        words = statement.upper().split()
    if words and words[0] in ("WITH", "FROM"):
        pairs = itertools.pairwise(words)
        return any(pair in _BEHIND or pair == (")", "UPDATE") for pair in pairs)
    return bool(words) and words[0] in _CHANGES
