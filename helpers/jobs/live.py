"""What a person sees of a run: a live table in a terminal, a line a change elsewhere, and a summary at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from helpers.jobs.attempt import doing
from helpers.jobs.record import Run, TaskRun
from helpers.jobs.scribe import Watcher

_STYLES = {
    "SUCCESS": "green",
    "SUCCESS_WITH_FAILURES": "yellow",
    "RUNNING": "cyan",
    "FAILED": "bold red",
    "TIMEDOUT": "bold red",
    "CANCELED": "yellow",
    "UPSTREAM_FAILED": "red",
    "UPSTREAM_CANCELED": "yellow",
}


def task_table(run: Run, *, now_ms: int | None = None, now_doing: Mapping[str, str] | None = None) -> Table:
    """Draw the last attempt of each task; `now_ms` times those that run, `now_doing` says by task what they do."""
    # A text, for a name in brackets is no markup.
    table = Table(title=Text(f"{run.run_name} · run {run.run_id}"), title_justify="left")
    for column in ("task", "type", "state", "attempt"):
        table.add_column(column, no_wrap=True)
    table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("detail", overflow="fold", min_width=20)
    for task in run.latest():
        said = (now_doing or {}).get(task.task_key) or task.error or task.state.state_message or _result(task)
        attempt, seconds = "" if _never_ran(task) else str(task.attempt_number + 1), _seconds(task, now_ms)
        table.add_row(task.task_key, task.type, _state(task.state), attempt, seconds, Text(said))
    return table


def summary(run: Run) -> RenderableType:
    """Draw the ended run: its tasks, the rows of each layer, each expectation's counts, and where the report is."""
    parts: list[RenderableType] = [task_table(run)]
    if layers := _layers(run):
        parts.append(_table("rows", ("layer", "read", "dropped", "written"), layers))
    if counts := _expectations(run):
        parts.append(_table("expectations", ("dataset", "expectation", "action", "passed", "failed"), counts))
    parts += [Text(f"ignored here: {ignored['path']}: {ignored['why']}") for ignored in run.ignored]
    lost = [fact for fact in run.notifications if fact["error"]]
    parts += [Text(f"{_channel(fact)} not delivered: {fact['error']}", "yellow") for fact in lost]
    parts += [Text(warning, "yellow") for warning in run.duration_warnings]
    parts += [Text(warning, "yellow") for warning in run.warnings]
    end = Text.assemble("run ", _state(run.state), f" {run.state.state_message}".rstrip())
    parts.append(end)
    if report := report_of(run):
        parts.append(Text(f"report: {report}"))
    return Group(*parts)


def report_of(run: Run) -> str | None:
    """Say where the report is: the task value `report` of the last task that set one."""
    for task in reversed(run.latest()):
        if "report" in (task.values or {}):
            return str(task.values["report"])  # type: ignore[index]
    return None


@contextmanager
def live_view(console: Console) -> Iterator[Watcher]:
    """Give a watcher for `run_job` that shows the run while the block runs."""
    if console.is_terminal:
        with _in_terminal(console) as watcher:
            yield watcher
    else:
        yield lambda run, event: _print_change(console, run, event)


@contextmanager
def _in_terminal(console: Console) -> Iterator[Watcher]:
    last: list[Run] = []

    def draw() -> RenderableType:
        if not last:
            return Text("")
        run = last[-1]
        return task_table(run, now_ms=int(time.time() * 1000), now_doing=_doing(run))

    with Live(console=console, get_renderable=draw, refresh_per_second=4, transient=True) as live:

        def watch(run: Run, event: Mapping[str, Any]) -> None:
            del event
            last[:] = [run]
            live.refresh()

        yield watch


def _doing(run: Run) -> dict[str, str]:
    folder = Path(run.folder or "")
    running = [task for task in run.latest() if task.state.life_cycle_state == "RUNNING" and task.folder]
    return {task.task_key: doing(folder / str(task.folder)) for task in running}


def _print_change(console: Console, run: Run, event: Mapping[str, Any]) -> None:
    line = _LINES[event["type"]](run, event)
    if line:
        at = datetime.now().astimezone().strftime("%H:%M:%S")
        console.print(Text(f"{at} {line}"), soft_wrap=True)


