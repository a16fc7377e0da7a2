"""The rows of a COPY INTO: files by Spark's own reader, CSV by each file's header."""

from __future__ import annotations

import os
import re
import uuid
from collections import defaultdict
from functools import reduce
from typing import Any

from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from helpers.autoloader.copy_options import CopyOptions
from helpers.autoloader.csv_files import header, wider
from helpers.autoloader.csv_frames import dialect_of
from helpers.autoloader.errors import AutoLoaderError
from helpers.autoloader.json_types import field, struct
from helpers.autoloader.landing import escaped
from helpers.classic import is_classic


class FilesDisagree(AutoLoaderError):
    """The files have different columns, and nobody said what to do about it."""


def files_frame(spark: Any, files: list[str], options: CopyOptions, *, metadata: bool = False) -> Any:
    """The rows of the files; with `metadata`, the column `_metadata` is one that can be seen."""
    if options.header:
        return _by_header(spark, files, options, metadata)
    frame = _read(spark, files, options)
    return frame.select("*", "_metadata") if metadata else frame


def query_over(spark: Any, text: str, name: str, frame: Any) -> Any:
    """The result of a query in which the name means the frame; no temporary view is left behind."""
    if is_classic(spark):
        return _classic_query_over(spark, text, name, frame)
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.plan import SQL, SubqueryAlias

    return DataFrame(SQL(text, views=[SubqueryAlias(frame._plan, name)]), spark)


def _classic_query_over(spark: Any, text: str, name: str, frame: Any) -> Any:
    """A classic query is bound at once, so its view may go again; other threads' views have other names."""
    view = f"{name}_{uuid.uuid4().hex[:12]}"
    frame.createOrReplaceTempView(view)
    try:
        return spark.sql(re.sub(rf"\b{re.escape(name)}\b", view, text))
    finally:
        spark.catalog.dropTempView(view)


def by_place(frame: Any, columns: StructType, table: str) -> Any:
    """The file's columns under the names and types of the table's, in their order."""
    if len(frame.columns) != len(columns):
        raise FilesDisagree(f"COPY_INTO_COLUMN_ARITY_MISMATCH: the files have {len(frame.columns)} columns, and "
                            f"{len(columns)} columns of {table} are to be filled by position. Name as many.")
    return frame.select(*[F.col(name).cast(each.dataType).alias(each.name)
                          for name, each in zip(frame.columns, columns, strict=True)])


def _read(spark: Any, files: list[str], options: CopyOptions, schema: StructType | None = None) -> Any:
    reader = spark.read.format(options.format).options(**options.reader)
    if schema is not None:
        reader = reader.schema(schema)
    if options.landing.recursive:
        reader = reader.option("recursiveFileLookup", "true")
    else:
        root = options.landing.root
        reader = reader.option("basePath", escaped(os.path.dirname(root) if os.path.isfile(root) else root))
    return reader.load([escaped(file) for file in files])


def _by_header(spark: Any, files: list[str], options: CopyOptions, metadata: bool) -> Any:
    dialect = dialect_of(options.reader)
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for file in files:
        groups[tuple(header(file, dialect))].append(file)
    if len(groups) > 1:
        groups.pop((), None)  # empty files, which have no header
    _refuse_different(list(groups), groups, options)
    frames = {names: _read(spark, group, options) for names, group in groups.items()}
    if len(frames) > 1:
        frames = _same_types(spark, groups, frames, options)
    shown = [frame.select("*", "_metadata") if metadata else frame for frame in frames.values()]
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), shown)


def _refuse_different(headers: list[tuple[str, ...]], groups: dict[tuple[str, ...], list[str]],
                      options: CopyOptions) -> None:
    other = next((names for names in headers if set(names) != set(headers[0])), None)
    if other is not None and not options.merge_read:
        raise FilesDisagree(
            f"The files have different columns: {groups[headers[0]][0]} has {', '.join(headers[0])}, "
            f"{groups[other][0]} has {', '.join(other)}. Set FORMAT_OPTIONS ('mergeSchema' = 'true') to take them all.")


def _same_types(spark: Any, groups: dict[tuple[str, ...], list[str]], frames: dict[tuple[str, ...], Any],
                options: CopyOptions) -> dict[tuple[str, ...], Any]:
    """The frames with one type for each column: Spark has inferred them header by header."""
    types: dict[str, str] = {}
    for frame in frames.values():
        for each in frame.schema.jsonValue()["fields"]:
            known = types.setdefault(each["name"], each["type"])
            types[each["name"]] = wider(known, each["type"])
    schemas = {names: StructType.fromJson(struct(field(name, types[name]) for name in frame.columns))
               for names, frame in frames.items()}
    return {names: _read(spark, group, options, schemas[names]) for names, group in groups.items()}
