"""The timeline of one job run: a lane a task, a bar an attempt, a thin line for each wait."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import plotly.graph_objects as go

from helpers.charts.attempts import NO_RUN_YET, Tasks, by_task, limits, spent, waits
from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import RunDict, TaskRunDict, state_word
from helpers.charts.lanes import BAR_WIDTH, Lane, Placed, add_lanes
from helpers.charts.texts import count, label, plain, seconds, time_unit
from helpers.charts.theme import THEMES, Theme, ThemeName, bar_marker, status_style

_THINNEST = 0.002  # of the run; the legend explains no wait that is too short to be seen


@dataclass(frozen=True)
class _Span:
    """A stretch of one lane, in seconds since the run started."""

    lane: int
    start: float
    length: float
    status: str
    note: str


@dataclass(frozen=True)
class Drawn:
    """How a timeline was drawn: from `begin` (epoch milliseconds), in units of so many seconds, in so many pixels."""

    begin: int
    end: int
    unit: int
    height: int
    legend: bool
    text: str


def job_timeline(run: RunDict, *, theme: ThemeName = "light") -> Chart:
    """Draw the attempts and waits of every task of a run, as `helpers.jobs` records it.

    A task that still runs ends where the record does.
    """
    colours, title = THEMES[theme], f"Timeline of {plain(run.get('run_name') or 'the job')}"
    if not run.get("tasks"):
        return empty_chart(title=title, next_step=NO_RUN_YET, theme=colours)
    figure = go.Figure()
    drawn = add_timeline(figure, run, theme=colours)
    return finish(
        figure, title=title, text=drawn.text, theme=colours, height=drawn.height, legend=drawn.legend, wide=True
    )


def add_timeline(figure: go.Figure, run: RunDict, *, theme: Theme) -> Drawn:
    """Draw the lanes of a run that has tasks on the figure's first axes."""
    tasks, (begin, end) = by_task(run), limits(run)
    attempts = [span for lane, key in enumerate(tasks) for span in _attempts(lane, tasks[key], begin, end)]
    seen = (end - begin) / 1000 * _THINNEST
    pauses = [
        span for lane, key in enumerate(tasks) for span in _waits(lane, key, tasks, run, begin) if span.length >= seen
    ]
    placed = add_lanes(figure, [_lane(key, tasks[key], begin, end) for key in tasks], theme=theme)
    unit = _add_clock(figure, begin, end)
    _add_waits(figure, pauses, placed, unit, theme)
    # A lane says its own state in words; the legend explains what else is drawn in it.
    retried = {state_word(entry.get("state")) for entries in tasks.values() for entry in entries[:-1]}
    for status in dict.fromkeys(span.status for span in attempts):
        spans = [span for span in attempts if span.status == status]
        _add_attempts(figure, spans, placed, unit, theme, legend=status in retried)
    figure.update_layout(barmode="overlay")
    text = _text(run, tasks, begin, end)
    return Drawn(begin, end, unit, placed.height, bool(pauses or retried), text)


def _add_clock(figure: go.Figure, begin: int, end: int) -> int:
    """Give the time axis a unit that suits the run, and return how many seconds it has."""
    took = (end - begin) / 1000
    scale, unit = time_unit(took)
    started = datetime.fromtimestamp(begin / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    figure.update_xaxes(title_text=f"{unit.capitalize()} since {started}", range=[0, max(took / scale * 1.02, 0.1)])
    return scale


def _attempts(lane: int, entries: Sequence[TaskRunDict], begin: int, end: int) -> list[_Span]:
    spans = []
    for entry in entries:
        start = entry.get("start_time") or entry.get("end_time") or end
        length = spent(entry, end)
        status = state_word(entry.get("state"))
        note = f"attempt {(entry.get('attempt_number') or 0) + 1}: {status}, {seconds(length)}"
        spans.append(_Span(lane, (start - begin) / 1000, length, status, note))
    return spans


def _waits(lane: int, key: str, tasks: Tasks, run: RunDict, begin: int) -> list[_Span]:
    """Return a thin span for each wait of a task."""
    found = [((start - begin) / 1000, (end - start) / 1000) for start, end in waits(key, tasks, run)]
    return [_Span(lane, start, length, "waiting", f"waiting, {seconds(length)}") for start, length in found]


def _lane(key: str, entries: Sequence[TaskRunDict], begin: int, end: int) -> Lane:
    status = state_word(entries[-1].get("state"))
    took = sum(span.length for span in _attempts(0, entries, begin, end))
    parts = (
        [status] + ([seconds(took)] if took else []) + ([count(len(entries), "attempt")] if len(entries) > 1 else [])
    )
    return Lane(name=key, detail=" · ".join(parts), role=status_style(status).role)


def _add_waits(figure: go.Figure, spans: Sequence[_Span], placed: Placed, scale: float, theme: Theme) -> None:
    if spans:
        figure.add_bar(
            name="waiting",
            showlegend=True,
            orientation="h",
            y=[placed.bars[span.lane] for span in spans],
            width=0.05,
            base=[span.start / scale for span in spans],
            x=[span.length / scale for span in spans],
            marker={"color": theme.hollow, "line_width": 0},
            hovertext=[span.note for span in spans],
            hoverinfo="text",
        )


def _add_attempts(
    figure: go.Figure, spans: Sequence[_Span], placed: Placed, scale: float, theme: Theme, *, legend: bool
) -> None:
    style = status_style(spans[0].status)
    colour, name = theme.role(style.role), label(spans[0].status)
    rows, notes = [placed.bars[span.lane] for span in spans], [label(span.note) for span in spans]
    figure.add_bar(
        name=name,
        orientation="h",
        y=rows,
        width=BAR_WIDTH,
        base=[span.start / scale for span in spans],
        x=[span.length / scale for span in spans],
        hovertext=notes,
        hoverinfo="text",
        showlegend=False,
        marker=bar_marker(theme, style.role, style.pattern),
    )
    figure.add_scatter(
        name=name,
        mode="markers",
        showlegend=legend,
        x=[(span.start + span.length) / scale for span in spans],
        y=rows,
        hovertext=notes,
        hoverinfo="text",
        cliponaxis=False,
        marker={"symbol": style.symbol, "size": 11, "color": colour, "line": {"color": theme.surface, "width": 1}},
    )


def _text(run: RunDict, tasks: Tasks, begin: int, end: int) -> str:
    lanes = (_lane(key, entries, begin, end) for key, entries in tasks.items())
    said = [f"{plain(lane.name)} {lane.detail.replace(' · ', ', ')}" for lane in lanes]
    name, took = plain(run.get("run_name") or "Job run"), seconds((end - begin) / 1000)
    head = f"{name}: {state_word(run.get('state'))} after {took}, {count(len(tasks), 'task')}"
    return f"{head}: {'; '.join(said)}."
