"""Queries of the event log in Databricks' words: ``event_log(TABLE(t))``, ``event_log('<id>')``, ``details:a.b``.

Imitates https://docs.databricks.com/aws/en/sql/language-manual/functions/event_log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from helpers.pipelines.errors import UnknownTable
from helpers.pipelines.event_log import table_name
from helpers.pipelines.names import parts, quoted, quoted_part
from helpers.pipelines.tables import OWNER
from helpers.sql.lexemes import Lexeme, UnreadableText, tokenize

#: An edit of the text: from, to, and what comes in its place.
_Edit = tuple[int, int, str]


def rewritten(text: str, *, of_table: Callable[[str], str], of_pipeline: Callable[[str], str]) -> str:
    """The text as open-source Spark reads it; ``of_table`` and ``of_pipeline`` give the event log's table.

    A path into ``details`` becomes get_json_object, in a text that names an event log; other texts stay as they are.
    """
    if not re.search("event_log", text, re.IGNORECASE):
        return text
    try:
        lexemes = tokenize(text)
    except UnreadableText:
        return text  # Spark says what is wrong with it
    edits: list[_Edit] = []
    for at in range(len(lexemes)):
        edit = _call(text, lexemes, at, of_table, of_pipeline) or _path(text, lexemes, at)
        if edit is not None:
            edits.append(edit)
    for start, end, new in reversed(edits):
        text = text[:start] + new + text[end:]
    return text


def _call(text: str, lexemes: Sequence[Lexeme], at: int, of_table: Callable[[str], str],
          of_pipeline: Callable[[str], str]) -> _Edit | None:
    """``event_log(…)`` at this place, as the table that it means."""
    if lexemes[at].word != "EVENT_LOG" or not _symbols(lexemes, at + 1, "("):
        return None
    first = at + 2
    if first < len(lexemes) and lexemes[first].kind == "string" and _symbols(lexemes, first + 1, ")"):
        return lexemes[at].start, lexemes[first + 1].end, of_pipeline(lexemes[first].text)
    if first < len(lexemes) and lexemes[first].word == "TABLE" and _symbols(lexemes, first + 1, "("):
        end = first + 2
        while end < len(lexemes) and not lexemes[end].is_symbol(")"):
            end += 1
        if _symbols(lexemes, end, ")", ")"):
            name = text[lexemes[first + 1].end : lexemes[end].start].strip()
            return lexemes[at].start, lexemes[end + 1].end, of_table(name)
    return None


def _symbols(lexemes: Sequence[Lexeme], at: int, *symbols: str) -> bool:
    found = lexemes[at : at + len(symbols)]
    return len(found) == len(symbols) and all(one.is_symbol(text) for one, text in zip(found, symbols, strict=True))


def _path(text: str, lexemes: Sequence[Lexeme], at: int) -> _Edit | None:
    """``details:a.b[0]:c`` at this place, as a call of get_json_object."""
    if lexemes[at].text.lower() != "details" or not lexemes[at].is_name or not _symbols(lexemes, at + 1, ":"):
        return None
    found = re.match(r":(?!:)(?:`[^`]+`|\w+)(?:(?::(?!:)|\.)(?:`[^`]+`|\w+)|\[\d+\])*", text[lexemes[at].end:])
    if found is None:
        return None
    start = at
    while start >= 2 and lexemes[start - 1].is_symbol(".") and lexemes[start - 2].is_name:
        start -= 2
    path = found[0].replace("`", "").replace(":", ".").removeprefix(".")
    column = text[lexemes[start].start : lexemes[at].end]
    return lexemes[start].start, lexemes[at].end + found.end(), f"get_json_object({column}, '$.{path}')"


def with_event_log(spark: Any, text: str) -> str:
    """The text of a statement with every event log in it found in this session's catalog."""
    return rewritten(text, of_table=lambda name: _of_table(spark, name), of_pipeline=lambda key: _of_id(spark, key))


def _of_table(spark: Any, name: str) -> str:
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {quoted(name)}").collect()}
    if OWNER not in properties:
        raise UnknownTable(f"'{name}' is no streaming table or materialized view of a pipeline, so it has no event "
                           "log. Name a table that a pipeline has made.")
    *schema, _ = parts(name)
    return ".".join(quoted_part(part) for part in [*schema, table_name(properties[OWNER])])


def _of_id(spark: Any, pipeline_id: str) -> str:
    table = table_name(pipeline_id)
    schemas = [spark.catalog.currentDatabase(), *(row[0] for row in spark.sql("SHOW SCHEMAS").collect())]
    for schema in dict.fromkeys(schemas):
        name = f"{quoted_part(schema)}.{quoted_part(table)}"
        if re.fullmatch(r"\w+", table) and spark.catalog.tableExists(name):
            return name
    raise UnknownTable(f"No pipeline has the id '{pipeline_id}' and an event log here. `pipeline.pipeline_id` and each "
                       "update's report tell it.")
