"""Sales by day and by hour of the day, each from one gold table; money is US dollars, as DECIMAL or float."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import RUN_THE_JOB, checked
from helpers.charts.texts import count, money, number, total
from helpers.charts.theme import DOLLAR_AXIS, THEMES, Theme, ThemeName, bar_marker

_MARKED_DAYS = 62
_DAYS_WITH_NAMES = 10
_ONE_DAY = 86_400_000  # milliseconds, as plotly counts a date axis


def revenue_by_day(frame: pd.DataFrame, *, theme: ThemeName = "light") -> Chart:
    """Draw revenue by day as a line, from `gold_revenue_by_day`; `day` may be dates, timestamps or ISO text."""
    colours, title = THEMES[theme], "Revenue by day"
    table = checked(frame, "gold_revenue_by_day")
    table = table.assign(day=pd.to_datetime(table["day"], errors="coerce")).dropna(subset=["day"]).sort_values("day")
    if table.empty:
        return empty_chart(title=title, next_step=RUN_THE_JOB, theme=colours)
    days, revenue = [day.strftime("%Y-%m-%d") for day in table["day"]], [number(value) for value in table["revenue"]]
    sold = [
        f"{money(row.revenue)}, {count(row.baskets, 'basket')}, {count(row.quantity)} sold"
        for row in table.itertuples()
    ]
    figure = go.Figure()
    figure.add_scatter(
        name="revenue",
        mode="lines+markers" if len(days) <= _MARKED_DAYS else "lines",
        x=days,
        y=revenue,
        line={"color": colours.blue, "width": 2.5},
        marker={"color": colours.blue, "size": 7},
        hovertext=[f"{day}: {line}" for day, line in zip(days, sold, strict=True)],
        hoverinfo="text",
    )
    # Away from the axis, where the first day would meet the $0 beside it.
    figure.update_xaxes(title_text="Day", type="date", ticklabelstandoff=8, **_day_ticks(len(days)))
    figure.update_yaxes(**DOLLAR_AXIS)
    span = f"{count(len(days), 'day')} from {days[0]} to {days[-1]}, {money(total(table['revenue']))} in all"
    text = f"{title}: {span}{_extremes_text(days, revenue)}."
    return finish(figure, title=title, text=text, theme=colours, height=320, wide=True)


def _day_ticks(days: int) -> dict[str, object]:
    """Return one tick a day for a few days, so that plotly writes no hours between them."""
    if days <= _DAYS_WITH_NAMES:
        return {"dtick": _ONE_DAY, "tickformat": "%a<br>%d %b", "tickangle": 0}
    return {"nticks": 8, "tickformat": "%d %b<br>%Y", "tickangle": 0}


def _extremes_text(days: Sequence[str], revenue: Sequence[float | None]) -> str:
    known = [(value, day) for value, day in zip(revenue, days, strict=True) if value is not None]
    if not known:
        return ""
    (most, best), (least, worst) = max(known), min(known)
    return f"; most on {best} ({money(most)}), least on {worst} ({money(least)})"


def revenue_by_hour(frame: pd.DataFrame, *, theme: ThemeName = "light") -> Chart:
    """Draw revenue (bars, left axis) and different products (diamonds, right axis) from `gold_revenue_by_hour`."""
    colours, title = THEMES[theme], "Revenue and products sold by hour"
    table = checked(frame, "gold_revenue_by_hour")
    table = table.assign(hour=[number(value) for value in table["hour"]]).dropna(subset=["hour"]).sort_values("hour")
    if table.empty:
        return empty_chart(title=title, next_step=RUN_THE_JOB, theme=colours)
    figure = go.Figure()
    _add_hours(figure, table, colours)
    clock = list(range(0, 24, 3))
    ticks = [f"{hour:02d}:00" for hour in clock]
    figure.update_xaxes(title_text="Hour of the day", range=[-1, 24], tickvals=clock, ticktext=ticks, showgrid=False)
    right = {"title_text": "Different products", "overlaying": "y", "side": "right", "showgrid": False}
    scale = {"rangemode": "tozero", "tickformat": "~s", "nticks": 6, "tickmode": "auto"}
    figure.update_layout(yaxis=dict(DOLLAR_AXIS), yaxis2=right | scale)
    peak = max(table.itertuples(), key=lambda row: number(row.revenue) or 0)
    text = f"{title}: {count(len(table), 'hour')} with sales; the busiest is {_hour_text(peak)}."
    return finish(figure, title=title, text=text, theme=colours, height=342, legend=True)


def _add_hours(figure: go.Figure, table: pd.DataFrame, theme: Theme) -> None:
    notes = [_hour_text(row) for row in table.itertuples()]
    shared = {"x": [int(hour) for hour in table["hour"]], "hovertext": notes, "hoverinfo": "text"}
    revenue, products = ([number(value) for value in table[name]] for name in ("revenue", "products"))
    figure.add_bar(name="revenue (left axis)", y=revenue, marker=bar_marker(theme, "blue"), **shared)
    edge = {"color": theme.surface, "width": 1}
    figure.add_scatter(
        name="products (right axis)",
        y=products,
        yaxis="y2",
        mode="lines+markers",
        line={"color": theme.vermillion, "width": 2},
        marker={"symbol": "diamond", "size": 9, "color": theme.vermillion, "line": edge},
        **shared,
    )


def _hour_text(row: tuple) -> str:
    sold = f"{money(row.revenue)}, {count(row.products, 'product')}, {count(row.baskets, 'basket')}"
    return f"{row.hour:02.0f}:00 to {row.hour:02.0f}:59 with {sold}"
