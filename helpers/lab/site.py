"""Where a lesson keeps its tables, volumes, checkpoints and progress: below `work/`, or in Unity Catalog."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.pipelines.names import quoted
from helpers.runtime import Places, on_databricks

DEFAULT_CATALOG = "workspace"


@dataclass(frozen=True)
class Site:
    """``catalog`` is None locally; ``volumes`` holds the schema's volumes."""

    catalog: str | None
    schema: str
    volumes: Path
    checkpoints: Path
    progress: Path

    def use(self, spark: Any) -> None:
        """Make the schema where it is missing, and work in it."""
        if self.catalog:
            spark.catalog.setCurrentCatalog(self.catalog)
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.schema)}")
        spark.sql(f"USE {quoted(self.schema)}")

    def make_volume(self, spark: Any, name: str, *, schema: str | None = None) -> Path:
        """The folder of a volume, made where it is missing."""
        folder = self.volumes.parent / (schema or self.schema) / name
        if self.catalog and not folder.is_dir():
            spark.sql(f"CREATE VOLUME IF NOT EXISTS {quoted(schema or self.schema)}.{quoted(name)}")
        elif not self.catalog:
            folder.mkdir(parents=True, exist_ok=True)
        return folder


def site_of(lesson: str, *, places: Places, spark: Any, environ: Mapping[str, str] = os.environ) -> Site:
    """Local: schema ``lab_<lesson>``. Databricks: catalog from LAKEPREP_CATALOG, schema with the user's name too."""
    if not on_databricks(environ):
        schema = f"lab_{lesson}"
        return Site(None, schema, places.volumes / schema, places.checkpoints, places.progress)
    return _in_unity_catalog(lesson, spark, environ)


def _in_unity_catalog(lesson: str, spark: Any, environ: Mapping[str, str]) -> Site:
    catalog = environ.get("LAKEPREP_CATALOG", "").strip() or DEFAULT_CATALOG
    user = _identifier(spark.sql("SELECT current_user() AS user").collect()[0].user)
    schema, own = f"lab_{lesson}_{user}", f"lakeprep_{user}"
    root = Path("/Volumes") / catalog
    site = Site(catalog, schema, root / schema, root / schema / "state" / "checkpoints",
                root / own / "state" / "progress.jsonl")
    spark.catalog.setCurrentCatalog(catalog)
    for name in (own, schema):
        spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}")
        site.make_volume(spark, "state", schema=name)
    return site


def _identifier(user: str) -> str:
    return re.sub(r"\W+", "_", user.split("@")[0]).strip("_").lower() or "user"
