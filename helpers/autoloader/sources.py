"""Spark's own file source as every stream here uses it, and the way that code reaches Spark's Python workers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from pyspark import cloudpickle
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from helpers.autoloader.columns import file_path
from helpers.autoloader.landing import Landing, escaped, local
from helpers.autoloader.options import CloudOptions
from helpers.autoloader.overwrites import MARK

DAMAGED = "__damaged_line"
_FOREVER = "36500d"


def file_source(
    spark: Any, landing: Landing, options: CloudOptions, schema: str | StructType, reader: Mapping[str, str]
) -> Any:
    """A stream, or for a batch a DataFrame, of Spark's reader for the format."""
    if not options.streaming:
        batch = spark.read.format(options.format).schema(schema).options(**reader)
        batch, files = batch.option("recursiveFileLookup", "true"), landing.files()
        if files:
            return batch.load([escaped(path) for path in files])
        # Spark reads no list of no files, so this reads those of the folder that are older than all files.
        return batch.option("modifiedBefore", "1900-01-01T00:00:00").load(escaped(landing.root))
    stream = spark.readStream.format(options.format).schema(schema).options(**reader)
    if options.max_bytes_per_trigger:
        stream = stream.option("maxBytesPerTrigger", str(options.max_bytes_per_trigger))
    else:
        stream = stream.option("maxFilesPerTrigger", str(options.max_files_per_trigger))
    stream = stream.option("recursiveFileLookup", "true").option(MARK, str(options.allow_overwrites).lower())
    if options.mode == "failOnNewColumns":
        # Removing the file that stopped the stream is a documented way on; the checkpoint still names it.
        stream = stream.option("ignoreMissingFiles", "true")
    # Spark would pass over a file that is older than the newest by a week.
    return _chosen(stream.option("maxFileAge", _FOREVER).load(local(landing.path)), landing)


def _chosen(frame: Any, landing: Landing) -> Any:
    """Without the files that the landing leaves out, which a stream of Spark's cannot: none of them is read."""
    modified = F.col("_metadata.file_modification_time")
    if landing.modified_after is not None:
        frame = frame.filter(modified > F.timestamp_micros(F.lit(int(landing.modified_after * 1_000_000))))
    if landing.modified_before is not None:
        frame = frame.filter(modified < F.timestamp_micros(F.lit(int(landing.modified_before * 1_000_000))))
    if landing.without:
        frame = frame.filter(~file_path().isin(sorted(landing.without)))
    return frame


def travels_with_queries() -> None:
    """Let pickles hold the code of what workers run, where they otherwise name it."""
    for name in ("helpers.autoloader", "helpers.files"):
        cloudpickle.register_pickle_by_value(sys.modules[name])


def worker_function(function: Callable[..., Any], returns: DataType) -> Any:
    """A user-defined function of Arrow batches.

    Its code travels with the query, so that the server need not have this package. Spark takes it for not
    deterministic: no filter of a query moves below it.
    """
    travels_with_queries()
    return F.arrow_udf(function, returns).asNondeterministic()
