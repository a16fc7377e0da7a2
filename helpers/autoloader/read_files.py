"""`read_files`: as a batch the files that are there now, with a schema inferred anew at every call, or as a stream.

https://docs.databricks.com/aws/en/sql/language-manual/functions/read_files
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from helpers.autoloader.errors import EmptyLandingFolder, UnsupportedOption
from helpers.autoloader.inference import with_hints
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import boolean, check_options, moment, read_files_options
from helpers.autoloader.streams import frame_of, given_schema, inferred_schema, landing_of, stream_files
from helpers.autoloader.typed_frames import FIXED

_STREAM_ONLY = ("schemaLocation", "maxFilesPerTrigger", "maxBytesPerTrigger", "includeExistingFiles", "allowOverwrites")
_EXTENSIONS = {"json": "json", "jsonl": "json", "ndjson": "json", "csv": "csv", "tsv": "csv", "parquet": "parquet",
               "orc": "orc", "xml": "xml", "txt": "text", "avro": "avro"}
_COMPRESSED = ("gz", "gzip", "bz2", "zst", "zstd", "lz4", "snappy", "deflate")


def read_files(
    spark: Any,
    path: str,
    *,
    format: str | None = None,
    options: Mapping[str, str] | None = None,
) -> Any:
    """A DataFrame of all files under `path`, with the hidden column `_metadata`.

    `options` are the named arguments, without a prefix. Types are inferred, and what fits no column is rescued, unless
    the options or a schema say otherwise; a format that is not given is found from the files' names.
    """
    for name in options or {}:
        if name.lower() in {each.lower() for each in _STREAM_ONLY}:
            raise UnsupportedOption(f"The option '{name}' is for STREAM read_files(…). Remove it.")
    named = _named(path, format, options or {}, prefixed=False)
    checked = check_options(named.options, explicit_schema=bool(named.schema), format=named.format, streaming=False)
    if checked.mode != "none" and checked.format not in FIXED:
        # Nothing can stop or grow here: the schema comes from the files that are read.
        checked = replace(checked, mode="rescue")
    landing = landing_of(path, checked)
    landing.check()
    given = named.schema or FIXED.get(checked.format)
    if given:
        return frame_of(spark, landing, checked, given_schema(spark, landing, checked, given))
    found = with_hints(spark, inferred_schema(spark, landing, checked), checked.schema_hints)
    return frame_of(spark, landing, checked, found)


def stream_read_files(
    spark: Any, path: str, *, format: str | None = None, options: Mapping[str, str], prefixed: bool = False
) -> Any:
    """The stream of `STREAM read_files(…)`: Auto Loader with the options and the defaults of `read_files`.

    With `prefixed`, that of `cloud_files(…)`, whose options and defaults are those of `format("cloudFiles")`.
    """
    named = _named(path, format, options, prefixed=prefixed)
    return stream_files(spark, path, format=named.format, options=named.options, schema=named.schema)


class _Named(NamedTuple):
    format: str
    options: Mapping[str, str]
    schema: str | None


def _named(path: str, format: str | None, options: Mapping[str, str], *, prefixed: bool) -> _Named:
    """The named arguments: `schema` is one of them, and a format that is missing is found from the files' names."""
    by_lower = {name.lower(): value for name, value in options.items()}
    chosen = format or detected_format(_filtered(path, by_lower))
    others = {name: value for name, value in options.items() if name.lower() != "schema"}
    return _Named(chosen, others if prefixed else read_files_options(others), by_lower.get("schema"))


def _filtered(path: str, by_lower: Mapping[str, str]) -> Landing:
    """The files whose names tell the format: those that will be read."""
    return Landing(path, by_lower.get("pathglobfilter"),
                   boolean("recursiveFileLookup", by_lower.get("recursivefilelookup", "false")),
                   modified_after=moment("modifiedAfter", by_lower.get("modifiedafter")),
                   modified_before=moment("modifiedBefore", by_lower.get("modifiedbefore")))


def detected_format(landing: Landing) -> str:
    """The one format that the names of the files speak of."""
    landing.check()
    files = landing.files()
    if not files:
        raise EmptyLandingFolder(f"{landing.path} holds no files, so their format cannot be found. Land a file first, "
                                 "or give it, with format => 'json' for example.")
    endings = {_extension(path) for path in files}
    found = {_EXTENSIONS.get(ending, "binaryFile") for ending in endings}
    if len(found) > 1:
        raise UnsupportedOption(f"The files in {landing.path} end in {', '.join(sorted(endings))}: their format is not "
                                "clear. Give it, with format => 'json' for example.")
    return found.pop()


def _extension(path: str) -> str:
    parts = os.path.basename(path).lower().split(".")[1:]
    if parts and parts[-1] in _COMPRESSED:
        parts.pop()
    return parts[-1] if parts else ""
