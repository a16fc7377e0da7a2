"""The one thing that every chart function returns: a figure and the sentence that says what it shows."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import plotly.graph_objects as go

from helpers.charts.texts import label, plain
from helpers.charts.theme import THEMES, Theme, ThemeName, in_theme

_TITLE_WIDTH = 64
_TITLE_LINE = 22
_TITLE_GAP = 14
_LEGEND_LINE = 20


@dataclass(frozen=True)
class Chart:
    """A plotly figure with its title and its text twin: one line for a screen reader or a run without a screen.

    `wide` asks a page for its full width; `min_width` is in pixels, below it a page scrolls the figure sideways.
    """

    figure: go.Figure = field(repr=False, compare=False)
    text: str
    title: str
    wide: bool = False
    min_width: int = 0

    def in_theme(self, theme: ThemeName) -> "Chart":
        """Return this chart for a light or a dark page."""
        return replace(self, figure=in_theme(self.figure, THEMES[theme]))

    def untitled(self) -> "Chart":
        """Return this chart without the title inside its figure, for a page that writes the title itself."""
        height = title_height(self.title)
        figure = go.Figure(self.figure)
        figure.update_layout(
            title_text="", margin_t=figure.layout.margin.t - height, height=figure.layout.height - height
        )
        return replace(self, figure=figure)

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Show the figure in a notebook, and its text wherever no figure can be shown."""
        bundle = self.figure._repr_mimebundle_()
        if not bundle:  # plotly's renderer of this place only shows figures by itself, as on Databricks
            bundle = {"text/html": self.figure.to_html(full_html=False, include_plotlyjs="cdn")}
        return {**bundle, "text/plain": self.text}


def title_height(title: str) -> int:
    """Return how many pixels of a figure its title takes."""
    return _TITLE_LINE * len(_lines(title)) + _TITLE_GAP


def finish(
    figure: go.Figure,
    *,
    title: str,
    text: str,
    theme: Theme,
    height: int,
    legend: int = 0,
    wide: bool = False,
    min_width: int = 0,
) -> Chart:
    """Give a figure its theme, title, margins and size; `height` is in pixels and leaves out title and legend.

    `legend` is how many rows it has.
    """
    lines = _lines(title)
    top = title_height(title) + (30 + _LEGEND_LINE * (legend - 1) if legend else 8)
    figure.update_layout(
        template=theme.template,
        height=height + top,
        showlegend=bool(legend),
        margin={"l": 8, "r": 8, "t": top, "b": 16},
        title={
            "text": "<br>".join(lines),
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            # plotly lifts a title of several lines.
            "pad": {"t": 12 + 9 * (len(lines) - 1), "l": 8},
        },
    )
    figure.update_xaxes(fixedrange=True)
    figure.update_yaxes(fixedrange=True)
    return Chart(figure, text=" ".join(text.split()), title=title, wide=wide, min_width=min_width)


def legend_rows(names: Sequence[str], *, width: int = 720) -> int:
    """Return how many rows a legend takes on a page so wide, in pixels; rows that are not alone share their columns."""
    wanted = [50 + 6.6 * len(name) for name in names]
    if sum(wanted) <= width:
        return 1
    return math.ceil(len(names) / max(width // max(wanted), 1))


def empty_chart(*, title: str, next_step: str, theme: Theme) -> Chart:
    """Return a figure that has nothing to show and says what to do next."""
    figure = go.Figure()
    message = "<br>".join(map(label, textwrap.wrap(plain(next_step), 46)))
    figure.add_annotation(
        text=message, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 13, "color": theme.muted}
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return finish(figure, title=title, text=f"{title}: nothing to show yet. {next_step}", theme=theme, height=150)


def _lines(title: str) -> list[str]:
    return [label(line, width=_TITLE_WIDTH) for line in textwrap.wrap(plain(title), _TITLE_WIDTH)]
