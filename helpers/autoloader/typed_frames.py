"""A stream of Parquet or ORC files, and of the formats whose columns are always the same."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from helpers.autoloader.columns import column
from helpers.autoloader.errors import EmptyLandingFolder, UnsupportedPath
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.json_types import field, nullable, settled, struct
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import CloudOptions
from helpers.autoloader.sources import file_source, worker_function
from helpers.autoloader.typed_files import conflicting, file_schema, widest
from helpers.autoloader.typed_guard import typed_guard

TYPED = ("parquet", "orc")
#: The columns of the formats that have no schema of their own.
FIXED: dict[str, dict[str, Any]] = {
    "text": struct([field("value", "string")]),
    "binaryFile": struct([field("path", "string"), field("modificationTime", "timestamp"), field("length", "long"),
                          field("content", "binary")]),
}


def infer_typed(landing: Landing, options: CloudOptions) -> dict[str, Any]:
    """The columns of all sampled files; of two types for one column the wider, or the first where none is."""
    schema: Any = struct([])
    for path in landing.sample():
        schema = widest(schema, _file_schema(path, options.format))
    fields = [each for each in settled(schema)["fields"] if each["name"] != options.rescued_column]  # type: ignore[index]
    if not fields:
        raise EmptyLandingFolder(f"The schema cannot be inferred: no file in {landing.path} has a column. "
                                 "Land a file with columns first, or give the schema with .schema(…).")
    return struct(fields)


def typed_frame(spark: Any, landing: Landing, options: CloudOptions, evolution: Evolution) -> Any:
    """The rows behind the guard, with the rescued data column if the options have one.

    Where nothing is rescued and nothing stops the stream, only files with another type need the guard.
    """
    columns, bare = StructType.fromJson(evolution.schema), StructType.fromJson(nullable(evolution.schema))
    differing = _differing(landing, options, evolution.schema)
    if not (options.guarded or differing):
        return file_source(spark, landing, options, columns, options.reader)
    read = StructType([each for each in columns if each.name not in differing])
    returns = StructType([*(StructField(f"v{place}", bare[name].dataType) for place, name in enumerate(differing)),
                          StructField("rescued", StringType())])
    place = F.col("_metadata.row_index") if options.format == "parquet" else F.lit(-1).cast("long")
    guard = worker_function(typed_guard(evolution, options.format, differing), returns)
    frame = file_source(spark, landing, options, read, options.reader).withColumn("__found", guard(
        F.col("_metadata.file_path"), F.col("_metadata.file_block_start"), place))
    found = F.col("__found")
    # This filter is always true, but Spark does not know it: so no query can leave the guard out.
    frame = frame.filter(found["rescued"].isNull() | (F.length(found["rescued"]) > 0))
    shown = [found[f"v{differing.index(each.name)}"].alias(each.name) if each.name in differing
             else column(each.name) for each in columns]
    rescued = [found["rescued"].alias(options.rescued_column)] if options.rescued_column else []
    return frame.select(*shown, *rescued)


def _differing(landing: Landing, options: CloudOptions, schema: dict[str, Any]) -> tuple[str, ...]:
    """The columns that a file has with another type or in another case: Spark would stop, or mix them."""
    found: set[str] = set()
    for path in landing.files():
        if path not in landing.without:
            found.update(own for own, _ in conflicting(schema, _file_schema(path, options.format)))
    return tuple(each["name"] for each in schema["fields"] if each["name"] in found)


def _file_schema(path: str, format: str) -> dict[str, Any]:
    try:
        return file_schema(path, format)
    except (OSError, ValueError, NotImplementedError) as error:
        raise UnsupportedPath(f"{path} is no whole {format} file ({error}). Remove it, and land the whole file under a "
                              "new name: a stream reads each name once. Write files elsewhere, and move them in when "
                              "they are complete.") from error
