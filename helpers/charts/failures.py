"""What share of the records failed each expectation, update by update, from the rows of the event log."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from helpers.charts.axes import add_start_axis, clock
from helpers.charts.chart import Chart, empty_chart, finish, legend_rows
from helpers.charts.counted import Rule, Update, updates_of
from helpers.charts.texts import count, label, small_share
from helpers.charts.theme import THEMES, Theme, ThemeName

_MOST_LINES = 8
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "hexagon", "triangle-down")
_DASHES = ("solid", "dash", "dot", "dashdot")
_ROLES = ("blue", "vermillion", "green", "purple", "amber", "grey")
_NAMED = 16  # updates; of more, every second has its time below it
_NEXT_STEP = "Run an update of a pipeline that has expectations; its event log has their counts."


def expectation_failures(events: pd.DataFrame, *, most: int = 20, theme: ThemeName = "light") -> Chart:
    """Draw the share of records that failed each expectation over the last `most` updates that counted any.

    `events` are rows of a pipeline's event log, in any order: `event_type`, `timestamp`, `details` (JSON text), and
    `origin` with its `update_id`, or `update_id` itself; with `id` an event that is there twice counts once, and with
    `error` an update that an expectation stopped is marked. Raises `ChartInputError` for a missing column.
    """
    colours, title = THEMES[theme], "Failed records by update"
    updates = updates_of(events)[-most:]
    if not updates:
        return empty_chart(title=title, next_step=_NEXT_STEP, theme=colours)
    rules = list(dict.fromkeys(rule for update in updates for rule in update.counts))
    rules.sort(key=lambda rule: -_failed(updates, rule))
    figure = go.Figure()
    for place, rule in enumerate(rules[:_MOST_LINES]):
        _add_line(figure, updates, rule, place, theme=colours)
    _add_stops(figure, updates, theme=colours)
    width = _add_axes(figure, updates)
    bad = [rule for rule in rules if _failed(updates, rule)]
    return finish(
        figure,
        title=f"{title}: {_how_many(bad, rules)}",
        text=_text(title, updates, rules, bad),
        theme=colours,
        height=320,
        legend=legend_rows([trace.name for trace in figure.data]),
        wide=True,
        min_width=max(width, 720),
    )


def _failed(updates: Sequence[Update], rule: Rule) -> int:
    return sum(update.counts.get(rule, (0, 0))[1] for update in updates)


def _share(counts: tuple[int, int]) -> float | None:
    passed, failed = counts
    return failed / (passed + failed) if passed + failed else None


def _said(counts: tuple[int, int]) -> str:
    """Return how many failed, and their share."""
    passed, failed = counts
    if not passed + failed:
        return "no records counted"
    return f"{count(failed)} of {count(passed + failed)} failed ({small_share(_share(counts))})"


def _add_line(figure: go.Figure, updates: Sequence[Update], rule: Rule, place: int, *, theme: Theme) -> None:
    counted = [(column, update) for column, update in enumerate(updates) if rule in update.counts]
    colour = theme.role(_ROLES[place % len(_ROLES)])
    dataset, name = rule
    figure.add_scatter(
        name=label(f"{name} on {dataset}", width=48),
        mode="lines+markers",
        x=[column for column, _ in counted],
        y=[_share(update.counts[rule]) for _, update in counted],
        hovertext=[
            label(f"{name} on {dataset}, {clock(update.started)}: {_said(update.counts[rule])}", width=200)
            for _, update in counted
        ],
        hoverinfo="text",
        cliponaxis=False,
        line={"color": colour, "width": 2, "dash": _DASHES[place % len(_DASHES)]},
        marker={"symbol": _SYMBOLS[place % len(_SYMBOLS)], "size": 9, "color": colour},
    )


def _add_stops(figure: go.Figure, updates: Sequence[Update], *, theme: Theme) -> None:
    """Mark the updates that an expectation stopped: nothing of their micro-batch was counted or written."""
    for column, update in enumerate(updates):
        if update.stopped_by:
            line = {"color": theme.vermillion, "width": 1.4, "dash": "dot"}
            figure.add_shape(type="line", x0=column, x1=column, yref="paper", y0=0, y1=1, line=line, layer="below")
            figure.add_annotation(
                text=label(f"stopped by {', '.join(update.stopped_by)}", width=34),
                x=column,
                y=1,
                yref="paper",
                xanchor="right" if column > len(updates) / 2 else "left",
                yanchor="top",
                showarrow=False,
                bgcolor=theme.surface,
                font={"size": 11, "color": theme.vermillion},
            )


def _add_axes(figure: go.Figure, updates: Sequence[Update]) -> int:
    """Name the axes and the updates; return the pixels that the names need."""
    every = 2 if len(updates) > _NAMED else 1
    width = add_start_axis(figure, [update.started for update in updates], what="update", every=every)
    figure.update_yaxes(title_text="Failed, share of the records checked", tickformat=".2~%", nticks=6)
    top = max((_share(counts) or 0.0 for update in updates for counts in update.counts.values()), default=0.0)
    figure.update_yaxes(range=[0, top * 1.12 or 0.01])
    return width + 90


def _text(title: str, updates: Sequence[Update], rules: Sequence[Rule], bad: Sequence[Rule]) -> str:
    said = []
    for rule in bad[:_MOST_LINES]:
        dataset, name = rule
        last = next(update for update in reversed(updates) if rule in update.counts)
        sums = [update.counts[rule] for update in updates if rule in update.counts]
        whole = (sum(passed for passed, _ in sums), sum(failed for _, failed in sums))
        said.append(f"{name} on {dataset}, {_said(whole)}, in the last of them {_said(last.counts[rule])}")
    good = len(rules) - len(bad)
    said += [f"{count(len(bad) - _MOST_LINES, 'expectation')} more with failures"] * (len(bad) > _MOST_LINES)
    said += [f"{count(good, 'expectation')} with no failure"] if good else []
    said += [
        f"update {clock(update.started)} stopped by {', '.join(update.stopped_by)}"
        for update in updates
        if update.stopped_by
    ]
    return f"{title}: {count(len(updates), 'update')}, {_how_many(bad, rules)}; " + "; ".join(said) + "."


def _how_many(bad: Sequence[Rule], rules: Sequence[Rule]) -> str:
    return f"{len(bad) or 'none'} of {count(len(rules), 'expectation')} had some"
