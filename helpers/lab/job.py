"""A job that a lesson's cells write: its source files in a folder of the lesson, and its runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

from helpers.errors import LakeprepError
from helpers.files import replace_file
from helpers.lab.guide import Note
from helpers.notebooks import import_nbformat
from helpers.runtime import REPO_ROOT, Places

_ELSEWHERE = (
    "On Databricks a job runs in your workspace, on compute of its own, and not in this notebook: the cell "
    "**On Databricks** of this section creates it there and runs it."
)


class NotAFileOfTheJob(LakeprepError):
    """A name leads out of the job's folder, or says nothing of what the file is."""


class NoSuchFolder(LakeprepError):
    """The job's folder is not there."""


class NotRunHere(Note):
    """What takes a run's place where a job cannot run in the notebook; a check takes it for not attempted."""

    not_run_here = True


@dataclass(frozen=True)
class LabJob:
    """A job's folder, in which the paths of its definition begin; ``elsewhere`` where jobs run in a workspace."""

    folder: Path
    places: Places
    elsewhere: bool = False

    def write(self, name: str, text: str | Mapping[str, Any]) -> Note:
        """Write a source file: SQL, Python, or a dictionary as JSON (a pipeline's settings); it replaces the old."""
        content = dedent(text).strip() + "\n" if isinstance(text, str) else json.dumps(text, indent=2) + "\n"
        replace_file(self._path(name), content.encode())
        return Note(f"{name} is written.")

    def notebook(self, name: str, *cells: str) -> Note:
        """Write a notebook of code cells; ``spark`` and ``dbutils`` are there in it, as on Databricks."""
        nbformat = import_nbformat()
        if not name.endswith(".ipynb"):
            raise NotAFileOfTheJob(f"A notebook's file ends with .ipynb: write {name + '.ipynb'!r}.")
        made = nbformat.v4.new_notebook(cells=[
            nbformat.v4.new_code_cell(dedent(cell).strip(), id=f"cell-{number}")
            for number, cell in enumerate(cells, start=1)])
        replace_file(self._path(name), (nbformat.writes(made) + "\n").encode())
        return Note(f"{name} is written: {len(cells)} cells.")

    def read(self, name: str) -> Any:
        """A source file as it is now: JSON as data, anything else as text.

        :class:`NotAFileOfTheJob` says what is wrong with the file, and in which line.
        """
        path = self._path(name)
        if not path.is_file():
            raise NotAFileOfTheJob(f"There is no {name} in {self.folder}. Is it spelled so?")
        text = path.read_text(encoding="utf-8")
        try:
            return json.loads(text) if path.suffix == ".json" else text
        except json.JSONDecodeError as error:
            raise NotAFileOfTheJob(f"{name}, line {error.lineno}: {error.msg}. That is no JSON yet: look for a comma "
                                   "too many, or one that is missing.") from None

    def problems(self, definition: Mapping[str, Any]) -> tuple[str, ...]:
        """Everything that is wrong with a definition, without running it; nothing when it can run."""
        from helpers.jobs import check_definition

        return check_definition(definition, base_dir=self.folder)

    def next_runs(self, definition: Mapping[str, Any], *, count: int = 3, after: datetime | None = None) -> Any:
        """The next times at which the job starts by itself, later than ``after`` (now, when it is left out).

        Datetimes in the schedule's own zone, fewer or none where it never fires again, is paused, or waits for files or
        tables: then ``why`` says so. ``after`` without a time zone is in the schedule's.
        """
        from helpers.jobs import next_fire_times

        return next_fire_times(definition, after=after or datetime.now(UTC), count=count)

    def run(self, definition: Mapping[str, Any], *, parameters: Mapping[str, str] | None = None) -> Any:
        """Run the job to its end and give the run; a failed task is a result, not an error."""
        if self.elsewhere:
            return NotRunHere(_ELSEWHERE)
        from helpers.jobs import run_job  # not on Databricks: it needs what a workspace lacks

        return run_job(definition, places=self.places, base_dir=self.folder, parameters=parameters,
                       on_event=_timeline())

    def repair(self, run: Any, definition: Mapping[str, Any], *, tasks: Sequence[str] = (),
               parameters: Mapping[str, str] | None = None) -> Any:
        """Run again what did not succeed, under the same run id, with the definition and the files as they are now.

        ``tasks`` names those to run instead, and all that depends on them runs too.
        """
        if self.elsewhere or isinstance(run, NotRunHere):
            return NotRunHere(_ELSEWHERE)
        from helpers.jobs import load_run, repair_run

        # The record, not the variable: a cell that repairs may run twice.
        latest = load_run(self.places.runs / str(run.run_id)).repair_history[-1].id
        return repair_run(run.run_id, places=self.places, definition=definition, base_dir=self.folder,
                          rerun_tasks=tasks, rerun_dependent_tasks=bool(tasks), job_parameters=parameters,
                          latest_repair_id=latest, on_event=_timeline())

    def _path(self, name: str) -> Path:
        path = (self.folder / name).resolve()
        if self.folder.resolve() not in path.parents:
            raise NotAFileOfTheJob(f"{name!r} leads out of the job's folder: write a name such as 'silver.sql'.")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def folder_of_job(folder: str | Path, places: Places) -> Path:
    """A job's folder that is there already: as it is named, beside the notebook, or among the learner's lessons."""
    tried = [Path(folder), places.lessons / folder, REPO_ROOT / "lessons" / folder]
    found = next((each for each in tried if each.is_dir()), None)
    if found is None:
        raise NoSuchFolder(f"There is no folder {folder} beside this notebook, and none in {places.lessons}. "
                           "`python3 -m helpers study` brings it.")
    return found.resolve()


def _timeline() -> Callable[[Any, Mapping[str, Any]], None]:
    """The run's timeline, drawn in the cell's output and filled in as the run goes on."""
    from helpers.charts import job_timeline, show_live

    draw = show_live(job_timeline)
    return lambda run, event: draw(run.as_dict())
