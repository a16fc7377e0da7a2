"""What the graphs of pipelines and jobs are drawn from: boxes with lines of text, and smooth lines between them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import plotly.graph_objects as go

from helpers.charts.layout import Layout
from helpers.charts.texts import cut, label
from helpers.charts.theme import Theme

HALF_WIDTH = 0.45  # in columns
HALF_HEIGHT = 0.41  # in rows
COLUMN_PIXELS = 228  # five fit into the report
ROW_PIXELS = 90
_FEWEST_COLUMNS = 4  # so that the boxes of a small graph are no wider than they need
NAME_WIDTH = 27
LINE_WIDTH = 33
NAME_LINE = -0.24  # rows below the middle of a box
LINES = (-0.07, 0.11, 0.28)

Place = tuple[float, float]


@dataclass
class Canvas:
    """Shapes and texts that are put on a figure at once: plotly copies all of them for each that is added alone."""

    theme: Theme
    shapes: list[dict[str, Any]] = field(default_factory=list)
    texts: list[dict[str, Any]] = field(default_factory=list)

    def put_on(self, figure: go.Figure) -> None:
        figure.update_layout(shapes=self.shapes, annotations=self.texts)

    def box(
        self, place: Place, *, colour: str, edge: str, begun: bool, dotted: bool = False, width: float = 1.2
    ) -> None:
        """Draw an empty box; one that has not begun is hollow, another has a stripe of its state's colour."""
        x, y = place
        box = {"type": "rect", "x0": x - HALF_WIDTH, "y0": y - HALF_HEIGHT, "y1": y + HALF_HEIGHT, "layer": "below"}
        line = {"color": edge, "width": width, "dash": "dot" if dotted else "solid"}
        fill = self.theme.page if begun else self.theme.surface
        self.shapes.append({**box, "x1": x + HALF_WIDTH, "fillcolor": fill, "line": line})
        if begun:
            self.shapes.append({**box, "x1": x - HALF_WIDTH + 0.016, "fillcolor": colour, "line": {"width": 0}})

    def lines(self, place: Place, lines: Sequence[tuple[str, str]], *, at: Sequence[float] = LINES) -> None:
        """Write the lines below a box's name, each with its colour; empty ones take no place."""
        x, y = place
        shared = {"xshift": 12, "xanchor": "left", "align": "left", "borderpad": 0, "showarrow": False}
        for down, (text, ink) in zip(at, [line for line in lines if line[0]], strict=False):
            words = {"text": label(text, width=LINE_WIDTH + 8), "font": {"size": 11, "color": ink}}
            self.texts.append({**words, "x": x - HALF_WIDTH, "y": y + down, **shared})

    def edge(self, points: Sequence[tuple[int, float]], *, colour: str, width: float, dash: str = "solid") -> None:
        """Draw a smooth line from box to box; where it passes a layer it keeps level between the boxes."""
        (x, y), steps = points[0], points[1:]
        path = f"M {x + HALF_WIDTH} {y}"
        for index, (to_x, to_y) in enumerate(steps):
            start, end = x + HALF_WIDTH, to_x - HALF_WIDTH
            bend = (end - start) / 2 if end > start else 0.3  # a cycle's edge goes back
            path += f" C {start + bend} {y} {end - bend} {to_y} {end} {to_y}"
            if index < len(steps) - 1:
                path += f" L {to_x + HALF_WIDTH} {to_y}"
            x, y = to_x, to_y
        line = {"color": colour, "width": width, "dash": dash}
        self.shapes.append({"type": "path", "path": path, "layer": "below", "line": line})


def fit_axes(figure: go.Figure, layout: Layout) -> int:
    """Hide the axes and fit them to the boxes; return how many pixels wide the graph wants to be."""
    figure.update_xaxes(visible=False, range=[-0.47, max(layout.layers, _FEWEST_COLUMNS) - 0.53])
    figure.update_yaxes(visible=False, range=[layout.rows - 0.5, -0.5])
    figure.update_layout(hovermode="closest", hoverdistance=80)
    return layout.layers * COLUMN_PIXELS + 16


def shortened(found: Sequence[str]) -> str:
    """Return the first of several troubles, cut to one line of a box, and how many more there are."""
    if not found:
        return ""
    more = f" (+{len(found) - 1})" if len(found) > 1 else ""
    return cut(found[0], width=LINE_WIDTH - len(more)) + more
