"""What a lesson works with: one object, whose methods are all that its cells call of ours."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from helpers import landing
from helpers.checks import Verdict
from helpers.errors import LakeprepError
from helpers.lab import faults
from helpers.lab.guide import Guide, Note, strict
from helpers.lab.job import LabJob, folder_of_job
from helpers.lab.outcome import Outcome, outcome_of
from helpers.lab.site import Site
from helpers.pipelines.names import quoted
from helpers.pipelines.notebook import Pipeline, notebook_pipeline
from helpers.pipelines.report import UpdateReport
from helpers.progress import Progress
from helpers.runtime import REPO_ROOT, Places

DATA = REPO_ROOT / "datasets" / "retail"


class NoSuchDay(LakeprepError):
    """No file of that day is left to arrive."""


@dataclass(frozen=True)
class Lab:
    """One lesson's world; ``spark`` already uses the lesson's own schema, ``lab.schema``."""

    name: str
    spark: Any
    site: Site
    places: Places
    source: Path = DATA

    @property
    def schema(self) -> str:
        return self.site.schema

    @property
    def databricks(self) -> bool:
        """Whether this notebook runs on Databricks: an "on Databricks" cell does its work only there."""
        return self.site.catalog is not None

    # Files and tables

    def volume(self, path: str = "landing") -> str:
        """The folder of a volume, or a place in it: ``lab.volume("landing/transactions")``."""
        volume, _, rest = path.partition("/")
        folder = self.site.make_volume(self.spark, volume)
        return str(folder / rest) if rest else str(folder)

    def arrive(self, *days: str) -> Note:
        """Land the files of days (``"2017-01-01"``) and say which; landing a day twice changes nothing."""
        return Note("\n".join(self._arrive(day) for day in days))

    def _arrive(self, day: str) -> str:
        known = landing.data_files(self.source)
        files = [file for file in known if str(file.day) == _iso(day)]
        if not files:
            raise NoSuchDay(f"No file is dated {day}. There are files from {known[0].day} to {known[-1].day}.")
        new = landing.land(files, source=self.source, landing=Path(self.volume()))
        return f"{day}: {', '.join(new)}" if new else f"{day} had already arrived."

    def reset(self) -> None:
        """Begin the lesson again: its tables and landed files go, and the next update reads anew. Progress stays."""
        self.spark.sql(f"DROP SCHEMA IF EXISTS {quoted(self.schema)} CASCADE")
        if not self.databricks:
            shutil.rmtree(self.site.volumes, ignore_errors=True)
        self.site.use(self.spark)

    def break_it(self, fault: str) -> Note:
        """Switch a fault on ("schema drift", "bad type", "duplicate files", "upstream task"), and hear its symptom."""
        return Note(faults.break_it(fault, source=self.source, folder=Path(self.volume())))

    def outcome(self, query: Any) -> Outcome:
        """Wait for a stream that was started with ``availableNow``, and see how it ended."""
        return outcome_of(query)

    def pipeline(self, name: str, *, parameters: dict[str, str] | None = None) -> Pipeline:
        """A pipeline that cells define; ``${landing}`` in its SQL is the lesson's landing volume."""
        return notebook_pipeline(
            self.spark,
            name,
            schema=self.schema,
            checkpoints=self.site.checkpoints,
            parameters={"landing": self.volume(), **(parameters or {})},
            show=_graph,
        )

    def job(self, name: str, *, folder: str | Path | None = None) -> LabJob:
        """A job with a folder for its files: one that cells write, or ``folder``, which is there already."""
        own = folder_of_job(folder, self.places) if folder else Path(self.volume(f"jobs/{name}"))
        return LabJob(own, self.places, elsewhere=self.databricks)

    # Checks, hints, quiz

    @cached_property
    def _guide(self) -> Guide:
        return Guide(self.name, Progress(self.site.progress))

    def check(self, exercise: str, answer: Any) -> Verdict:
        """Whether an answer is right, and if not, everything that is wrong with it."""
        return self._guide.check(self, exercise, answer)

    def hint(self, exercise: str) -> Note:
        """The next hint, from vague to near."""
        return self._guide.hint(exercise)

    def solution(self, exercise: str) -> Note:
        """One way to solve an exercise, once you have tried it."""
        return self._guide.solution(exercise)

    def quiz(self, *questions: str) -> Any:
        """The lesson's questions, or some: ``lab.quiz("05.q1")``. Answer by widget or ``.answer(id, choice)``."""
        from helpers.quiz import Quiz, load_questions

        asked = load_questions(self.name)
        unknown = set(questions) - {each.id for each in asked}
        if unknown:
            raise LakeprepError(f"Lesson {self.name} has no question {', '.join(sorted(unknown))}. "
                                f"It has {', '.join(each.id for each in asked)}.")
        chosen = [each for each in asked if not questions or each.id in questions]
        return Quiz(chosen, progress=self._guide.progress, seed=str(self.site.progress), strict=strict())

    def progress(self) -> Note:
        """What of this lesson is done, and what is next."""
        from helpers.quiz import load_questions

        return self._guide.standing(load_questions(self.name))

    def differences(self) -> Note:
        """What this lesson's features do differently on Databricks."""
        return self._guide.differences()

    def where(self) -> Note:
        """Which Spark this notebook uses, and where its tables and files are."""
        what = "Databricks" if self.databricks else "a Spark Connect server of your own"
        catalog = f"{self.site.catalog}." if self.site.catalog else ""
        return Note(f"Spark {self.spark.version} on {what}. Tables: {catalog}{self.schema}. "
                    f"Volumes: {self.site.volumes}. Progress: {self.site.progress}.")


def _iso(day: str) -> str:
    try:
        return date.fromisoformat(day).isoformat()
    except ValueError:
        raise NoSuchDay(f"{day!r} is not a day. Write it as 2017-01-31.") from None


def _graph() -> Callable[[UpdateReport], None]:
    """The pipeline's graph, drawn in the cell's output and filled in as the update goes on."""
    from helpers.charts import show_live

    draw = show_live()
    return lambda report: draw(asdict(report))
