"""A streaming DataFrame over a landing folder: Spark's own file source, the schema location, and the guard."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from pyspark.sql.types import StructType

from helpers.autoloader.csv_frames import csv_frame, infer_csv
from helpers.autoloader.errors import DamagedSchemaFile, MissingSchemaLocation, UnsupportedOption
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.inference import infer_json, parse_schema, with_hints
from helpers.autoloader.json_frames import json_frame
from helpers.autoloader.landing import Landing, local
from helpers.autoloader.options import CloudOptions, check_options
from helpers.autoloader.schema_store import SchemaFileError, SchemaStore
from helpers.autoloader.sources import file_source

_managed: ContextVar[Path | None] = ContextVar("managed_schema_location", default=None)


@contextmanager
def managed_schema_location(path: Path | str) -> Iterator[None]:
    """Inside, a stream without a schema location keeps its schema in a folder of its own below `path`."""
    token = _managed.set(Path(path))
    try:
        yield
    finally:
        _managed.reset(token)


def stream_files(
    spark: Any,
    path: str | Path,
    *,
    format: str | None = None,
    options: Mapping[str, str] | None = None,
    schema: str | StructType | None = None,
    schema_location: Path | str | None = None,
) -> Any:
    """A streaming DataFrame of the files under `path`, as Auto Loader gives it.

    `options` are those of `format("cloudFiles")`. The result ends with the rescued data column where the options have
    one (by default: where no schema is given); it has the hidden column `_metadata` either way.
    https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/schema
    """
    checked = check_options(options or {}, explicit_schema=bool(schema), format=format)
    landing = Landing(str(path), checked.reader.get("pathGlobFilter"), checked.recursive)
    landing.check()
    if schema:
        return _with_given_schema(spark, landing, checked, schema)
    store = SchemaStore(_location(schema_location or checked.schema_location, landing))
    fields = _schema(spark, landing, checked, store)
    return _frame(spark, landing, checked, _evolution(checked, fields, store.location))


def _frame(spark: Any, landing: Landing, options: CloudOptions, evolution: Evolution) -> Any:
    if options.format == "csv":
        return csv_frame(spark, landing, options, evolution)
    if options.guarded:
        return json_frame(spark, landing, options, evolution)
    return file_source(spark, landing, options, StructType.fromJson(evolution.schema), options.reader)


def _evolution(options: CloudOptions, fields: dict[str, Any], location: str = "") -> Evolution:
    rescued = options.rescued_column
    if rescued and rescued.lower() in {each["name"].lower() for each in fields["fields"]}:
        raise UnsupportedOption(f"The schema has a column '{rescued}' already, which is to be the rescued data column: "
                                "leave it out of your schema, or set rescuedDataColumn to another name.")
    reserved = frozenset({rescued.lower()} if rescued else ())
    return Evolution(fields, options.mode, location, options.infer_column_types, reserved)


def _location(given: Path | str | None, landing: Landing) -> str:
    if given:
        return local(str(given))
    managed = _managed.get()
    if managed is None:
        raise MissingSchemaLocation(
            "The option 'cloudFiles.schemaLocation' is missing. Auto Loader infers the schema and needs a folder to "
            "keep it in: set the option (the checkpoint folder will do), or give the schema with .schema(…).")
    return str(managed.absolute() / f"_schemas_{hashlib.sha256(local(landing.path).encode()).hexdigest()[:12]}")


def _schema(spark: Any, landing: Landing, options: CloudOptions, store: SchemaStore) -> dict[str, Any]:
    """The stored schema, or the inferred one, with the hints; stored again when that changed it."""
    try:
        latest = store.latest()
        inferred = latest.schema if latest else _inferred(spark, landing, options)
        hinted = with_hints(spark, inferred, options.schema_hints)
        return store.update(lambda now: with_hints(spark, now, options.schema_hints) if now else hinted).schema
    except SchemaFileError as error:
        raise DamagedSchemaFile(str(error)) from error


def _inferred(spark: Any, landing: Landing, options: CloudOptions) -> dict[str, Any]:
    return infer_csv(landing, options) if options.format == "csv" else infer_json(spark, landing, options)


def _with_given_schema(spark: Any, landing: Landing, options: CloudOptions, schema: str | StructType) -> Any:
    """CSV with headers is read by name; without any guard, Spark's own reader has the schema as it is given."""
    if not options.guarded and not (options.format == "csv" and options.header):
        return file_source(spark, landing, options, schema, options.reader)
    fields = schema.jsonValue() if isinstance(schema, StructType) else parse_schema(spark, schema)
    return _frame(spark, landing, options, _evolution(options, fields))
