"""What a session's configuration says of Auto Loader: how much is sampled, and what the rescued data column holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyspark.sql import functions as F

from helpers.autoloader.columns import column
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import CloudOptions, boolean, count_of, size_of
from helpers.autoloader.records import FILE_PATH

_SAMPLE = "spark.databricks.cloudFiles.schemaInference.sampleSize"
_PATH = "spark.databricks.sql.rescuedDataColumn.filePath.enabled"


def sampled(spark: Any, landing: Landing) -> Landing:
    """The folder with the size of the sample that the session asks for."""
    files, size = (spark.conf.get(f"{_SAMPLE}.{name}", None) for name in ("numFiles", "numBytes"))
    return replace(
        landing,
        sample_files=count_of(f"{_SAMPLE}.numFiles", files) if files else landing.sample_files,
        sample_bytes=size_of(f"{_SAMPLE}.numBytes", size) if size else landing.sample_bytes,
    )


def with_file_path(spark: Any, frame: Any, options: CloudOptions) -> Any:
    """The frame with the file's path in its rescued data, unless the session switched that off."""
    name = options.rescued_column
    if name is None or boolean(_PATH, spark.conf.get(_PATH, "true")):
        return frame
    # The path is the last key, and has no quotes in it.
    return frame.withColumn(name, F.regexp_replace(column(name), f',"{FILE_PATH}":"[^"]*"[}}]$', "}"))
