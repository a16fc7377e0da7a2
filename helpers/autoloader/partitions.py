"""Columns that come from folders named `day=2026-11-24`: which there are, and their values in a DataFrame."""

from __future__ import annotations

import re
from typing import Any

from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from helpers.autoloader.columns import column, decoded, file_path
from helpers.autoloader.csv_files import type_of, wider
from helpers.autoloader.json_types import VOID, field, struct
from helpers.autoloader.landing import NO_VALUE, Landing
from helpers.autoloader.options import CloudOptions

_MARK = {"partition": True}
_TYPES = ("integer", "long", "double", "date", "timestamp")


def partition_fields(landing: Landing, options: CloudOptions) -> list[dict[str, Any]]:
    """The partition columns of the files that are there; those that the options name, if they do."""
    if options.recursive or options.partition_columns == ():
        return []
    types: dict[str, str] = dict.fromkeys(options.partition_columns or (), VOID)
    for path in landing.files():
        for name, value in landing.partitions(path).items():
            if options.partition_columns is None or name in types:
                known = types.get(name, VOID)
                types[name] = known if value is None else wider(known, type_of(value))
    return [_partition(name, type_ if options.infer_column_types and type_ in _TYPES else "string")
            for name, type_ in types.items()]


def with_partitions(schema: dict[str, Any], partitions: list[dict[str, Any]]) -> dict[str, Any]:
    """The schema with the partition columns at its end; a column of the files with such a name gives way."""
    names = {each["name"].lower() for each in partitions}
    return struct([*(each for each in schema["fields"] if each["name"].lower() not in names), *partitions])


def marked(schema: dict[str, Any], landing: Landing, options: CloudOptions) -> dict[str, Any]:
    """A given schema, in which the columns that the folders name are partition columns."""
    names = {each["name"].lower() for each in partition_fields(landing, options)}
    return struct(_partition(each["name"], each["type"]) if each["name"].lower() in names else each
                  for each in schema["fields"])


def split_schema(schema: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns of the files, and the partition columns."""
    return (struct(each for each in schema["fields"] if not _is_partition(each)),
            struct(each for each in schema["fields"] if _is_partition(each)))


def partition_values(frame: Any, schema: dict[str, Any], partitions: dict[str, Any]) -> Any:
    """The frame with its partition columns where the schema has them; what the frame has beyond comes last."""
    if not partitions["fields"]:
        return frame
    values = {each.name: _value(each.name).try_cast(each.dataType) for each in StructType.fromJson(partitions)}
    own = [each["name"] for each in schema["fields"]]
    beyond = [name for name in frame.columns if name not in own]
    return frame.select(*[values[name].alias(name) if name in values else column(name) for name in own],
                        *[column(name) for name in beyond])


def _partition(name: str, type_: Any) -> dict[str, Any]:
    return {**field(name, type_), "metadata": dict(_MARK)}


def _is_partition(each: dict[str, Any]) -> bool:
    return bool(each["metadata"].get("partition"))


def _value(name: str) -> Any:
    found = F.regexp_extract(file_path(), f"/{re.escape(name)}=([^/]*)/", 1)
    return F.when((found != "") & (found != NO_VALUE), decoded(found))
