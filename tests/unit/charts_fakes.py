"""Records of runs as the charts take them, and what a figure says."""

from __future__ import annotations

from typing import Any

from helpers import charts

START = 1_700_000_000_000


def task(
    key: str, attempt: int, start: float | None, end: float | None, result: str | None, *upstream: str, **fields: Any
) -> dict[str, Any]:
    """Return one attempt; times are seconds after the run's start."""
    moment = {"start_time": start, "end_time": end}
    return {
        "task_key": key,
        "attempt_number": attempt,
        "depends_on": list(upstream),
        "state": {"life_cycle_state": "TERMINATED" if result else "RUNNING", "result_state": result},
        **{name: None if value is None else START + round(value * 1000) for name, value in moment.items()},
        **fields,
    }


def run(
    *tasks: dict[str, Any], result: str | None = "SUCCESS", end: int | None = 60, **fields: Any
) -> dict[str, Any]:
    return {
        "run_name": "retail",
        "start_time": START,
        "end_time": None if end is None else START + end * 1000,
        "state": {"life_cycle_state": "TERMINATED", "result_state": result},
        "tasks": list(tasks),
        **fields,
    }


def words(chart: charts.Chart) -> str:
    notes = [note.text for note in chart.figure.layout.annotations]
    return " | ".join(notes + [text for trace in chart.figure.data for text in getattr(trace, "text", None) or ()])


def trace(chart: charts.Chart, name: str, kind: str = "bar") -> Any:
    return next(one for one in chart.figure.data if one.name == name and one.type == kind)
