"""A query as Spark can read it, with what it reads; text outside the few rewrites stays as it is."""

from collections.abc import Iterator
from dataclasses import replace

from helpers.sql.blocks import METADATA, Block, Edit, star_edits
from helpers.sql.cursor import Cursor
from helpers.sql.lexemes import QUERY_STARTS
from helpers.sql.relations import read_relation
from helpers.sql.scan import Scan
from helpers.sql.statements import Query


def read_query(cursor: Cursor, *, placeholders: Iterator[str]) -> Query:
    """Read from the cursor to the end of its statement as one query."""
    if cursor.look().word not in QUERY_STARTS and not cursor.sees_symbol("("):
        raise cursor.error(f"expected a query (SELECT, WITH, FROM, VALUES or TABLE), found {cursor.found()}")
    start = cursor.look().start
    scan = Scan(cursor, placeholders)
    scan.query(frozenset())
    if not cursor.done:
        raise cursor.error("this `)` closes nothing")
    with_files = [block for block in scan.blocks if block.reads_files]
    uses_metadata = any(block.names_metadata for block in with_files)
    edits = scan.edits + _live_edits(cursor, scan.live_names)
    for block in with_files if uses_metadata else ():
        edits += _metadata_edits(cursor, block)
    return Query(
        text=_apply(cursor.piece.text, edits, start),
        inputs=tuple(dict.fromkeys(scan.inputs)),
        file_sources=tuple(scan.files),
        uses_metadata=uses_metadata,
        notes=tuple(dict.fromkeys(scan.notes)),
        position=cursor.piece.position(start),
    )


def read_source(cursor: Cursor, *, placeholders: Iterator[str], as_stream: bool) -> Query:
    """Read what stands in a FROM clause as the query of all its columns.

    It must be read as a stream; `as_stream` makes a stream of what is named without STREAM.
    """
    first = cursor.look()
    query = first.is_symbol("(") and cursor.look(1).word in QUERY_STARTS
    scan = Scan(cursor, placeholders)
    read_relation(scan, Block(), frozenset())
    if any(read.skip_change_commits for read in scan.inputs):
        cursor.at += 4  # WITH (SKIPCHANGECOMMITS), which the relation has made an edit of
    reads = (*scan.inputs, *scan.files)
    if len(reads) != 1:
        raise cursor.error("AUTO CDC reads one table, view or read_files(…): put a query into a view", at=first)
    if not reads[0].streaming and not as_stream:
        raise cursor.error("AUTO CDC reads a stream: write STREAM before its source", at=first)
    if not reads[0].streaming and query:
        raise cursor.error("AUTO CDC reads one table, view or read_files(…): put the query into a view", at=first)
    stream = [] if reads[0].streaming else [Edit(first.start, first.start, "STREAM ")]
    end = cursor.look(-1).end
    live = [edit for edit in _live_edits(cursor, scan.live_names) if first.start <= edit.start < end]
    text = _apply(cursor.text_between(0, end), scan.edits + stream + live, first.start)
    return Query(
        text=f"SELECT * FROM {text}",
        inputs=tuple(replace(read, streaming=True) for read in scan.inputs),
        file_sources=tuple(replace(read, streaming=True) for read in scan.files),
        notes=tuple(dict.fromkeys(scan.notes)),
        position=cursor.piece.position(first.start),
    )


def _live_edits(cursor: Cursor, names: set[str]) -> list[Edit]:
    """Take LIVE. off the tables read and off columns qualified with them."""
    edits = []
    for index, live in enumerate(cursor.lexemes[:-2]):
        dot, name = cursor.lexemes[index + 1 : index + 3]
        qualified = index and cursor.lexemes[index - 1].is_symbol(".")
        if live.word == "LIVE" and dot.is_symbol(".") and name.text.lower() in names and not qualified:
            edits.append(Edit(live.start, name.start, ""))
    return edits


def _metadata_edits(cursor: Cursor, block: Block) -> list[Edit]:
    if block.pipe is None:
        return star_edits(cursor, block)
    pipe = cursor.lexemes[block.pipe]
    raise cursor.error(f"`{METADATA}` together with pipe syntax is not supported: write SELECT … FROM", at=pipe)


def _apply(text: str, edits: list[Edit], start: int) -> str:
    result = ""
    for edit in sorted(edits, key=lambda each: (each.start, each.end)):
        result, start = result + text[start : edit.start] + edit.text, edit.end
    return result + text[start:]
