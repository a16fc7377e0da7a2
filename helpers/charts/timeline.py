"""The timeline of one job run: a lane a task, a bar an attempt, a thin line for each wait."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import plotly.graph_objects as go

from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import RunDict, TaskRunDict, state_word
from helpers.charts.lanes import BAR_WIDTH, Lane, Placed, add_lanes
from helpers.charts.texts import count, label, plain, seconds
from helpers.charts.theme import THEMES, Theme, ThemeName, bar_marker, status_style

_UNITS = ((3 * 3600, 3600, "hours"), (180, 60, "minutes"), (0, 1, "seconds"))


@dataclass(frozen=True)
class _Span:
    """A stretch of one lane, in seconds since the run started."""

    lane: int
    start: float
    length: float
    status: str
    note: str


def job_timeline(run: RunDict, *, theme: ThemeName = "light") -> Chart:
    """Draw the attempts and waits of every task of a run, as `helpers.jobs` records it.

    A task that still runs ends where the record does.
    """
    colours = THEMES[theme]
    title = f"Timeline of {plain(run.get('run_name') or 'the job')}"
    tasks = _by_task(run.get("tasks") or [])
    if not tasks:
        return empty_chart(title=title, next_step="Run the job: python3 -m helpers run", theme=colours)
    begin, end = _limits(run)
    attempts = [span for lane, key in enumerate(tasks) for span in _attempts(lane, tasks[key], begin, end)]
    waits = [span for lane, key in enumerate(tasks) for span in _waits(lane, tasks[key], tasks, begin)]
    figure = go.Figure()
    placed = add_lanes(figure, [_lane(key, tasks[key], begin, end) for key in tasks], theme=colours)
    scale = _add_clock(figure, begin, end)
    _add_waits(figure, waits, placed, scale, colours)
    # A lane says its own state in words; the legend explains what else is drawn in it.
    retried = {state_word(entry.get("state")) for entries in tasks.values() for entry in entries[:-1]}
    for status in dict.fromkeys(span.status for span in attempts):
        spans = [span for span in attempts if span.status == status]
        _add_attempts(figure, spans, placed, scale, colours, legend=status in retried)
    figure.update_layout(barmode="overlay")
    text = _text(run, tasks, begin, end)
    legend = bool(waits or retried)
    return finish(figure, title=title, text=text, theme=colours, height=placed.height, legend=legend, wide=True)


def _add_clock(figure: go.Figure, begin: int, end: int) -> float:
    """Give the time axis a unit that suits the run, and return how many seconds it has."""
    spent = (end - begin) / 1000
    scale, unit = next((size, name) for limit, size, name in _UNITS if spent >= limit)
    started = datetime.fromtimestamp(begin / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    figure.update_xaxes(title_text=f"{unit.capitalize()} since {started}", range=[0, max(spent / scale * 1.02, 0.1)])
    return scale


def _by_task(entries: Sequence[TaskRunDict]) -> dict[str, list[TaskRunDict]]:
    grouped: dict[str, list[TaskRunDict]] = defaultdict(list)
    for entry in entries:
        grouped[str(entry.get("task_key", ""))].append(entry)
    for attempts in grouped.values():
        attempts.sort(key=lambda entry: entry.get("attempt_number") or 0)
    return dict(grouped)


def _limits(run: RunDict) -> tuple[int, int]:
    """Return the first and last moment that the record knows, in epoch milliseconds."""
    entries = run.get("tasks") or []
    known = [
        moment for entry in (run, *entries) for moment in (entry.get("start_time"), entry.get("end_time")) if moment
    ]
    begin = run.get("start_time") or min(known, default=0)
    return begin, max(known, default=begin)


def _attempts(lane: int, entries: Sequence[TaskRunDict], begin: int, end: int) -> list[_Span]:
    spans = []
    for entry in entries:
        start = entry.get("start_time") or entry.get("end_time") or end
        length = max((entry.get("end_time") or (end if entry.get("start_time") else start)) - start, 0) / 1000
        status = state_word(entry.get("state"))
        note = f"attempt {(entry.get('attempt_number') or 0) + 1}: {status}, {seconds(length)}"
        spans.append(_Span(lane, (start - begin) / 1000, length, status, note))
    return spans


def _waits(lane: int, entries: Sequence[TaskRunDict], tasks: dict[str, list[TaskRunDict]], begin: int) -> list[_Span]:
    """Return the time between being free to start and starting: after the upstream tasks, and before each retry."""
    upstream = [tasks[key][-1].get("end_time") or begin for key in entries[0].get("depends_on") or [] if key in tasks]
    ready, spans = max(upstream, default=begin), []
    for entry in entries:
        start = entry.get("start_time") or ready
        if start > ready:
            length = (start - ready) / 1000
            spans.append(_Span(lane, (ready - begin) / 1000, length, "waiting", f"waiting, {seconds(length)}"))
        ready = entry.get("end_time") or start
    return spans


def _lane(key: str, entries: Sequence[TaskRunDict], begin: int, end: int) -> Lane:
    status = state_word(entries[-1].get("state"))
    spent = sum(span.length for span in _attempts(0, entries, begin, end))
    parts = (
        [status] + ([seconds(spent)] if spent else []) + ([count(len(entries), "attempt")] if len(entries) > 1 else [])
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


def _text(run: RunDict, tasks: dict[str, list[TaskRunDict]], begin: int, end: int) -> str:
    lanes = (_lane(key, entries, begin, end) for key, entries in tasks.items())
    said = [f"{plain(lane.name)} {lane.detail.replace(' · ', ', ')}" for lane in lanes]
    name, spent = plain(run.get("run_name") or "Job run"), seconds((end - begin) / 1000)
    head = f"{name}: {state_word(run.get('state'))} after {spent}, {count(len(tasks), 'task')}"
    return f"{head}: {'; '.join(said)}."
