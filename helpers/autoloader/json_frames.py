"""A stream of JSON or XML: typed columns by Spark's native reader, the rescued data column by the guard."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from helpers.autoloader.columns import column
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.guard import json_guard, xml_guard
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import CloudOptions
from helpers.autoloader.records import CORRUPT
from helpers.autoloader.sources import DAMAGED, file_source, worker_function

_RESCUED = "__rescued"


def json_frame(spark: Any, landing: Landing, options: CloudOptions, evolution: Evolution) -> Any:
    """The stream behind the guard, with the rescued data column if the options have one."""
    columns = StructType.fromJson(evolution.schema)
    read = StructType([*columns.fields, StructField(DAMAGED, StringType())])
    # Strict, so that Spark and the guard agree on what a record is.
    strict = {"allowSingleQuotes": "false"} if options.format == "json" else {}
    reader = {**options.reader, "columnNameOfCorruptRecord": DAMAGED, **strict}
    shown = F.to_json(F.struct(*[column(name) for name in columns.names]))
    guard = worker_function(_guard(options, evolution), StringType())
    # The same as `_metadata` has, which Spark would copy into each row that it hands from one step to the next.
    block = F.input_file_name(), F.input_file_block_start(), F.input_file_block_length()
    frame = file_source(spark, landing, options, read, reader).withColumn(
        _RESCUED, guard(*block, F.col(DAMAGED), F.when(F.col(DAMAGED).isNotNull(), shown)))
    # This filter is always true, but Spark does not know it: so no query can leave the guard out.
    frame = frame.filter(F.col(_RESCUED).isNull() | (F.length(_RESCUED) > 0)).drop(DAMAGED)
    frame = _with_corrupt_record(frame) if CORRUPT in columns.names else frame
    return frame.withColumnRenamed(_RESCUED, options.rescued_column) if options.rescued_column else frame.drop(_RESCUED)


def _guard(options: CloudOptions, evolution: Evolution) -> Any:
    if options.format == "xml":
        return xml_guard(evolution, options.reader["rowTag"])
    return json_guard(evolution, multi_line=options.multi_line)


def _with_corrupt_record(frame: Any) -> Any:
    line = F.get_json_object(_RESCUED, f"$.{CORRUPT}")
    rescued = F.when(line.isNull(), F.col(_RESCUED))
    return frame.withColumns({CORRUPT: F.coalesce(line, F.col(CORRUPT)), _RESCUED: rescued})
