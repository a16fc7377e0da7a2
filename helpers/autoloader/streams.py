"""A streaming DataFrame over a landing folder: Spark's own file source, the schema location, and the guard."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyspark.sql.types import StructType

from helpers.autoloader.csv_frames import csv_frame, infer_csv
from helpers.autoloader.errors import DamagedSchemaFile, MissingSchemaLocation, UnsupportedOption
from helpers.autoloader.evolution import Evolution
from helpers.autoloader.inference import infer_json, parse_schema, with_hints
from helpers.autoloader.json_frames import json_frame
from helpers.autoloader.json_types import struct
from helpers.autoloader.landing import Landing, local
from helpers.autoloader.options import CloudOptions, check_options
from helpers.autoloader.partitions import marked, partition_fields, partition_values, split_schema, with_partitions
from helpers.autoloader.schema_store import SchemaFileError, SchemaStore
from helpers.autoloader.session_options import sampled, with_file_path
from helpers.autoloader.sources import file_source
from helpers.autoloader.typed_frames import FIXED, TYPED, infer_typed, typed_frame

_METADATA = "_metadata"
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
) -> Any:
    """A streaming DataFrame of the files under `path`, as Auto Loader gives it.

    `options` are those of `format("cloudFiles")`. The result ends with the rescued data column where the options have
    one (by default: where no schema is given); it has the hidden column `_metadata` either way.
    https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/schema
    """
    checked = check_options(options or {}, explicit_schema=bool(schema), format=format)
    landing = landing_of(str(path), checked)
    landing.check()
    given = schema or FIXED.get(checked.format)
    if checked.allow_overwrites and not getattr(getattr(spark, "_client", None), "sees_overwrites", False):
        raise UnsupportedOption("cloudFiles.allowOverwrites=true needs the shared Spark server (Spark Connect) here. "
                                "Remove the option, or unset LAKEPREP_SPARK.")
    store = _store(checked.schema_location, landing, checked, inferred=not given)
    if store is not None:
        landing = replace(landing, without=_left_out(store, landing, checked, inferred=not given))
    if given:
        return frame_of(spark, landing, checked, given_schema(spark, landing, checked, given))
    return frame_of(spark, landing, checked, _schema(spark, landing, checked, store), store.location)


def _left_out(store: SchemaStore, landing: Landing, options: CloudOptions, *, inferred: bool) -> frozenset[str]:
    """The files of before the first load, where that one was to leave them out.

    With includeExistingFiles=true none: the checkpoint knows those that it passed over, and a new one takes them all.
    """
    try:
        if options.include_existing:
            if not inferred:  # else the stored schema tells that there was a first load
                store.takes_existing()
            return frozenset()
        return store.existing(landing.files, unless_overwritten=options.allow_overwrites)
    except SchemaFileError as error:
        raise DamagedSchemaFile(str(error)) from error


def landing_of(path: str, options: CloudOptions) -> Landing:
    """The folder with the filters that the options put on it."""
    return Landing(path, options.reader.get("pathGlobFilter"), options.recursive,
                   modified_after=options.modified_after, modified_before=options.modified_before)


def given_schema(
    spark: Any, landing: Landing, options: CloudOptions, schema: str | StructType | dict[str, Any]
) -> dict[str, Any]:
    """A learner's schema with its partition columns marked, or a format's with those of the folders."""
    if isinstance(schema, dict):
        return with_partitions(schema, partition_fields(landing, options))
    fields = schema.jsonValue() if isinstance(schema, StructType) else parse_schema(spark, schema)
    return marked(fields, landing, options)


def frame_of(spark: Any, landing: Landing, options: CloudOptions, schema: dict[str, Any], location: str = "") -> Any:
    """The rows of the files with this schema; new fields are noted at `location`."""
    own, partitions = split_schema(schema)
    evolution = _evolution(options, own, frozenset(each["name"].lower() for each in partitions["fields"]), location)
    frame = with_file_path(spark, _frame(spark, landing, options, evolution), options)
    return partition_values(frame, schema, partitions)


def inferred_schema(spark: Any, landing: Landing, options: CloudOptions) -> dict[str, Any]:
    """The schema of the files that are there, with the columns that their folders name."""
    landing = sampled(spark, landing)
    if options.format in TYPED:
        found = infer_typed(landing, options)
    else:
        found = infer_csv(landing, options) if options.format == "csv" else infer_json(spark, landing, options)
    found = struct(each for each in found["fields"] if each["name"].lower() != _METADATA)
    return with_partitions(found, partition_fields(landing, options))


def _frame(spark: Any, landing: Landing, options: CloudOptions, evolution: Evolution) -> Any:
    # CSV with headers is read by name; without any guard, Spark's own reader has the schema as it is given.
    if options.format == "csv" and (options.guarded or options.header):
        return csv_frame(spark, landing, options, evolution)
    if options.format in ("json", "xml") and options.guarded:
        return json_frame(spark, landing, options, evolution)
    if options.format in TYPED:
        return typed_frame(spark, landing, options, evolution)
    return file_source(spark, landing, options, StructType.fromJson(evolution.schema), options.reader)


def _evolution(options: CloudOptions, fields: dict[str, Any], partitions: frozenset[str], location: str) -> Evolution:
    rescued = options.rescued_column
    if rescued and rescued.lower() in partitions | {each["name"].lower() for each in fields["fields"]}:
        raise UnsupportedOption(f"The schema has a column '{rescued}' already, which is to be the rescued data column: "
                                "leave it out of your schema, or set rescuedDataColumn to another name.")
    if _METADATA in {each["name"].lower() for each in fields["fields"]}:
        raise UnsupportedOption(f"The schema has a column '{_METADATA}', which is the name of the hidden column here. "
                                "Leave it out: the field is rescued then.")
    reserved = partitions | {_METADATA} | ({rescued.lower()} if rescued else set())
    typed = options.infer_column_types or options.format in TYPED
    return Evolution(fields, options.mode, location, typed, reserved)


def _store(given: Path | str | None, landing: Landing, options: CloudOptions, *, inferred: bool) -> SchemaStore | None:
    try:
        return SchemaStore(_location(given, landing))
    except MissingSchemaLocation:
        if inferred:
            raise
        if options.include_existing:
            return None
        raise MissingSchemaLocation("cloudFiles.includeExistingFiles=false needs cloudFiles.schemaLocation here: "
                                    "the files that are left out are noted there. Set that option.") from None


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
        inferred = latest.schema if latest else inferred_schema(spark, landing, options)
        hinted = with_hints(spark, inferred, options.schema_hints)
        return store.update(lambda now: with_hints(spark, now, options.schema_hints) if now else hinted).schema
    except SchemaFileError as error:
        raise DamagedSchemaFile(str(error)) from error
