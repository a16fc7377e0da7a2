"""What an update does to the session, and undoes: schema in use, configuration, temporary views."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from helpers.pipelines.catalog import Catalog
from helpers.pipelines.errors import InvalidDataset, InvalidSettings, explained
from helpers.pipelines.names import quoted
from helpers.pipelines.settings import PipelineSettings

#: What an update sets unless the pipeline's own configuration does. Adaptive execution runs each stage of a query as a
#: job of its own: beside two shuffle partitions it finds nothing to adapt, and Delta's own small queries pay for it.
_CONFIGURATION = {"spark.sql.adaptive.enabled": "false"}


class TempViews:
    """Temporary views of one update; none of them outlives it."""

    def __init__(self, spark: Any) -> None:
        self._spark, self._made, self._lock = spark, set[str](), threading.Lock()

    def refuse_foreign(self, datasets: Mapping[str, Any], catalog: Catalog) -> None:
        """A temporary view that the user made would hide the dataset of the same name."""
        for name in sorted(catalog.temporary_views() & datasets.keys()):
            raise InvalidDataset(f"The session has a temporary view '{name}', which hides the pipeline's dataset of "
                                 f"that name. Run spark.catalog.dropTempView('{name}') first.")

    def make(self, name: str, frame: Any) -> None:
        """Make or replace a view."""
        with self._lock:
            self._made.add(name)
        frame.createOrReplaceTempView(name)

    def drop_all(self) -> None:
        """Leave the session as it was."""
        for name in sorted(self._made):
            self._spark.catalog.dropTempView(name)


@contextmanager
def session_for(spark: Any, settings: PipelineSettings) -> Iterator[None]:
    """The session uses the pipeline's schema and configuration while an update runs, and its own again after."""
    schema = spark.catalog.currentDatabase()
    try:
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(settings.schema)}")
        spark.sql(f"USE {quoted(settings.schema)}")
        with configured(spark, {**_CONFIGURATION, **settings.configuration}):
            yield
    finally:
        spark.sql(f"USE {quoted(schema)}")


@contextmanager
def configured(spark: Any, values: Mapping[str, str]) -> Iterator[None]:
    """The session has these settings meanwhile, and its own again after."""
    before: dict[str, str | None] = {}
    try:
        for key, value in values.items():
            before[key] = _set(spark, key, value)
        yield
    finally:
        for key, value in before.items():
            if value is None:
                spark.conf.unset(key)
            else:
                spark.conf.set(key, value)


def _set(spark: Any, key: str, value: str) -> str | None:
    """Set one configuration value; gives the one before."""
    try:
        before = spark.conf.get(key, None)
        spark.conf.set(key, value)
    except Exception as error:
        raise InvalidSettings(f"The configuration '{key}' cannot be set: {explained(error, target=key)}. "
                              "Remove it from the pipeline's settings.") from None
    return before
