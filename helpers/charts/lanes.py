"""Horizontal lanes: a name and its numbers on one line, the bar below it, so that a long name never moves the bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from helpers.charts.texts import label
from helpers.charts.theme import Theme

LANE_PIXELS = 42
BAR_WIDTH = 0.34
_BAR_SHIFT = 0.21
_TEXT_SHIFT = -0.2
_HEADING = 0.75
_NAME_WIDTH = 34
_GAP = "\u00a0\u00a0"  # a long name disappears under the detail, and not right beside it


@dataclass(frozen=True)
class Lane:
    """One lane; `detail` stands at its right end, and a new `group` gets a heading above its first lane."""

    name: str
    detail: str = ""
    group: str = ""
    role: str = "muted"


@dataclass(frozen=True)
class Placed:
    """Where the bars of each lane lie on the y axis, and how many pixels all lanes take."""

    bars: tuple[float, ...]
    height: int


def add_lanes(figure: go.Figure, lanes: Sequence[Lane], *, theme: Theme) -> Placed:
    """Write the names, details and headings of the lanes from top to bottom, and fix the y axis to them."""
    bars: list[float] = []
    texts: list[dict[str, Any]] = []
    top, group = 0.0, ""
    for lane in lanes:
        if lane.group != group:
            group = lane.group
            top += _HEADING
            heading = f"<b>{label(group).upper()}</b>"
            texts.append(_written(heading, y=top - 0.32, ink=theme.muted, theme=theme, size=10))
        line = top + 0.5 + _TEXT_SHIFT
        texts.append(_written(label(lane.name, width=_NAME_WIDTH), y=line, ink=theme.text, theme=theme))
        if lane.detail:
            ink = theme.role(lane.role)
            texts.append(_written(_GAP + label(lane.detail), y=line, ink=ink, theme=theme, left=False))
        bars.append(top + 0.5 + _BAR_SHIFT)
        top += 1
    figure.update_layout(annotations=texts)  # at once: added one by one, a hundred take seconds
    figure.update_yaxes(
        range=[top + 0.1, 0], automargin=False, showticklabels=False, showgrid=False, zeroline=False, title_text=""
    )
    return Placed(tuple(bars), round(top * LANE_PIXELS) + 56)


def _written(text: str, *, y: float, ink: str, theme: Theme, left: bool = True, size: int = 12) -> dict[str, Any]:
    side = "left" if left else "right"
    return {
        "text": text,
        "x": 0 if left else 1,
        "xref": "paper",
        "xanchor": side,
        "y": y,
        "yref": "y",
        "yanchor": "middle",
        "align": side,
        "showarrow": False,
        "borderpad": 0,
        "bgcolor": theme.surface,  # so that no grid line goes through the text
        "font": {"size": size, "color": ink},
    }
