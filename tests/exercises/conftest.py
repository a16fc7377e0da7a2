"""Checks meet real tables: one server for all, each lesson in its own schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from helpers.lab import Lab
from helpers.lab.site import site_of
from helpers.runtime import Places


@pytest.fixture(scope="module")
def lab_for(spark: Any, places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Lab]]:
    """Opens a lesson's lab in an empty schema, with progress of its own; everything goes at the end."""
    opened: list[Lab] = []

    def open_one(name: str) -> Lab:
        progress = tmp_path_factory.mktemp("progress") / "progress.jsonl"
        lab = Lab(name, spark, replace(site_of(name, places=places, spark=spark), progress=progress), places)
        spark.sql("USE default")
        lab.reset()
        opened.append(lab)
        return lab

    yield open_one
    for lab in opened:
        lab.reset()
        spark.sql("USE default")
        spark.sql(f"DROP SCHEMA {lab.schema} CASCADE")
