"""Calls of `read_files(…)` and `cloud_files_state(…)` in any statement that `spark.sql` takes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from helpers.sql.blocks import METADATA
from helpers.sql.cursor import Cursor
from helpers.sql.files import FILE_FUNCTIONS, file_source
from helpers.sql.lexemes import Lexeme
from helpers.sql.literals import literal
from helpers.sql.query import read_query
from helpers.sql.source import Source, split, substitute
from helpers.sql.statements import FileSource

_STATE = "cloud_files_state"


@dataclass(frozen=True)
class StateSource:
    """A `cloud_files_state('checkpoint')` call, or one of `TABLE(table)`."""

    placeholder: str
    checkpoint: str = ""
    table: str | None = None


@dataclass(frozen=True)
class Calls:
    """A statement without its calls: `parts` are the texts between them. With `metadata`, it names `_metadata`."""

    parts: tuple[str, ...]
    sources: tuple[FileSource | StateSource, ...]
    metadata: bool = False


def find_calls(text: str, *, source: str) -> Calls:
    """Find the calls in one statement; each is to be replaced by a relation.

    Raises PipelineSyntaxError for a call that is not written as one, or that this statement cannot have here.
    """
    whole = Source(source, text)
    pieces = list(split(whole))
    if len(pieces) != 1:
        raise whole.error("expected one statement", offset=pieces[1][0].start if pieces else 0)
    cursor = Cursor(substitute(whole, pieces[0], {}))
    calls = _calls(cursor)
    if calls.sources and cursor.lexemes[0].word == "CREATE" and "VIEW" in [each.word for each in cursor.lexemes[1:6]]:
        raise cursor.error("a view of files is not supported in SQL here: write spark.sql(\"SELECT …\")"
                           ".createOrReplaceTempView(…)", at=cursor.lexemes[0])
    return _with_metadata(cursor) if calls.metadata and calls.sources else calls


def _calls(cursor: Cursor) -> Calls:
    names = _placeholders()
    parts, sources, metadata, at = [], [], False, 0
    while not cursor.done:
        start = cursor.next()
        metadata = metadata or (start.is_name and start.text.lower() == METADATA)
        if start.is_name and start.text.lower() in (*FILE_FUNCTIONS, _STATE) and cursor.accept_symbol("("):
            sources.append(_call(cursor, start, names))
            parts.append(cursor.text_between(at, start.start))
            at = cursor.look(-1).end
    return Calls((*parts, cursor.text_between(at, len(cursor.piece.text))), tuple(sources), metadata)


def _with_metadata(cursor: Cursor) -> Calls:
    """The same for a query that names `_metadata`, which its files then show as a column, and its `*` does not."""
    depth, cursor.at = 0, 0
    while not cursor.done and (depth or cursor.look().word not in ("SELECT", "WITH")):
        lexeme = cursor.next()
        depth += lexeme.is_symbol("(") - lexeme.is_symbol(")")
    head = cursor.text_between(0, cursor.look().start)
    query = read_query(cursor, placeholders=_placeholders())
    parts = re.split("|".join(rf"\b{each.placeholder}\b" for each in query.file_sources), query.text)
    return Calls((head + parts[0], *parts[1:]), query.file_sources, metadata=True)


def _placeholders() -> Iterator[str]:
    return (f"__files_{number}" for number in count(1))


def _call(cursor: Cursor, start: Lexeme, names: Iterator[str]) -> FileSource | StateSource:
    function = start.text.lower()
    before = cursor.look(-4) if cursor.look(-3).is_symbol("(") else cursor.look(-3)
    if before.word == "STREAM" or function == "cloud_files":
        what = function if function == "cloud_files" else f"STREAM {function}"
        raise cursor.error(f"{what}(…) is for streaming tables in a pipeline: read with {function}(…) without STREAM, "
                           'or as a stream with spark.readStream.format("cloudFiles")', at=start)
    if function == _STATE:
        return _state(cursor, next(names))
    return file_source(cursor, function, placeholder=next(names), streaming=False, at=start)


def _state(cursor: Cursor, name: str) -> StateSource:
    if not cursor.accept("TABLE"):
        checkpoint = literal(cursor, what="the checkpoint of cloud_files_state, or TABLE(…)")
        cursor.expect_symbol(")")
        return StateSource(name, checkpoint)
    cursor.expect_symbol("(")
    table = cursor.name("a streaming table").text
    cursor.expect_symbol(")")
    cursor.expect_symbol(")")
    return StateSource(name, table=table)
