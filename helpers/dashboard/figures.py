"""Two figures that only the dashboard has: shares of revenue, and the rules that quarantined line items broke."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import RUN_THE_JOB
from helpers.charts.lanes import BAR_WIDTH, Lane, add_lanes
from helpers.charts.ranking import ranked
from helpers.charts.texts import count, label, money, number, plain, share, total
from helpers.charts.theme import THEMES, ThemeName, bar_marker

_SLICES = 5


def revenue_share(frame: pd.DataFrame, *, theme: ThemeName = "light") -> Chart:
    """Draw each department's share of revenue as a ring, from the columns department and revenue."""
    colours, title = THEMES[theme], "Share of revenue by department"
    rows = ranked(frame, names=[plain(name) for name in frame["department"]], value="revenue", top=_SLICES)
    whole = total(rows.values)
    if whole <= 0:
        return empty_chart(title=title, next_step=RUN_THE_JOB, theme=colours)
    shares = [share(value / whole) for value in rows.values]
    figure = go.Figure()
    figure.add_pie(
        labels=list(range(len(rows.names))),  # since two names may look the same once they are cut
        values=[number(value) for value in rows.values],
        text=[f"{label(name, width=18)}<br>{part}" for name, part in zip(rows.names, shares, strict=True)],
        hovertext=[f"{label(name)}: {money(v)}" for name, v in zip(rows.names, rows.values, strict=True)],
        textinfo="text",
        textposition="outside",
        hoverinfo="text",
        hole=0.58,
        sort=False,
        automargin=True,
        direction="clockwise",
        marker={
            "colors": [*colours.template.layout.colorway[:_SLICES], colours.grey],
            "line": {"color": colours.surface, "width": 2},
        },
    )
    middle = {"font": {"size": 15, "color": colours.text}, "showarrow": False, "x": 0.5, "y": 0.5}
    figure.add_annotation(text=label(money(whole)), **middle)
    said = "; ".join(f"{name} {part}" for name, part in zip(rows.names, shares, strict=True))
    return finish(figure, title=title, text=f"{title}: {said}.", theme=colours, height=342)


def broken_rules(frame: pd.DataFrame, *, records: int, theme: ThemeName = "light") -> Chart:
    """Draw how many line items broke each rule, from the columns rule and records; one may break several.

    `records` is how many line items there are in all, valid or not.
    """
    colours, title = THEMES[theme], "Line items that broke a rule"
    rows = sorted(frame.itertuples(), key=lambda row: (-row.records, plain(row.rule)))
    if not rows:
        step = f"{count(records, 'line item')}, and none of them broke a rule."
        return empty_chart(title=title, next_step=step, theme=colours)
    details = [f"{count(row.records)} · {_of(row.records, records)}" for row in rows]
    figure = go.Figure()
    lanes = [Lane(plain(row.rule), detail) for row, detail in zip(rows, details, strict=True)]
    placed = add_lanes(figure, lanes, theme=colours)
    figure.add_bar(
        name="line items",
        orientation="h",
        x=[row.records for row in rows],
        y=placed.bars,
        width=BAR_WIDTH * 0.8,
        marker=bar_marker(colours, "vermillion", "/"),
        hovertext=[f"{label(row.rule)}: {detail}" for row, detail in zip(rows, details, strict=True)],
        hoverinfo="text",
    )
    figure.update_xaxes(title_text="Line items in quarantine", rangemode="tozero", nticks=6)
    said = "; ".join(f"{lane.name} {lane.detail.replace(' · ', ', ')}" for lane in lanes)
    return finish(figure, title=title, text=f"{title}: {said}.", theme=colours, height=placed.height)


def _of(part: int, whole: int) -> str:
    """Say a small share with two decimals, so that it is not shown as nothing."""
    return f"{100 * part / whole:.2f} %" if whole else "unknown"
