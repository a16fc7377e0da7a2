"""Revenue by department, category and price tier, each from one gold table; money is US dollars, as DECIMAL or float.

The columns stand in `helpers.charts.inputs.COLUMNS`. An empty table gives a figure that says what to do.
"""

import pandas as pd
import plotly.graph_objects as go

from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import RUN_THE_JOB, checked
from helpers.charts.lanes import BAR_WIDTH, Lane, add_lanes
from helpers.charts.ranking import Ranked, category_names, ranked
from helpers.charts.texts import count, label, money, number, plain, share, total
from helpers.charts.theme import DOLLAR_AXIS, THEMES, Theme, ThemeName, bar_marker

PRICE_TIERS = ("budget", "standard", "premium")
_SAID = 3


def revenue_by_department(frame: pd.DataFrame, *, theme: ThemeName = "light", top: int = 12) -> Chart:
    """Draw revenue by department, largest first, from `gold_revenue_by_department`."""
    table = checked(frame, "gold_revenue_by_department")
    names = [plain(value) for value in table["department"]]
    return _money_lanes("Revenue by department", ranked(table, names=names, value="revenue", top=top), THEMES[theme])


def revenue_by_category(frame: pd.DataFrame, *, theme: ThemeName = "light", top: int = 12) -> Chart:
    """Draw revenue by category, largest first, from `gold_revenue_by_category`."""
    table = checked(frame, "gold_revenue_by_category")
    rows = ranked(table, names=category_names(table), value="revenue", top=top)
    return _money_lanes("Revenue by category", rows, THEMES[theme])


def _money_lanes(subject: str, rows: Ranked, theme: Theme) -> Chart:
    if not rows.names:
        return empty_chart(title=subject, next_step=RUN_THE_JOB, theme=theme)
    figure, whole = go.Figure(), total(rows.values)
    details = [f"{money(value)} · {share(value / whole)}" if whole > 0 else money(value) for value in rows.values]
    named = list(zip(rows.names, details, strict=True))
    placed = add_lanes(figure, [Lane(name, detail) for name, detail in named], theme=theme)
    colours = [theme.blue] * len(named)
    if rows.rest:
        colours[-1] = theme.grey
    figure.add_bar(
        name="revenue",
        orientation="h",
        x=[number(value) for value in rows.values],
        y=placed.bars,
        width=BAR_WIDTH * 0.8,
        marker={"color": colours, "line_width": 0},
        hovertext=[f"{label(name, width=120)}: {detail}" for name, detail in named],
        hoverinfo="text",
    )
    figure.update_xaxes(**DOLLAR_AXIS)
    title = rows.title(subject)
    first = "; ".join(f"{name} {detail.replace(' · ', ', ')}" for name, detail in named[:_SAID])
    text = f"{title}. {money(whole)} in all; the largest: {first}."
    return finish(figure, title=title, text=text, theme=theme, height=placed.height)


def revenue_by_price_tier(frame: pd.DataFrame, *, theme: ThemeName = "light") -> Chart:
    """Draw revenue by price tier, from budget to premium, from `gold_revenue_by_price_tier`."""
    colours, title = THEMES[theme], "Revenue by price tier"
    rows = sorted(
        checked(frame, "gold_revenue_by_price_tier").itertuples(), key=lambda row: _tier_order(row.price_tier)
    )
    if not rows:
        return empty_chart(title=title, next_step=RUN_THE_JOB, theme=colours)
    tiers, revenue = [plain(row.price_tier) for row in rows], [number(row.revenue) for row in rows]
    said = [f"{money(row.revenue)}, {count(row.quantity)} sold, {count(row.products, 'product')}" for row in rows]
    figure = go.Figure()
    figure.add_bar(
        name="revenue",
        x=tiers,
        y=revenue,
        width=0.5,
        text=[money(value) for value in revenue],
        textposition="outside",
        textfont={"color": colours.text},
        cliponaxis=False,
        marker=bar_marker(colours, "blue"),
        hovertext=[f"{label(tier)}: {line}" for tier, line in zip(tiers, said, strict=True)],
        hoverinfo="text",
    )
    ticks = [label(tier, width=18) for tier in tiers]
    figure.update_xaxes(title_text="Price tier", type="category", tickvals=tiers, ticktext=ticks)
    known = [value for value in revenue if value is not None]
    figure.update_yaxes(**DOLLAR_AXIS, range=[min(0, *known, 0) * 1.15, max(1, *known, 1) * 1.15])
    text = f"{title}: " + "; ".join(f"{tier} {line}" for tier, line in zip(tiers, said, strict=True)) + "."
    return finish(figure, title=title, text=text, theme=colours, height=370)


def _tier_order(tier: object) -> tuple[int, str]:
    name = plain(tier)
    return (PRICE_TIERS.index(name) if name in PRICE_TIERS else len(PRICE_TIERS), name)
