"""What runs and what has arrived: runs, their updates and events, and one value that changes when any of it does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers import landing
from helpers.dashboard import queries
from helpers.dashboard.lakehouse import FILES, QUALITY, SALES, open_tables, schema_folder, stamp, stamps
from helpers.jobs.errors import RunRecordError
from helpers.jobs.folding import dead
from helpers.jobs.record import EVENTS, Run, TaskRun, load_run
from helpers.jobs.specs import PROGRESS
from helpers.runtime.places import Places

if TYPE_CHECKING:
    import pandas as pd

    from helpers.pipelines.report import UpdateReport

SHOWN_RUNS = 20
_TAIL = 256 * 1024
_EVENT_COLUMNS = ("id", "timestamp", "level", "event_type", "dataset", "message", "update_id")
_COUNT_COLUMNS = ("id", "timestamp", "event_type", "details", "error", "update_id")

#: Reads the record in a folder; the second argument changes whenever the record does, so that it can be cached.
RunLoader = Callable[[str, tuple[int, int]], Run]


def read_run(folder: str, written: tuple[int, int]) -> Run:
    """Read a run's record, whatever it was when it was last looked at."""
    del written
    return load_run(Path(folder))


def recent_runs(places: Places, *, load: RunLoader = read_run) -> list[Run]:
    """Give the newest runs whose record can be read, the newest first; one whose runner is gone says so."""
    folders = [path for path in places.runs.glob("*") if path.name.isdigit()]
    found = []
    for folder in sorted(folders, key=lambda path: int(path.name), reverse=True)[:SHOWN_RUNS]:
        try:
            found.append(dead(load(str(folder), _written(folder / EVENTS))))
        except (RunRecordError, OSError):
            continue
    return found


def update_of(run: Run) -> UpdateReport | None:
    """Give the pipeline update that a run's tasks made together, as far as it has come; None when there is none."""
    from helpers.pipelines.report import combined

    reports = reports_of(run)
    return combined(reports) if reports else None


def reports_of(run: Run) -> list[UpdateReport]:
    """Give the update that each task of a run made last, as far as it has come."""
    from helpers.pipelines.report import from_dict  # here, since the engine comes with it and takes a second

    reports = []
    for told in (task.update or _progress(run, task) for task in run.latest()):
        with suppress(KeyError, TypeError):  # another version of the engine told other things
            reports += [from_dict(told)] if told else []
    return reports


def updates_of(run: Run) -> tuple[tuple[str, str], ...]:
    """Give pipeline id and update id of each update that a run made, attempts that failed included."""
    told = [task.update or _progress(run, task) or {} for task in run.tasks]
    return tuple((update["pipeline_id"], update["update_id"]) for update in told if update.get("pipeline_id"))


def events_of(places: Places, schema: str, updates: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Give the newest events of some updates, the newest first: from the event log, and from updates that still run."""
    events = _told(places, schema, updates, queries.of_events, _EVENT_COLUMNS)
    return events.sort_values("timestamp", ascending=False, kind="stable").head(queries.EVENTS)


def counts_of(places: Places, schema: str, updates: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Give what `charts.expectation_failures` draws of some updates: from the event log, and from those that run."""
    return _told(places, schema, updates, queries.of_counts, _COUNT_COLUMNS)


def _told(
    places: Places,
    schema: str,
    updates: Sequence[tuple[str, str]],
    query: Callable[[tuple[str, ...]], str],
    columns: tuple[str, ...],
) -> pd.DataFrame:
    """Read events, each once, in no order."""
    import pandas as pd

    from helpers.pipelines.event_log import table_name

    rows: list[dict[str, Any]] = []
    for pipeline in dict.fromkeys(pipeline for pipeline, _ in updates):
        own = tuple(update for of, update in updates if of == pipeline)
        rows += _waiting(places, pipeline, own)
        folder, table = schema_folder(places, schema), table_name(pipeline)
        if stamp(folder / table):
            rows += open_tables(folder, {"event_log": table}).ask(query(own)).to_dict("records")
    events = pd.DataFrame(rows, columns=list(columns))
    events["timestamp"] = [pd.to_datetime(moment, utc=True) for moment in events["timestamp"]]
    return events.drop_duplicates("id")


def _waiting(places: Places, pipeline: str, updates: Sequence[str]) -> list[dict[str, Any]]:
    """Read the events that no commit has brought to the event log yet."""
    folder = places.checkpoints / pipeline / "_events"
    lines = [line for update in updates for line in _lines(folder / f"{update}.jsonl")]
    return [
        {**event, "dataset": event["origin"].get("dataset_name"), "update_id": event["origin"].get("update_id")}
        for event in lines
    ]


@dataclass(frozen=True)
class Arrived:
    """The transaction files in the landing folder, and those of them that no update has read."""

    files: int
    waiting: tuple[str, ...]


def arrived(places: Places, schema: str) -> Arrived:
    """Compare what has landed with what bronze holds."""
    folder = schema_folder(places, schema)
    names = sorted(Path(name).name for name in _landed(places, schema))
    if not names or stamp(folder / FILES[0]) is None:
        return Arrived(len(names), tuple(names))
    read = set(open_tables(folder, {FILES[0]: FILES[0]}).ask(queries.FILES_READ)["source_file"])
    return Arrived(len(names), tuple(name for name in names if name not in read))


def changed(places: Places, schema: str, *, runs: Sequence[Run]) -> tuple[Any, ...]:
    """Give a value that differs from an earlier one when something that the page shows has changed."""
    folder = schema_folder(places, schema)
    tables = stamps(folder, (*SALES, *QUALITY, *FILES))
    logs = [(path.name, stamp(path)) for path in sorted(folder.glob("event_log_*"))]
    states = [(run.run_id, run.state.word, _written(Path(run.folder or "") / EVENTS)) for run in runs]
    live = [
        (task.run_id, _written(Path(run.folder or "") / str(task.folder) / PROGRESS))
        for run in runs
        if not run.state.final
        for task in run.latest()
        if not task.state.final
    ]
    return tables, tuple(logs), tuple(states), tuple(live), len(_landed(places, schema))


def _landed(places: Places, schema: str) -> frozenset[str]:
    names = landing.landed_names(places.volume(schema, "landing"))
    return frozenset(name for name in names if name.startswith("transactions/"))


def _progress(run: Run, task: TaskRun) -> dict[str, Any] | None:
    """Read the last whole line of what a pipeline task tells while it runs."""
    if task.type != "pipeline" or task.state.final or not task.folder:
        return None
    told = _lines(Path(run.folder or "") / task.folder / PROGRESS)
    return told[-1] if told else None


def _lines(path: Path) -> list[dict[str, Any]]:
    """Read the end of a file of JSON lines; a line that is not whole is left out."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().splitlines()
    except OSError:
        return []
    return [event for event in map(_whole, lines) if event is not None]


def _whole(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _written(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)
