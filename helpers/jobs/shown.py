"""A run in a notebook: a small table, the same as plain text, and its charts, which go on while the run does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from helpers.jobs.errors import RunRecordError
from helpers.jobs.record import load_run
from helpers.jobs.runs import Run, TaskRun

EVERY_SECONDS = 2.0

_COLUMNS = ("task", "type", "state", "attempt", "seconds", "")
_COLOURS = {
    "SUCCESS": "#1a7f37", "SUCCESS_WITH_FAILURES": "#9a6700", "EXCLUDED": "#6e7781", "CANCELED": "#9a6700",
    "UPSTREAM_CANCELED": "#9a6700", "RUNNING": "#0969da",
}  # fmt: skip
_BAD = "#cf222e"
_MOST_ITERATIONS = 20


def as_text(run: Run) -> str:
    """Say how the run and each of its tasks ended, a line each."""
    rows = [_COLUMNS, *_rows(run)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS) - 1)]
    lines = ["  ".join([*map(str.ljust, row, widths), row[-1]]).rstrip() for row in rows]
    return "\n".join([_title(run), *lines, *_notes(run)])


def as_html(run: Run) -> str:
    """Draw the same as a table."""
    head = "".join(f"<th style='text-align:left'>{escape(column)}</th>" for column in _COLUMNS)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in _rows(run))
    below = "".join(f"<div>{escape(note)}</div>" for note in _notes(run))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div><strong>{escape(_title(run))}</strong>{table}{below}</div>"


def _notes(run: Run) -> list[str]:
    """What took long, and what of the definition meant nothing here."""
    return [*run.duration_warnings, *(f"ignored here: {one['path']}: {one['why']}" for one in run.ignored)]


def _title(run: Run) -> str:
    repaired = len(run.repair_history) - 1
    times = f", repaired {repaired} time{'s' if repaired > 1 else ''}" if repaired > 0 else ""
    said = f": {run.state.state_message}" if run.state.state_message else ""
    return f"{run.run_name} · run {run.run_id} · {run.state.word}{times}{said}"


def _rows(run: Run) -> Iterator[tuple[str, ...]]:
    for task in run.latest():
        yield _row(task, task.task_key)
        for one in task.iterations[:_MOST_ITERATIONS]:
            given = one.input if isinstance(one.input, str) else json.dumps(one.input, ensure_ascii=False)
            yield _row(one, f"  [{one.iteration}] {given}")
        if (more := len(task.iterations) - _MOST_ITERATIONS) > 0:
            yield (f"  … {more} more", "", "", "", "", "")


def _row(task: TaskRun, name: str) -> tuple[str, ...]:
    seconds = "" if task.seconds is None else f"{task.seconds:.1f}"
    said = task.error or task.state.state_message or task.exit_value or task.outcome or ""
    ran = "" if task.start_time is None else str(task.attempt_number + 1)
    return (name, task.type, task.state.word, ran, seconds, said)


def _cell(text: str) -> str:
    colour = _COLOURS.get(text, _BAD if text in ("FAILED", "TIMEDOUT", "UPSTREAM_FAILED", "INTERNAL_ERROR") else "")
    style = "text-align:left;white-space:pre-wrap" + (f";color:{colour}" if colour else "")
    return f"<td style='{style}'>{escape(text)}</td>"


def show(run: Run, *, seconds: float = EVERY_SECONDS) -> threading.Thread | None:
    """Show the table, the timeline and the graph of the tasks as outputs of the cell.

    Of a run that is under way, give the thread that redraws them until it ends; the cell does not wait for that. A
    terminal, which cannot redraw, shows the text of each as it is.
    """
    from IPython import get_ipython
    from IPython.display import display

    bundles = _bundles(run)
    handles = [display(bundle, raw=True, display_id=True) for bundle in bundles]
    if run.state.final or run.folder is None or getattr(get_ipython(), "kernel", None) is None:
        return None
    thread = threading.Thread(target=_follow, args=(Path(run.folder), handles, bundles, seconds), daemon=True)
    thread.start()
    return thread


def _follow(folder: Path, handles: Sequence[Any], shown: Sequence[Mapping[str, Any]], seconds: float) -> None:
    """Redraw each output that has changed, from the run's record, until the run ends or somebody deletes it."""
    ended = False
    while not ended:
        time.sleep(seconds)
        try:
            run = load_run(folder)
        except RunRecordError:
            return
        bundles, ended = _bundles(run), run.state.final
        for handle, bundle, before in zip(handles, bundles, shown, strict=True):
            if bundle["text/plain"] != before["text/plain"]:
                handle.update(bundle, raw=True)
        shown = bundles


def record_until_now(run: Run) -> dict[str, Any]:
    """Give a run as the charts take it; one under way goes on until now, since its record ends with its last event."""
    record = run.as_dict()
    if not run.state.final:
        record["end_time"] = int(time.time() * 1000)
    return record


def _bundles(run: Run) -> list[Mapping[str, Any]]:
    """Return the outputs."""
    from helpers.charts import job_graph, job_timeline  # here, since a runner draws nothing

    record = record_until_now(run)
    table = {"text/html": as_html(run), "text/plain": as_text(run)}
    return [table, *(draw(record)._repr_mimebundle_() for draw in (job_timeline, job_graph))]
