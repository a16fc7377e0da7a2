"""PRIVATE tables: their data lie in a folder of the schema, and the catalog knows them only while an update runs.

What an update that was cut off leaves in the catalog, the next one takes out.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.pipelines import tables
from helpers.pipelines.errors import Unsupported
from helpers.pipelines.graph import Dataset, Definitions
from helpers.pipelines.names import quoted


class PrivateTables:
    """One update's private tables; ``publish`` before anything reads, ``hide`` at the end."""

    def __init__(self, spark: Any, schema: str) -> None:
        self._spark, self._schema = spark, schema
        self._shown: list[Dataset] = []

    def publish(self, definitions: Definitions) -> Definitions:
        """Put those that have data into the catalog; gives the definitions with their places."""
        if not any(dataset.private for dataset in definitions.datasets.values()):
            return definitions
        folder = _folder(self._spark, self._schema)
        if folder is None:
            raise Unsupported(f"PRIVATE is not supported here, since the schema '{self._schema}' does not lie in a "
                              "folder. Remove it.")
        datasets = {name: replace(dataset, location=str(folder / name)) if dataset.private else dataset
                    for name, dataset in definitions.datasets.items()}
        for dataset in datasets.values():
            if dataset.location:
                self._show(dataset)
        return replace(definitions, datasets=datasets)

    def hide(self) -> None:
        """Take them out of the catalog; their data stay."""
        for dataset in self._shown:
            with suppress(Exception):  # the update's own error must not be lost
                row = self._spark.sql(f"DESCRIBE DETAIL {quoted(dataset.name)}").collect()[0]
                if tables.same_place(row.location, dataset.location):
                    self._spark.sql(f"DROP TABLE {quoted(dataset.name)}")

    def _show(self, dataset: Dataset) -> None:
        self._shown.append(dataset)
        place = dataset.location or ""
        if (Path(place) / "_delta_log").is_dir() and not tables.exists(self._spark, dataset.name):
            self._spark.sql(f"CREATE TABLE {quoted(dataset.name)} USING delta LOCATION {tables.literal(place)}")


def forget(spark: Any, schema: str, name: str) -> None:
    """Remove the data of a table that was private once: its checkpoints are forgotten too."""
    folder = _folder(spark, schema)
    if folder is not None and (folder / name).exists():
        shutil.rmtree(folder / name)


def _folder(spark: Any, schema: str) -> Path | None:
    place = spark.catalog.getDatabase(schema).locationUri or ""
    return Path(re.sub("^file:/*", "/", place)) / tables.PRIVATE if place.startswith(("file:", "/")) else None
