"""FORMAT_OPTIONS and COPY_OPTIONS of COPY INTO, checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.autoloader.errors import UnsupportedOption
from helpers.autoloader.formats import READER_OPTIONS, spelled
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import boolean, moment

if TYPE_CHECKING:
    from helpers.sql import CopyInto

_FILES = ("ignoreCorruptFiles", "modifiedAfter", "modifiedBefore", "pathGlobFilter", "recursiveFileLookup")
_COPY = ("force", "mergeSchema")


@dataclass(frozen=True)
class CopyOptions:
    """`reader` goes to Spark's reader; `merge_read` merges what the files have, `merge_schema` lets the table grow."""

    format: str
    reader: Mapping[str, str]
    landing: Landing
    merge_read: bool
    ignore_corrupt: bool
    force: bool
    merge_schema: bool

    @property
    def header(self) -> bool:
        """Whether the first line of each file names its columns."""
        return self.format == "csv" and boolean("header", self.reader.get("header", "false"))


def check_copy_options(statement: CopyInto) -> CopyOptions:
    """The options of one statement; raises UnsupportedOption with the name of one that is not supported."""
    format = spelled(statement.format)
    given = _known(statement.format_options, (*READER_OPTIONS[format], *_FILES), "FORMAT_OPTIONS")
    copy = _known(statement.copy_options, _COPY, "COPY_OPTIONS")
    files = {name: given.pop(name) for name in _FILES if name in given}
    if format == "json" and not _flag(given, "inferSchema", True):
        raise UnsupportedOption("inferSchema=false is not supported for JSON: the types come from the values. "
                                "Set primitivesAsString to true for strings.")
    if format == "xml" and "rowTag" not in given:
        raise UnsupportedOption("The option 'rowTag' is missing: FORMAT_OPTIONS ('rowTag' = 'book') names the "
                                "element that becomes a row.")
    merge_read = _flag(given, "mergeSchema", False)
    if format not in ("parquet", "orc"):
        given.pop("mergeSchema", None)
    return CopyOptions(
        format=format, reader=given, merge_read=merge_read, landing=_landing(statement, files),
        ignore_corrupt=_flag(files, "ignoreCorruptFiles", False),
        force=_flag(copy, "force", False), merge_schema=_flag(copy, "mergeSchema", False),
    )


def _landing(statement: CopyInto, files: Mapping[str, str]) -> Landing:
    return Landing(
        statement.path, files.get("pathGlobFilter"), _flag(files, "recursiveFileLookup", False),
        modified_after=moment("modifiedAfter", files.get("modifiedAfter")),
        modified_before=moment("modifiedBefore", files.get("modifiedBefore")),
    )


def _known(options: Mapping[str, str], names: Iterable[str], clause: str) -> dict[str, str]:
    by_lower = {name.lower(): name for name in names}
    for name in options:
        if name.lower() not in by_lower:
            near = difflib.get_close_matches(name.lower(), by_lower, n=1)
            advice = (f"Did you mean '{by_lower[near[0]]}'?" if near
                      else f"Supported are: {', '.join(sorted(by_lower.values()))}.")
            raise UnsupportedOption(f"The option '{name}' is not supported here in {clause}. {advice}")
    return {by_lower[name.lower()]: value for name, value in options.items()}


def _flag(options: Mapping[str, str], name: str, default: bool) -> bool:
    return boolean(name, options.get(name, str(default)))
