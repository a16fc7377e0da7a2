"""What a notebook task of a job works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpers.runtime import Places, attach


@dataclass(frozen=True)
class Task:
    """Databricks' own ``spark`` and ``dbutils`` there, ours here."""

    spark: Any
    dbutils: Any
    places: Places


def open_task() -> Task:
    """Attach a job's notebook to Spark and to the values that its job gives it."""
    from helpers.jobs import get_dbutils

    places = Places.from_environment()
    return Task(attach(places), get_dbutils(), places)
