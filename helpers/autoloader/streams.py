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
from helpers.autoloader.errors import DamagedSchemaFile, MissingSchemaLocation
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

    `options` are those of `format("cloudFiles")`. Without a schema the result ends with the `_rescued_data` column;
    it has the hidden column `_metadata` either way.
    https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/schema
    """
    checked = check_options(options or {}, explicit_schema=bool(schema), format=format)
    landing = Landing(str(path), checked.reader.get("pathGlobFilter"), checked.recursive)
    landing.check()
    if schema:
        return _with_given_schema(spark, landing, checked, schema)
    store = SchemaStore(_location(schema_location or checked.schema_location, landing))
    evolution = Evolution(_schema(spark, landing, checked, store), store.location, checked.infer_column_types,
                          landing.root, checked.recursive)
    return (csv_frame if checked.format == "csv" else json_frame)(spark, landing, checked, evolution)


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
    """New fields are ignored and nothing is rescued; CSV with headers is still read by name."""
    if options.format == "csv" and options.reader.get("header", "false").lower() == "true":
        fields = schema.jsonValue() if isinstance(schema, StructType) else parse_schema(spark, schema)
        return csv_frame(spark, landing, options, Evolution(fields, "", True, landing.root, options.recursive))
    return file_source(spark, landing, options, schema, options.reader)