def _task_line(run: Run, event: Mapping[str, Any]) -> str:
    task = run.task(event["task_key"])
    ended = next((one for one in (*run.tasks, *task.iterations) if one.run_id == event["run_id"]), task)
    said = ended.error or ended.state.state_message or ended.exit_value or ended.outcome or ""
    name = task.task_key if ended.iteration is None else f"{task.task_key}[{ended.iteration}]"
    attempt = "" if _never_ran(ended) else f", attempt {ended.attempt_number + 1}"
    line = f"{name}: {_word(ended.state)}{attempt}"
    seconds = _seconds(ended, None)
    return line + (f", {seconds} s" if seconds else "") + (f": {said}" if said else "")


def _run_line(run: Run, event: Mapping[str, Any]) -> str:
    del event
    said = f": {run.state.state_message}" if run.state.state_message else ""
    return f"run {run.run_id} of '{run.run_name}': {_word(run.state)}{said}"


def _sent_line(run: Run, event: Mapping[str, Any]) -> str:
    del run
    told = f"{_channel(event)} {event['event']} to {', '.join(event['recipients'])}: "
    return told + (event["error"] or event["where"])


def _channel(fact: Mapping[str, Any]) -> str:
    return "webhook" if fact.get("channel") == "webhook" else "mail"


_LINES: Mapping[str, Callable[[Run, Mapping[str, Any]], str]] = {
    "run_started": _run_line,
    "run_ended": _run_line,
    "task_waiting": _task_line,
    "task_started": _task_line,
    "task_ended": _task_line,
    "notified": _sent_line,
    "run_queued": _run_line,
    "run_admitted": _run_line,
    "repair_started": lambda run, event: f"repair of run {run.run_id} of '{run.run_name}': RUNNING",
    "duration_warning": lambda run, event: str(event["message"]),
}


def _layers(run: Run) -> list[tuple[str, ...]]:
    totals: dict[str, list[int]] = {}
    for dataset in _datasets(run):
        read, written = dataset.get("rows_read"), dataset.get("num_output_rows")
        if read is None and written is None:
            continue
        total = totals.setdefault(dataset.get("layer") or "other", [0, 0, 0])
        for place, rows in enumerate((read, dataset.get("dropped_records"), written)):
            total[place] += rows or 0
    return [(layer, *(f"{rows:,}" for rows in total)) for layer, total in totals.items()]


def _expectations(run: Run) -> list[tuple[str, ...]]:
    totals: dict[tuple[str, str, str], list[int]] = {}
    for dataset in _datasets(run):
        for count in dataset.get("expectations", ()):
            total = totals.setdefault((count["dataset"], count["name"], count["action"]), [0, 0])
            total[0] += count["passed_records"]
            total[1] += count["failed_records"]
    return [(*key, *(f"{records:,}" for records in total)) for key, total in totals.items()]


def _datasets(run: Run) -> Iterator[Mapping[str, Any]]:
    for task in run.tasks:
        yield from (task.update or {}).get("datasets", ())


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in _NUMBERS else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


_NUMBERS = frozenset({"read", "dropped", "written", "passed", "failed"})


def _result(task: TaskRun) -> str:
    if task.iterations:
        ended = sum(one.state.result_state == "SUCCESS" for one in task.iterations)
        return f"{ended} iterations succeeded"
    return task.exit_value or task.outcome or ""


def _never_ran(task: TaskRun) -> bool:
    """Whether it ended without an attempt, since its condition or its `run_if` left it out."""
    return task.state.final and task.start_time is None


def _word(state: Any) -> str:
    return state.result_state or state.life_cycle_state


def _state(state: Any) -> Text:
    return Text(_word(state), _STYLES.get(_word(state), ""))


def _seconds(task: TaskRun, now_ms: int | None) -> str:
    end = task.end_time if task.end_time is not None else now_ms
    if task.start_time is None or end is None:
        return ""
    return f"{(end - task.start_time) / 1000:.1f}"
