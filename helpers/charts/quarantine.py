"""The rows that wait in quarantine, with the rules that they broke."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import ChartInputError
from helpers.charts.lanes import BAR_WIDTH, Lane, add_lanes
from helpers.charts.texts import NO_NAME, count, label, plain, share
from helpers.charts.theme import THEMES, Theme, ThemeName, bar_marker

RULES = "broken_rules"
_HEAD_PIXELS, _ROW_PIXELS, _AXIS_PIXELS = 30, 26, 56
_CELL_WIDTH = 36


def quarantined_rows(frame: pd.DataFrame, *, most: int = 10, theme: ThemeName = "light") -> Chart:
    """Draw how many rows broke each rule, and the first `most` rows themselves with their rules.

    `frame` holds rows of a quarantine table: `broken_rules` lists the names of the rules that a row broke; all other
    columns are shown as they come. Raises `ChartInputError` without that column.
    """
    colours, title = THEMES[theme], "Rows in quarantine, by the rule that they broke"
    if frame.empty:
        next_step = "No row is in quarantine: every row keeps every rule, or no update has run yet."
        return empty_chart(title=title, next_step=next_step, theme=colours)
    if RULES not in frame.columns:
        found = ", ".join(map(str, frame.columns))
        raise ChartInputError(f"The rows have no column {RULES}; they have {found}. Select it and draw again.")
    broken = [_names(value) for value in frame[RULES]]
    rows = Counter(name for names in broken for name in names).most_common()
    figure = go.Figure()
    lanes = [Lane(name, f"{count(number, 'row')} ({share(number / len(frame))})") for name, number in rows]
    placed = add_lanes(figure, lanes, theme=colours)
    _add_bars(figure, rows, placed.bars, theme=colours)
    shown = min(len(frame), most)
    table = _HEAD_PIXELS + shown * _ROW_PIXELS + 4
    whole = placed.height + table
    _add_rows(figure, frame.head(most), broken[:most], height=table / whole, theme=colours)
    figure.update_yaxes(domain=[(table + _AXIS_PIXELS) / whole, 1])
    few = {"dtick": 1} if rows[0][1] < 6 else {"nticks": 6}
    figure.update_xaxes(title_text=_axis(len(frame), shown), rangemode="tozero", **few)
    return finish(
        figure,
        title=title,
        text=_text(title, frame, rows, broken),
        theme=colours,
        height=whole + 16,
        wide=True,
        min_width=140 * (len(frame.columns) - 1),
    )


def _names(value: Any) -> list[str]:
    """Return the names of the rules of one row, each once; a missing list is one rule without a name."""
    missing = value is None or isinstance(value, float)
    return list(dict.fromkeys(plain(name) for name in ([] if missing else value))) or [NO_NAME]


def _add_bars(figure: go.Figure, rows: Sequence[tuple[str, int]], bars: Sequence[float], *, theme: Theme) -> None:
    figure.add_bar(
        name="rows",
        orientation="h",
        x=[number for _, number in rows],
        y=bars,
        width=BAR_WIDTH * 0.8,
        hovertext=[label(f"{name}: {count(number, 'row')}") for name, number in rows],
        hoverinfo="text",
        marker=bar_marker(theme, "vermillion", "/"),
    )


def _add_rows(
    figure: go.Figure, frame: pd.DataFrame, broken: Sequence[Sequence[str]], *, height: float, theme: Theme
) -> None:
    """Write the rows as a table below the bars; a column that is empty in all of them is left out."""
    names = [name for name in frame.columns if name != RULES and not frame[name].isna().all()]
    cells = [_cells(frame[name]) for name in names]
    line = {"color": theme.grid, "width": 1}
    figure.add_table(
        name="rows themselves",
        domain={"x": [0, 1], "y": [0, height]},
        columnwidth=[2, *([1] * len(names))],
        header={
            "values": ["<b>rule that it broke</b>", *(f"<b>{label(name)}</b>" for name in names)],
            "height": _HEAD_PIXELS,
            "align": "left",
            "fill": {"color": theme.page},
            "line": line,
            "font": {"size": 11, "color": theme.muted},
        },
        cells={
            "values": [[label(", ".join(rules), width=2 * _CELL_WIDTH) for rules in broken], *cells],
            "height": _ROW_PIXELS,
            "align": "left",
            "fill": {"color": theme.surface},
            "line": line,
            "font": {"size": 11, "color": theme.text},
        },
    )


def _cells(column: pd.Series) -> list[str]:
    """Return the values as text; whole numbers that pandas turned into floats, since some are missing, are whole."""
    whole = column.dtype.kind == "f" and (column.dropna() % 1 == 0).all()
    return ["" if _missing(value) else label(int(value) if whole else value, width=_CELL_WIDTH) for value in column]


def _missing(value: Any) -> bool:
    return value is None or (not isinstance(value, str) and value != value)


def _axis(rows: int, shown: int) -> str:
    return f"Rows in quarantine; below, {'all of them' if shown == rows else f'the first {shown} of {rows:,}'}"


def _text(title: str, frame: pd.DataFrame, rows: Sequence[tuple[str, int]], broken: Sequence[Sequence[str]]) -> str:
    said = [f"{name} {count(number)} ({share(number / len(frame))})" for name, number in rows]
    several = sum(len(names) > 1 for names in broken)
    said += [f"{count(several, 'row breaks', 'rows break')} more than one rule"] if several else []
    if "source_file" in frame.columns:
        file, number = Counter(map(plain, frame["source_file"])).most_common(1)[0]
        said.append(f"most come from {file}, {count(number, 'row')}")
    return f"{title}: {count(len(frame), 'row')}; " + "; ".join(said) + "."
