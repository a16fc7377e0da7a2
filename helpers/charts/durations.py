"""How long each run of a job took, against the median of its past good runs."""

from collections.abc import Sequence
from statistics import median

import plotly.graph_objects as go

from helpers.charts.attempts import NO_RUN_YET
from helpers.charts.axes import add_start_axis
from helpers.charts.chart import Chart, empty_chart, finish, legend_rows
from helpers.charts.history import PastRun, job_name, past_runs
from helpers.charts.inputs import RunDict
from helpers.charts.texts import count, label, seconds, time_unit
from helpers.charts.theme import THEMES, Theme, ThemeName, bar_marker, status_style

_ALL_NAMED, _FEWEST = 15, 6  # runs
_NONE = "no median yet: no past run succeeded without a repair"


def run_durations(runs: Sequence[RunDict], *, most: int = 30, theme: ThemeName = "light") -> Chart:
    """Draw the duration of the last `most` runs, in any order, of the job that ran last.

    The line is the median of the runs before the newest that succeeded without a repair. Repairs count, a queue does
    not, and a run under way ends where its record does.
    """
    colours, found = THEMES[theme], past_runs(runs, most=most)
    title = f"Duration of {job_name(found)}"
    if not found:
        return empty_chart(title=title, next_step=NO_RUN_YET, theme=colours)
    good = [past.seconds for past in found[:-1] if past.good]
    middle = median(good) if good else None
    longest = max(past.seconds for past in found)
    scale, unit = time_unit(longest)
    figure = go.Figure()
    for state in dict.fromkeys(past.state for past in found):
        _add_bars(figure, found, state, middle, scale, theme=colours)
    _add_median(figure, len(found), middle, len(good), scale, theme=colours)
    figure.update_layout(barmode="overlay")
    every = 2 if len(found) > _ALL_NAMED else 1
    width = add_start_axis(figure, [past.start for past in found], what="run", fewest=_FEWEST, every=every)
    figure.update_yaxes(title_text=f"Duration, {unit}", rangemode="tozero", nticks=6)
    return finish(
        figure,
        title=title,
        text=_text(title, found, middle, len(good)),
        theme=colours,
        height=300,
        legend=legend_rows([trace.name for trace in figure.data if trace.showlegend is not False]),
        wide=True,
        min_width=width + 90,
    )


def _add_bars(
    figure: go.Figure, found: Sequence[PastRun], state: str, middle: float | None, scale: float, *, theme: Theme
) -> None:
    """Draw the runs that ended in one state: a bar, and the shape of the state on top of it."""
    own = [(column, past) for column, past in enumerate(found) if past.state == state]
    style, name = status_style(state), label(state)
    columns, heights = [column for column, _ in own], [past.seconds / scale for _, past in own]
    notes = [label(f"{past.name}: {past.said}{_beside(past, middle)}", width=200) for _, past in own]
    shared = {"x": columns, "y": heights, "hovertext": notes, "hoverinfo": "text", "name": name}
    figure.add_bar(width=0.55, showlegend=False, marker=bar_marker(theme, style.role, style.pattern), **shared)
    edge = {"color": theme.surface, "width": 1}
    marker = {"symbol": style.symbol, "size": 11, "color": theme.role(style.role), "line": edge}
    figure.add_scatter(mode="markers", cliponaxis=False, marker=marker, **shared)


def _add_median(
    figure: go.Figure, columns: int, middle: float | None, runs: int, scale: float, *, theme: Theme
) -> None:
    name = _NONE if middle is None else f"median of {count(runs, 'past good run')}: {seconds(middle)}"
    figure.add_scatter(
        name=name,
        mode="lines",
        x=[-0.6, max(columns, _FEWEST) - 0.4],
        y=[None if middle is None else middle / scale] * 2,
        hoverinfo="name",
        line={"color": theme.text, "width": 1.6, "dash": "dash"},
    )


def _beside(past: PastRun, middle: float | None) -> str:
    """Return how a run compares with the median."""
    if not middle:
        return ""
    percent = round((past.seconds / middle - 1) * 100)
    if not percent:
        return ", as long as the median"
    return f", {abs(percent):,} % {'longer' if percent > 0 else 'shorter'} than the median"


def _text(title: str, found: Sequence[PastRun], middle: float | None, runs: int) -> str:
    newest, times = found[-1], [past.seconds for past in found]
    said = [f"{title}: the newest, {newest.name}, {newest.said}{_beside(newest, middle)}"]
    said.append(_NONE if middle is None else f"the median of {count(runs, 'past good run')} is {seconds(middle)}")
    said.append(f"{count(len(found), 'run')}, the shortest {seconds(min(times))}, the longest {seconds(max(times))}")
    return "; ".join(said) + "."
