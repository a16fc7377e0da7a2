"""`spark.readStream` with `format("cloudFiles")`; every other format is Spark's own."""

from __future__ import annotations

import json
from typing import Any

from pyspark.sql.connect.streaming.readwriter import DataStreamReader
from pyspark.sql.types import StructType

from helpers.autoloader.errors import AutoLoaderError
from helpers.autoloader.streams import stream_files

_CLOUD_FILES = "cloudfiles"


class CloudStreamReader(DataStreamReader):
    """Spark Connect's DataStreamReader that knows Auto Loader.

    https://docs.databricks.com/aws/en/ingestion/cloud-object-storage/auto-loader/
    """

    def load(self, path: str | None = None, format: str | None = None, schema: Any = None, **options: Any) -> Any:
        """The stream; for `cloudFiles`, schema inference and evolution, and the rescued data column."""
        if (format or self._format or "").lower() != _CLOUD_FILES:
            return super().load(path, format, schema, **options)
        if schema is not None:
            self.schema(schema)
        self.options(**options)
        given = {name: value for name, value in self._options.items() if name != "path"}
        path = path or self._options.get("path")
        if not path:
            raise AutoLoaderError("load() has no path. Name the folder to read: load(path).")
        return stream_files(self._client, str(path), options=given, schema=self._given_schema())

    def _given_schema(self) -> StructType | str | None:
        # Spark's reader keeps a StructType as JSON, and DDL as it is.
        if self._schema.lstrip().startswith("{"):
            return StructType.fromJson(json.loads(self._schema))
        return self._schema or None
