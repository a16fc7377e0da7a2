"""What `spark.sql` understands beyond Spark's own SQL: COPY INTO, and functions over files in any statement."""

from __future__ import annotations

import re
from typing import Any

from helpers import sql
from helpers.autoloader.copy_into import copy_into
from helpers.autoloader.errors import UnsupportedOption
from helpers.autoloader.read_files import read_files
from helpers.autoloader.stream_state import cloud_files_state, table_state

#: Behind spaces and comments, which are never tried in two ways: a text may begin with many.
_COPY = re.compile(r"(?>\s|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*+copy\s+into\b", re.IGNORECASE)
_CALL = re.compile(r"\b(read_files|cloud_files|cloud_files_state)`?\s*\(", re.IGNORECASE)
_SOURCE = "spark.sql"


def run_copy_into(spark: Any, text: str, *, arguments: bool) -> Any | None:
    """The result of a COPY INTO; None for another statement."""
    statement = sql.parse_copy_into(text, source=_SOURCE) if _COPY.match(text) else None
    if statement is None:
        return None
    if arguments:
        raise UnsupportedOption("COPY INTO takes no args here. Write the values into the statement with an f-string.")
    return copy_into(spark, statement)


def with_frames(spark: Any, text: str, named: dict[str, Any], *, arguments: bool) -> tuple[str, dict[str, Any]]:
    """The statement with `{name}` in place of each call, and the frames by name, as `SparkSession.sql` takes them."""
    calls = sql.find_calls(text, source=_SOURCE) if _CALL.search(text) else None
    if calls is None or not calls.sources:
        return text, named
    if arguments:
        # Spark Connect does not find parameters in a statement that has frames.
        raise UnsupportedOption("args together with read_files(…) or cloud_files_state(…) are not supported here. "
                                "Write the values into the statement with an f-string.")
    # Without named frames of the caller's, braces in the text are the text's own.
    parts = calls.parts if named else tuple(part.replace("{", "{{").replace("}", "}}") for part in calls.parts)
    whole = parts[0] + "".join(f"{{{source.placeholder}}}{part}"
                               for source, part in zip(calls.sources, parts[1:], strict=True))
    return whole, {**named, **{source.placeholder: _frame(spark, source, calls.metadata) for source in calls.sources}}


def _frame(spark: Any, source: sql.FileSource | sql.StateSource, metadata: bool) -> Any:
    if isinstance(source, sql.StateSource):
        return table_state(spark, source.table) if source.table else cloud_files_state(spark, source.checkpoint)
    frame = read_files(spark, source.path, format=source.format, options=source.options)
    return frame.select("*", "_metadata") if metadata else frame
