"""PRIVATE tables: their data lie in a folder of the schema, and the catalog knows them only while an update runs.

What an update that was cut off leaves in the catalog, the next one takes out.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.pipelines import tables
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.errors import Unsupported
from helpers.pipelines.graph import Dataset, Definitions
from helpers.pipelines.names import literal, quoted


class PrivateTables:
    """One update's private tables; ``publish`` before anything reads, ``hide`` at the end."""

    def __init__(self, spark: Any, catalog: Catalog) -> None:
        self._spark, self._catalog = spark, catalog
        self._shown: list[Dataset] = []

    def publish(self, definitions: Definitions) -> Definitions:
        """Put those that have data into the catalog; gives the definitions with their places."""
        if not any(dataset.private for dataset in definitions.datasets.values()):
            return definitions
        folder = _folder(self._catalog)
        if folder is None:
            raise Unsupported(f"PRIVATE is not supported here, since the schema '{self._catalog.schema}' does "
                              "not lie in a folder. Remove it.")
        datasets = {name: replace(dataset, location=str(folder / name)) if dataset.private else dataset
                    for name, dataset in definitions.datasets.items()}
        for dataset in datasets.values():
            if dataset.location:
                self._show(dataset)
        self._catalog.look()
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
            self._spark.sql(f"CREATE TABLE {quoted(dataset.name)} USING delta LOCATION {literal(place)}")


def forget(catalog: Catalog, name: str) -> None:
    """Remove the data of a table that was private once: its checkpoints are forgotten too."""
    folder = _folder(catalog)
    if folder is not None and (folder / name).exists():
        shutil.rmtree(folder / name)


def _folder(catalog: Catalog) -> Path | None:
    return None if catalog.folder is None else catalog.folder / tables.PRIVATE
