"""A CSV stream: columns by each file's header, types and the rescued data column by Spark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    MapType,
    StringType,
    StructField,
    StructType,
    TimestampType,
    VariantType,
)

from helpers.autoloader.csv_files import Dialect, column_types, first_spellings, header
from helpers.autoloader.csv_guard import csv_guard
from helpers.autoloader.errors import EmptyLandingFolder, InvalidSchemaHint, UnsupportedOption
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.json_types import field, struct
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import CloudOptions
from helpers.autoloader.records import FILE_PATH
from helpers.autoloader.sources import DAMAGED, file_source, worker_function

_NESTED = (StructType, ArrayType, MapType, VariantType)


def infer_csv(landing: Landing, options: CloudOptions) -> dict[str, Any]:
    """The schema of the sampled files; their first lines are headers."""
    if not options.header:
        raise UnsupportedOption("header=false needs a schema of your own here. Give it with .schema(…).")
    dialect = dialect_of(options.reader)
    files = landing.sample()
    if options.infer_column_types:
        types = column_types(files, dialect, lambda _: True)
    else:
        types = {name: "string" for path in files for name in header(path, dialect)}
    fields = [field(name, type_) for name, type_ in first_spellings(types).items() if name != options.rescued_column]
    if not fields:
        raise EmptyLandingFolder(f"The schema cannot be inferred: no file in {landing.path} has a header. "
                                 "Land a file with one first, or give the schema with .schema(…).")
    return struct(fields)


def csv_frame(spark: Any, landing: Landing, options: CloudOptions, evolution: Evolution) -> Any:
    """The stream, each column found by its name; with the rescued data column if the options have one."""
    columns = StructType.fromJson(evolution.schema)
    _check_types(columns)
    dialect = dialect_of(options.reader)
    if not options.header:
        dialect = replace(dialect, names=tuple(columns.names))
    width = max([len(columns), *(len(header(path, dialect)) for path in landing.files())])
    values = [f"__value_{place}" for place in range(width)]
    read = StructType([StructField(name, StringType()) for name in [*values, DAMAGED]])
    reader = {name: value for name, value in options.reader.items() if name not in ("dateFormat", "timestampFormat")}
    reader |= {"header": str(options.header), "columnNameOfCorruptRecord": DAMAGED}
    guard = worker_function(csv_guard(evolution, dialect, width), _returned(len(columns)))
    found = F.col("__found")
    frame = file_source(spark, landing, options, read, reader).withColumn("__found", guard(
        F.col("_metadata.file_path"), F.col("_metadata.file_block_start"), F.col(DAMAGED), *map(F.col, values)))
    frame = frame.filter(found["extra"].isNull() | (F.size(found["extra"]) > 0))
    parsed = {each.name: _parsed(found[f"v{place}"], each.dataType, options.reader)
              for place, each in enumerate(columns)}
    shown = [value.alias(name) for name, value in parsed.items()]
    if options.rescued_column:
        shown.append(_rescued(columns, parsed).alias(options.rescued_column))
    return frame.select(*shown)


def dialect_of(reader: Mapping[str, str]) -> Dialect:
    """The separator and the quotes that the options name."""
    sep = reader.get("sep", reader.get("delimiter", ",")).replace("\\t", "\t")
    if len(sep) != 1:
        raise UnsupportedOption(f"The option 'sep' is '{sep}'. Use one character.")
    return Dialect(sep, reader.get("quote", '"'), reader.get("escape", "\\"), reader.get("nullValue", ""))


def _returned(count: int) -> StructType:
    values = [StructField(f"v{place}", StringType()) for place in range(count)]
    return StructType([*values, StructField("extra", MapType(StringType(), StringType()))])


def _parsed(text: Any, type_: DataType, reader: Mapping[str, str]) -> Any:
    if isinstance(type_, StringType):
        return text
    if isinstance(type_, BooleanType):
        return F.when(F.lower(text) == "true", True).when(F.lower(text) == "false", False)
    if isinstance(type_, TimestampType) and "timestampFormat" in reader:
        return F.try_to_timestamp(text, F.lit(reader["timestampFormat"]))
    if isinstance(type_, DateType) and "dateFormat" in reader:
        return F.try_to_timestamp(text, F.lit(reader["dateFormat"])).cast("date")
    return text.try_cast(type_)


def _rescued(columns: StructType, parsed: Mapping[str, Any]) -> Any:
    """The JSON of what has no column and of what is not of its column's type; null without either."""
    extra = F.col("__found.extra")
    lost = [(each.name, F.col(f"__found.v{place}")) for place, each in enumerate(columns)
            if not isinstance(each.dataType, StringType)]
    empty = F.lit(None).cast("struct<key: string, value: string>")
    pairs = [F.when(text.isNotNull() & parsed[name].isNull(), F.struct(F.lit(name).alias("key"), text.alias("value")))
             for name, text in lost]
    entries = F.concat(F.coalesce(F.map_entries(extra), F.array().cast("array<struct<key: string, value: string>>")),
                       F.array_compact(F.array(*pairs, empty)))
    path = F.array(F.struct(F.lit(FILE_PATH).alias("key"), F.col("_metadata.file_path").alias("value")))
    some = extra.isNotNull()
    for name, text in lost:
        some = some | (text.isNotNull() & parsed[name].isNull())
    return F.when(some, F.to_json(F.map_from_entries(F.concat(entries, path))))


def _check_types(columns: StructType) -> None:
    for each in columns:
        if isinstance(each.dataType, _NESTED):
            raise InvalidSchemaHint(f"The CSV column '{each.name}' cannot be {each.dataType.simpleString()}: "
                                    "CSV holds plain values. Use STRING and parse it in the query.")
