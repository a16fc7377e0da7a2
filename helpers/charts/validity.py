"""Data quality by category: the share of valid records, worst first."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import RUN_THE_JOB, checked
from helpers.charts.lanes import Lane, add_lanes
from helpers.charts.ranking import category_names
from helpers.charts.texts import count, label, number, share, total
from helpers.charts.theme import THEMES, Theme, ThemeName

SHARE_WANTED = 0.95
_WANTED = f"{SHARE_WANTED * 100:.0f} %"
_SAID = 3


def quality_by_category(frame: pd.DataFrame, *, theme: ThemeName = "light", top: int = 12) -> Chart:
    """Draw the share of valid records of the worst categories as dots, from `gold_quality_by_category`.

    `valid_share` is a fraction from 0 to 1. The axis begins below the worst, so these are dots and not bars.
    """
    colours, title = THEMES[theme], "Share of valid records by category"
    table = checked(frame, "gold_quality_by_category")
    table = table.assign(name=category_names(table), valid_share=[number(value) for value in table["valid_share"]])
    table = table.dropna(subset=["valid_share"]).sort_values(["valid_share", "name"])
    if table.empty:
        return empty_chart(title=title, next_step=RUN_THE_JOB, theme=colours)
    shown = list(table.head(top).itertuples())
    title += f": worst {top} of {len(table):,}" if len(table) > top else ""
    figure = go.Figure()
    lanes = [Lane(row.name, _said(row), role="vermillion" if _is_low(row) else "muted") for row in shown]
    placed = add_lanes(figure, lanes, theme=colours)
    for row in placed.bars:
        line = {"color": colours.grid, "width": 2}
        figure.add_shape(type="line", x0=0, x1=1, xref="paper", y0=row, y1=row, layer="below", line=line)
    _add_dots(figure, shown, placed.bars, colours)
    floor = 100 * shown[0].valid_share
    low, high = max(0, floor - (100 - floor) * 0.1), 100 + (100 - floor) * 0.03 + 0.01
    figure.update_xaxes(title_text="Valid records, percent", range=[low, high], nticks=6, showgrid=False)
    text = f"{title}. {_whole(table)}; the worst: {'; '.join(f'{row.name} {_said(row)}' for row in shown[:_SAID])}."
    return finish(figure, title=title, text=text, theme=colours, height=placed.height, legend=True)


def _add_dots(figure: go.Figure, rows: Sequence[tuple], bars: Sequence[float], theme: Theme) -> None:
    wanted = _WANTED
    for word, symbol, role, low in (
        (f"below {wanted}", "x", "vermillion", True),
        (f"{wanted} or more", "circle", "blue", False),
    ):
        own = [(row, place) for row, place in zip(rows, bars, strict=True) if _is_low(row) is low]
        figure.add_scatter(
            name=word,
            mode="markers",
            x=[100 * row.valid_share for row, _ in own],
            y=[place for _, place in own],
            hovertext=[f"{label(row.name, width=120)}: {_said(row)}" for row, _ in own],
            hoverinfo="text",
            cliponaxis=False,
            showlegend=bool(own),
            marker={
                "symbol": symbol,
                "size": 11,
                "color": theme.role(role),
                "line": {"color": theme.surface, "width": 1},
            },
        )


def _is_low(row: tuple) -> bool:
    return row.valid_share < SHARE_WANTED


def _said(row: tuple) -> str:
    return f"{share(row.valid_share)} of {count(row.records)}"


def _whole(table: pd.DataFrame) -> str:
    valid, records = total(table["valid_records"]), total(table["records"])
    low = sum(table["valid_share"] < SHARE_WANTED)
    below = f"{count(low, 'category', 'categories')} below {_WANTED}"
    return f"{share(valid / records if records else None)} of {count(records, 'record')} are valid, {below}"
