"""Spark's own file source as every stream here uses it, and the way that code reaches Spark's Python workers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

from pyspark import cloudpickle
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from helpers.autoloader.landing import Landing, local
from helpers.autoloader.options import CloudOptions

DAMAGED = "__damaged_line"
_FOREVER = "36500d"


def file_source(
    spark: Any, landing: Landing, options: CloudOptions, schema: str | StructType, reader: Mapping[str, str]
) -> Any:
    """A stream of Spark's reader for the format."""
    stream = spark.readStream.format(options.format).schema(schema).options(**reader)
    stream = stream.option("maxFilesPerTrigger", str(options.max_files_per_trigger))
    stream = stream.option("recursiveFileLookup", "true")
    if options.mode == "failOnNewColumns":
        # Removing the file that stopped the stream is a documented way on; the checkpoint still names it.
        stream = stream.option("ignoreMissingFiles", "true")
    # Spark would pass over a file that is older than the newest by a week.
    return stream.option("maxFileAge", _FOREVER).load(local(landing.path))


def worker_function(function: Callable[..., Any], returns: DataType) -> Any:
    """A user-defined function of Arrow batches.

    Its code travels with the query, so that the server need not have this package. Spark takes it for not
    deterministic: no filter of a query moves below it.
    """
    cloudpickle.register_pickle_by_value(sys.modules["helpers.autoloader"])
    return F.arrow_udf(function, returns).asNondeterministic()
