"""`spark.readStream` with `format("cloudFiles")`; every other format is Spark's own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql.connect.streaming.readwriter import DataStreamReader
from pyspark.sql.types import StructType

from helpers.autoloader.errors import AutoLoaderError, UnsupportedOption
from helpers.autoloader.streams import stream_files


def is_cloud_files(format: str | None) -> bool:
    return (format or "").lower() == "cloudfiles"


def refuse_rescue(options: Iterable[str]) -> None:
    """The reader of another format would pass over the option without a word."""
    name = next((each for each in options if each.lower() == "rescueddatacolumn"), None)
    if name is not None:
        raise UnsupportedOption(f"The option '{name}' rescues nothing here without Auto Loader. Read with "
                                "format(\"cloudFiles\") and option(\"cloudFiles.format\", …).")


def load_cloud_files(
    spark: Any, path: str | None, *, options: Mapping[str, str], schema: StructType | str | None
) -> Any:
    """The stream that a reader describes; `options` are all that it was given, `path` among them or not."""
    given = {name: value for name, value in options.items() if name != "path"}
    path = path or options.get("path")
    if not path:
        raise AutoLoaderError("load() has no path. Name the folder to read: load(path).")
    return stream_files(spark, str(path), options=given, schema=schema)


class CloudStreamReader(DataStreamReader):
    """Spark Connect's DataStreamReader that knows Auto Loader.

    https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/
    """

    def load(self, path: str | None = None, format: str | None = None, schema: Any = None, **options: Any) -> Any:
        """The stream; for `cloudFiles`, schema inference and evolution, and the rescued data column."""
        if not is_cloud_files(format or self._format):
            refuse_rescue((*self._options, *options))
            return super().load(path, format, schema, **options)
        if schema is not None:
            self.schema(schema)
        self.options(**options)
        return load_cloud_files(self._client, path, options=self._options, schema=self._given_schema())

    def _given_schema(self) -> StructType | str | None:
        # Spark's reader keeps a StructType as JSON, and DDL as it is.
        if self._schema.lstrip().startswith("{"):
            return StructType.fromJson(json.loads(self._schema))
        return self._schema or None
