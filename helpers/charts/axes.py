"""The axis of charts that have a column a run or a column an update, named by when each started."""

from collections.abc import Sequence
from datetime import datetime

import plotly.graph_objects as go

_NAME_PIXELS = 66


def add_start_axis(
    figure: go.Figure, starts: Sequence[datetime], *, what: str, fewest: int = 6, every: int = 1, note: str = ""
) -> int:
    """Put one start at each whole number of the x axis and name every n-th; return the pixels that the names need.

    Few columns stand at the left, as wide as `fewest`.
    """
    columns = max(len(starts), fewest)
    named = range(len(starts) - 1, -1, -every)
    figure.update_xaxes(
        title_text=f"Start of the {what}, UTC, newest at the right{note}",
        tickvals=list(named),
        ticktext=[clock(starts[column], gap="<br>") for column in named],
        tickangle=0,
        tickfont_size=10,
        ticklabelstandoff=8,  # away from marks that stand on the axis
        range=[-0.6, columns - 0.4],
        showgrid=False,
        zeroline=False,
    )
    return -(-columns // every) * _NAME_PIXELS


def clock(start: datetime, *, gap: str = " ") -> str:
    """Return a start as its day, a gap, and the time of day."""
    return start.strftime(f"%Y-%m-%d{gap}%H:%M")
