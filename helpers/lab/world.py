"""One lesson's world: its schema, its volumes, files that arrive on demand, and pipelines that show themselves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from helpers import landing
from helpers.errors import LakeprepError
from helpers.jobs import get_dbutils
from helpers.pipelines.notebook import Pipeline, notebook_pipeline
from helpers.pipelines.report import UpdateReport
from helpers.pipelines.tables import quoted
from helpers.runtime import REPO_ROOT, Places, attach

DATA = REPO_ROOT / "datasets" / "retail"


class NoSuchDay(LakeprepError):
    """No file of that day is left to arrive."""


@dataclass(frozen=True)
class Lab:
    """What a lesson works with; ``spark`` already uses the lesson's own schema."""

    name: str
    spark: Any
    places: Places
    source: Path = DATA

    @property
    def schema(self) -> str:
        """The lesson's schema."""
        return f"lab_{self.name}"

    def volume(self, path: str = "landing") -> str:
        """The folder of a volume, or a place in it: ``lab.volume("landing/transactions")``."""
        volume, _, rest = path.partition("/")
        folder = self.places.volume(self.schema, volume)
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / rest) if rest else str(folder)

    def arrive(self, day: str) -> str:
        """Land the files of one day (``"2017-01-01"``) and say which; landing a day twice changes nothing."""
        wanted = date.fromisoformat(day)
        files = [file for file in landing.data_files(self.source) if file.day == wanted]
        if not files:
            days = sorted({file.day for file in landing.data_files(self.source)})
            raise NoSuchDay(f"No file is dated {day}. There are files from {days[0]} to {days[-1]}.")
        new = landing.land(files, source=self.source, landing=Path(self.volume()))
        return f"{day}: {', '.join(new)}" if new else f"{day} had already arrived."

    def reset(self) -> None:
        """Begin the lesson again: its tables and landed files go, and the next update reads anew."""
        self.spark.sql(f"DROP SCHEMA IF EXISTS {quoted(self.schema)} CASCADE")
        shutil.rmtree(self.places.volumes / self.schema, ignore_errors=True)
        _use_schema(self.spark, self.schema)

    def pipeline(self, name: str) -> Pipeline:
        """A pipeline that cells define; ``${landing}`` in its SQL is the lesson's landing volume."""
        return notebook_pipeline(
            self.spark,
            name,
            schema=self.schema,
            checkpoints=self.places.checkpoints,
            parameters={"landing": self.volume()},
            show=_graph,
        )


def open_lab(name: str) -> Lab:
    """Attach to Spark and use the lesson's schema; what an earlier session made is still there."""
    places = Places.from_environment()
    spark = attach(places)
    lab = Lab(name, spark, places)
    _use_schema(spark, lab.schema)
    return lab


def _use_schema(spark: Any, schema: str) -> None:
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    spark.sql(f"USE {quoted(schema)}")


@dataclass(frozen=True)
class Task:
    """What a notebook task of a job works with: Databricks' own ``spark`` and ``dbutils`` there, ours here."""

    spark: Any
    dbutils: Any
    places: Places


def open_task() -> Task:
    """Attach a job's notebook to Spark and to the values that its job gives it."""
    places = Places.from_environment()
    return Task(attach(places), get_dbutils(), places)


def _graph() -> Callable[[UpdateReport], None]:
    """The pipeline's graph, drawn in the cell's output and filled in as the update goes on."""
    from helpers.charts import show_live

    draw = show_live()
    return lambda report: draw(asdict(report))
