"""The tasks of a job by its runs: one mark for what became of each task in each run."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import plotly.graph_objects as go

from helpers.charts.attempts import NO_RUN_YET
from helpers.charts.axes import add_start_axis
from helpers.charts.chart import Chart, empty_chart, finish, legend_rows
from helpers.charts.history import PastRun, job_name, past_runs
from helpers.charts.inputs import RunDict
from helpers.charts.tasks import TaskInRun, tasks_of
from helpers.charts.texts import count, label, plain
from helpers.charts.theme import THEMES, Theme, ThemeName, status_style

_WHOLE = "(the whole run)"
_ROW_PIXELS = 40
_TASK_PIXELS = 230
_NAME_WIDTH = 32
_AGAIN = "↻"
_SHORT = MappingProxyType(
    {
        "SUCCESS": "ok",
        "SUCCESS_WITH_FAILURES": "with failures",
        "TIMEDOUT": "timed out",
        "UPSTREAM_FAILED": "upstream",
        "UPSTREAM_CANCELED": "up. canceled",
        "INTERNAL_ERROR": "error",
    }
)


@dataclass(frozen=True)
class _Cell:
    """One mark: `column` counts runs, `row` tasks below the whole run's row."""

    column: int
    row: int
    status: str
    word: str
    hover: str


def task_matrix(runs: Sequence[RunDict], *, most: int = 20, theme: ThemeName = "light") -> Chart:
    """Draw what became of each task in the last `most` runs, in any order, of the job that ran last.

    The newest run is at the right. A task that a run did not have has no mark there.
    """
    colours, found = THEMES[theme], past_runs(runs, most=most)
    title = f"Tasks by run of {job_name(found)}"
    if not found:
        return empty_chart(title=title, next_step=NO_RUN_YET, theme=colours)
    tasks = [tasks_of(past.run) for past in found]
    keys = list(dict.fromkeys(key for own in reversed(tasks) for key in own))
    cells = [_whole(column, past) for column, past in enumerate(found)]
    cells += [
        _cell(column, row, own[key], past)
        for column, (past, own) in enumerate(zip(found, tasks, strict=True))
        for row, key in enumerate(keys, start=1)
        if key in own
    ]
    figure = go.Figure()
    statuses = list(dict.fromkeys(cell.status for cell in cells))
    for status in statuses:
        _add_cells(figure, [cell for cell in cells if cell.status == status], theme=colours)
    repaired = any(_AGAIN in cell.word for cell in cells)
    note = f"; {_AGAIN} ran again in a repair" if repaired else ""
    width = add_start_axis(figure, [past.start for past in found], what="run", fewest=8, note=note)
    _add_rows(figure, [_WHOLE, *keys], theme=colours)
    return finish(
        figure,
        title=title,
        text=_text(title, found, tasks),
        theme=colours,
        height=(len(keys) + 1) * _ROW_PIXELS + 70,
        legend=legend_rows(statuses),
        wide=True,
        min_width=_TASK_PIXELS + width,
    )


def _whole(column: int, past: PastRun) -> _Cell:
    word = _short(past.state, again=past.repairs > 0)
    return _Cell(column, 0, past.state, word, label(f"{past.name}: {past.said}", width=160))


def _cell(column: int, row: int, task: TaskInRun, past: PastRun) -> _Cell:
    hover = f"{task.hover}<br>{label(past.name)}"
    return _Cell(column, row, task.status, _short(task.status, again=task.repaired), hover)


def _short(status: str, *, again: bool) -> str:
    """Return a state in a word that fits below its mark."""
    word = _SHORT.get(status, status.replace("_", " ").lower())
    return label(f"{word} {_AGAIN}" if again else word, width=16)


def _add_cells(figure: go.Figure, cells: Sequence[_Cell], *, theme: Theme) -> None:
    style = status_style(cells[0].status)
    figure.add_scatter(
        name=label(cells[0].status),
        mode="markers+text",
        x=[cell.column for cell in cells],
        y=[cell.row for cell in cells],
        text=[cell.word for cell in cells],
        textposition="bottom center",
        textfont={"size": 9, "color": theme.muted},
        hovertext=[cell.hover for cell in cells],
        hoverinfo="text",
        cliponaxis=False,
        marker={"symbol": style.symbol, "size": 13, "color": theme.role(style.role)},
    )


def _add_rows(figure: go.Figure, names: Sequence[str], *, theme: Theme) -> None:
    figure.update_yaxes(
        title_text="Task",
        tickvals=list(range(len(names))),
        ticktext=[label(name, width=_NAME_WIDTH) for name in names],
        tickfont={"size": 11, "color": theme.text},
        range=[len(names) - 0.3, -0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.add_shape(type="line", xref="paper", x0=0, x1=1, y0=0.62, y1=0.62, line={"color": theme.rule, "width": 1})
    figure.update_layout(hovermode="closest")


def _text(title: str, found: Sequence[PastRun], tasks: Sequence[dict[str, TaskInRun]]) -> str:
    good = sum(past.state == "SUCCESS" for past in found)
    repaired = sum(past.repairs > 0 for past in found)
    head = f"{title}: {count(len(found), 'run')}, {count(good)} SUCCESS" + (
        f", {count(repaired)} repaired" if repaired else ""
    )
    newest = found[-1]
    bad = [f"{plain(key)} {task.status}" for key, task in tasks[-1].items() if task.status != "SUCCESS"]
    said = [head, f"the newest, {newest.name}, {newest.said}" + (f" ({', '.join(bad[:6])})" if bad else "")]
    often = _failures(tasks)
    said.append("failed most often: " + ", ".join(often) if often else "no task failed in any of them")
    return "; ".join(said) + "."


def _failures(tasks: Sequence[dict[str, TaskInRun]]) -> list[str]:
    """Return the three tasks that failed in most runs, at any attempt."""
    failed: dict[str, int] = {}
    for own in tasks:
        for key, task in own.items():
            failed[key] = failed.get(key, 0) + task.failed
    worst = sorted((key for key in failed if failed[key]), key=lambda key: -failed[key])[:3]
    return [f"{plain(key)} in {count(failed[key], 'run')}" for key in worst]
