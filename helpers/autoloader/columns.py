"""Columns by name, and the path of the file that a row is from."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F


def column(name: str) -> Any:
    """The column with exactly this name, whatever is in it."""
    return F.col("`" + name.replace("`", "``") + "`")


def decoded(text: Any) -> Any:
    """A text with what a URI writes as %20 put back; a plus sign stays one."""
    return F.url_decode(F.replace(text, F.lit("+"), F.lit("%2B")))


def file_path() -> Any:
    """The file system's path of the row's file, with one slash at its start."""
    return F.regexp_replace(decoded(F.col("_metadata.file_path")), "^file:/+", "/")
