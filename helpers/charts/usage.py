"""The timeline of a run with what the Spark server used below it, on the same time axis."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import plotly.graph_objects as go

from helpers.charts.chart import Chart, finish
from helpers.charts.inputs import RunDict, UsageDict
from helpers.charts.theme import THEMES, Theme, ThemeName
from helpers.charts.timeline import Drawn, add_timeline, job_timeline

_PANEL_PIXELS, _GAP_PIXELS, _AXIS_PIXELS = 110, 42, 56
_LONGEST_GAP = 10_000  # milliseconds between two samples; with more between them the line has a hole
_GIB = 1024**3


@dataclass(frozen=True)
class _Panel:
    """One line below the timeline; `most` is what the machine has."""

    axis: str
    title: str
    unit: str
    values: Sequence[float]
    most: float
    role: str
    dash: str

    @property
    def heading(self) -> str:
        return self.title[0].upper() + self.title[1:]

    @property
    def said(self) -> str:
        mean = sum(self.values) / len(self.values)
        most = f"{self.most:.1f}".removesuffix(".0")
        return f"at most {max(self.values):.1f} and on average {mean:.1f} of the machine's {most} {self.unit}"


def server_usage(run: RunDict, samples: Sequence[UsageDict], *, theme: ThemeName = "light") -> Chart:
    """Draw a run's timeline, and below it the CPU and memory of the Spark server while it ran.

    `samples` are those of `helpers.runtime.usage.read_usage`; samples from before or after the run are left out. Where
    there is none, because another Spark ran the job or the samples are gone, the timeline says so.
    """
    colours, timeline = THEMES[theme], job_timeline(run, theme=theme)
    if not run.get("tasks"):
        return timeline
    figure = go.Figure()
    drawn = add_timeline(figure, run, theme=colours)
    own = sorted((one for one in samples if drawn.begin <= one["time"] <= drawn.end), key=lambda one: one["time"])
    if not own:
        return replace(timeline, text=f"{timeline.text} The server's CPU and memory were not sampled in that time.")
    panels = _panels(own)
    bottom = _split(figure, drawn, panels)
    for panel in panels:
        _add_panel(figure, panel, own, drawn, theme=colours)
    said = "; ".join(f"{panel.title} {panel.said}" for panel in panels)
    return finish(
        figure,
        title=f"{timeline.title}, and the server's CPU and memory",
        text=f"{drawn.text} The Spark server meanwhile: {said}.",
        theme=colours,
        height=drawn.height + bottom,
        legend=drawn.legend,
        wide=True,
    )


def _panels(samples: Sequence[UsageDict]) -> list[_Panel]:
    cpu, memory = [one["cpu"] for one in samples], [one["memory"] / _GIB for one in samples]
    last = samples[-1]
    return [
        _Panel("y2", "CPU", "cores", cpu, last["cores"], "blue", "solid"),
        _Panel("y3", "memory", "GiB", memory, last["total"] / _GIB, "purple", "dot"),
    ]


def _split(figure: go.Figure, drawn: Drawn, panels: Sequence[_Panel]) -> int:
    """Give the lanes the upper part of the figure and each panel its own below; return the pixels of the panels."""
    below = len(panels) * (_PANEL_PIXELS + _GAP_PIXELS)
    whole = drawn.height - _AXIS_PIXELS + below
    figure.update_layout(yaxis_domain=[below / whole, 1], xaxis_anchor=panels[-1].axis)
    top = below
    for panel in panels:
        top -= _GAP_PIXELS
        highest = max(panel.most, *panel.values)
        axis = {
            "domain": [(top - _PANEL_PIXELS) / whole, top / whole],
            "title_text": f"{panel.heading}, {panel.unit}",
            "range": [0, highest * 1.08],
            "nticks": 4,
        }
        figure.update_layout({f"yaxis{panel.axis[1:]}": axis})
        top -= _PANEL_PIXELS
    return below


def _add_panel(figure: go.Figure, panel: _Panel, samples: Sequence[UsageDict], drawn: Drawn, *, theme: Theme) -> None:
    colour = theme.role(panel.role)
    for stretch in _stretches([one["time"] for one in samples], panel.values):
        figure.add_scatter(
            name=panel.heading,
            mode="lines" if len(stretch) > 1 else "markers",
            x=[(time - drawn.begin) / 1000 / drawn.unit for time, _ in stretch],
            y=[value for _, value in stretch],
            yaxis=panel.axis,
            showlegend=False,
            hovertext=[f"{panel.heading}: {value:.2f} {panel.unit}" for _, value in stretch],
            hoverinfo="text",
            cliponaxis=False,
            line={"color": colour, "width": 2, "dash": panel.dash},
            marker={"color": colour, "size": 6},
            fill="tozeroy",
            fillcolor=theme.soft,
        )
    figure.add_annotation(
        text=f"{panel.heading}: {panel.said}",
        x=0,
        xref="paper",
        xanchor="left",
        y=1,
        yref=f"{panel.axis} domain",
        yanchor="bottom",
        showarrow=False,
        font={"size": 12, "color": theme.text},
    )


def _stretches(times: Sequence[int], values: Sequence[float]) -> list[list[tuple[int, float]]]:
    """Return the samples in stretches, with a new one after each hole."""
    found: list[list[tuple[int, float]]] = []
    for time, value in zip(times, values, strict=True):
        if not found or time - found[-1][-1][0] > _LONGEST_GAP:
            found.append([])
        found[-1].append((time, value))
    return found
