"""`read_files` as a batch: the files that are there now, with a schema inferred anew at every call.

https://docs.databricks.com/aws/en/sql/language-manual/functions/read_files
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyspark.sql.types import StructType

from helpers.autoloader.errors import EmptyLandingFolder, UnsupportedOption
from helpers.autoloader.inference import with_hints
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import check_options, read_files_options
from helpers.autoloader.streams import frame_of, given_schema, inferred_schema, landing_of
from helpers.autoloader.typed_frames import FIXED

_STREAM_ONLY = ("schemaLocation", "maxFilesPerTrigger", "maxBytesPerTrigger", "includeExistingFiles", "allowOverwrites")
_EXTENSIONS = {"json": "json", "jsonl": "json", "ndjson": "json", "csv": "csv", "tsv": "csv", "parquet": "parquet",
               "orc": "orc", "xml": "xml", "txt": "text", "avro": "avro"}
_COMPRESSED = ("gz", "bz2", "zst", "lz4", "snappy", "deflate")


def read_files(
    spark: Any,
    path: str,
    *,
    format: str | None = None,
    options: Mapping[str, str] | None = None,
    schema: str | StructType | None = None,
) -> Any:
    """A DataFrame of all files under `path`, with the hidden column `_metadata`.

    `options` are the named arguments, without a prefix. Types are inferred, and what fits no column is rescued, unless
    the options or a schema say otherwise; a format that is not given is found from the files' names.
    """
    options = dict(options or {})
    for name in options:
        if name.lower() in {each.lower() for each in _STREAM_ONLY}:
            raise UnsupportedOption(f"The option '{name}' is for STREAM read_files(…). Remove it.")
    glob = next((value for name, value in options.items() if name.lower() == "pathglobfilter"), None)
    chosen = format or detected_format(Landing(path, glob))
    checked = check_options(read_files_options(options), explicit_schema=bool(schema), format=chosen, streaming=False)
    if checked.mode != "none" and checked.format not in FIXED:
        # Nothing can stop or grow here: the schema comes from the files that are read.
        checked = replace(checked, mode="rescue")
    landing = landing_of(path, checked)
    landing.check()
    given = schema or FIXED.get(checked.format)
    if given:
        return frame_of(spark, landing, checked, given_schema(spark, landing, checked, given))
    found = with_hints(spark, inferred_schema(spark, landing, checked), checked.schema_hints)
    return frame_of(spark, landing, checked, found)


def detected_format(landing: Landing) -> str:
    """The one format that the names of the files speak of."""
    landing.check()
    files = landing.files()
    if not files:
        raise EmptyLandingFolder(f"{landing.path} holds no files, so their format cannot be found. Land a file first.")
    found = {_extension(path) for path in files}
    if len(found) > 1:
        raise UnsupportedOption(f"The files in {landing.path} end in {', '.join(sorted(found))}: their format is not "
                                "clear. Give it, with format => 'json' for example.")
    return _EXTENSIONS.get(found.pop(), "binaryFile")


def _extension(path: str) -> str:
    parts = os.path.basename(path).lower().split(".")[1:]
    if parts and parts[-1] in _COMPRESSED:
        parts.pop()
    return parts[-1] if parts else ""
