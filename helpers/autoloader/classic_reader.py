"""`spark.readStream` of a classic session with `format("cloudFiles")`; every other format is Spark's own."""

from __future__ import annotations

from typing import Any

from pyspark.sql.streaming.readwriter import DataStreamReader
from pyspark.sql.types import StructType

from helpers.autoloader.reader import is_cloud_files, load_cloud_files, refuse_rescue


class ClassicCloudStreamReader(DataStreamReader):
    """The classic DataStreamReader that knows Auto Loader; it keeps what Spark's hands to the JVM at once."""

    def __init__(self, spark: Any) -> None:
        super().__init__(spark)
        self._given_format: str | None = None
        self._given: StructType | str | None = None
        self._given_options: dict[str, str] = {}

    def format(self, source: str) -> ClassicCloudStreamReader:
        self._given_format = source
        super().format(source)
        return self

    def schema(self, schema: StructType | str) -> ClassicCloudStreamReader:
        super().schema(schema)
        self._given = schema
        return self

    def option(self, key: str, value: Any) -> ClassicCloudStreamReader:
        super().option(key, value)
        self._given_options[key] = str(value)
        return self

    def options(self, **options: Any) -> ClassicCloudStreamReader:
        for key, value in options.items():
            self.option(key, value)
        return self

    def load(self, path: str | None = None, format: str | None = None, schema: Any = None, **options: Any) -> Any:
        """The stream; for `cloudFiles`, schema inference and evolution, and the rescued data column."""
        if not is_cloud_files(format or self._given_format):
            return super().load(path, format, schema, **options)
        if schema is not None:
            self.schema(schema)
        self.options(**options)
        return load_cloud_files(self._spark, path, options=self._given_options, schema=self._given)

    def _df(self, jdf: Any) -> Any:
        # Every format's method ends here.
        refuse_rescue(self._given_options)
        return super()._df(jdf)
