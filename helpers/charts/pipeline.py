"""The graph of one pipeline update, from left to right, and what became of each dataset."""

from collections.abc import Sequence

import plotly.graph_objects as go

from helpers.charts import cards
from helpers.charts.boxes import HALF_WIDTH, NAME_LINE, ROW_PIXELS, Canvas, fit_axes
from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import DatasetDict, UpdateDict, layer_of
from helpers.charts.layout import Layout, layered
from helpers.charts.texts import count, plain
from helpers.charts.theme import THEMES, Theme, ThemeName, status_style


def pipeline_graph(update: UpdateDict, *, theme: ThemeName = "light") -> Chart:
    """Draw the datasets of an update, finished or under way: a dataset that has not begun is hollow.

    The places depend on names, inputs and layers alone, so a graph that is drawn again fills in without moving.
    """
    colours = THEMES[theme]
    title = f"Pipeline {plain(update['pipeline_name'])}" if update.get("pipeline_name") else "Pipeline"
    datasets = _with_outsiders(update.get("datasets") or [])
    if not datasets:
        return empty_chart(title=title, next_step=_what_next(update), theme=colours)
    layout = layered(
        {name: one.get("inputs") or [] for name, one in datasets.items()},
        groups={name: layer_of(one) for name, one in datasets.items()},
    )
    figure, canvas = go.Figure(), Canvas(colours)
    for (_, node), points in layout.edges.items():
        live = cards.status_of(datasets[node]) == "RUNNING"
        canvas.edge(points, colour=colours.blue if live else colours.hollow, width=2 if live else 1.2)
    for name, dataset in datasets.items():
        cards.add_card(canvas, layout.at[name], dataset)
    canvas.put_on(figure)
    _add_names(figure, datasets, layout, theme=colours)
    width = fit_axes(figure, layout)
    state = plain(update.get("state") or "QUEUED")
    return finish(
        figure,
        title=f"{title}: update {state}",
        text=_text(title, state, update),
        theme=colours,
        wide=True,
        height=round(layout.rows * ROW_PIXELS) + 16,
        min_width=width,
    )


def _what_next(update: UpdateDict) -> str:
    if update.get("error"):
        return f"The update failed before it had a graph: {update['error']}"
    return "Run an update of the pipeline; its graph appears here."


def _with_outsiders(datasets: Sequence[DatasetDict]) -> dict[str, DatasetDict]:
    """Return the datasets by name, after the tables outside the pipeline that they read."""
    known = {str(one.get("name", "")): one for one in datasets}
    read = dict.fromkeys(source for one in datasets for source in one.get("inputs") or [])
    outside: dict[str, DatasetDict] = {name: {"name": name, "kind": "SOURCE"} for name in read if name not in known}
    return outside | known


def _add_names(figure: go.Figure, datasets: dict[str, DatasetDict], layout: Layout, *, theme: Theme) -> None:
    """Put name and shape of its kind on each card; the shape is hollow until the dataset begins."""
    shapes = [cards.SHAPES.get(str(one.get("kind")), "hexagon") for one in datasets.values()]
    filled = [cards.has_begun(one) for one in datasets.values()]
    colours = [theme.role(status_style(cards.status_of(one)).role) for one in datasets.values()]
    figure.add_scatter(
        name="datasets",
        mode="markers+text",
        ids=list(datasets),
        x=[layout.at[name][0] - HALF_WIDTH + 0.065 for name in datasets],
        y=[layout.at[name][1] + NAME_LINE for name in datasets],
        text=[cards.name_text(one) for one in datasets.values()],
        textposition="middle right",
        textfont={"size": 11, "color": theme.text},
        hovertext=[cards.hover_text(one) for one in datasets.values()],
        hoverinfo="text",
        cliponaxis=False,
        marker={
            "symbol": [shape if full else f"{shape}-open" for shape, full in zip(shapes, filled, strict=True)],
            "color": colours,
            "size": 9,
            "line": {"color": colours, "width": 1.5},
        },
    )


def _text(title: str, state: str, update: UpdateDict) -> str:
    datasets = update.get("datasets") or []
    states = [cards.status_of(one) for one in datasets]
    tally = ", ".join(f"{states.count(one)} {one}" for one in dict.fromkeys(states) if one)
    tables = [one for one in datasets if one.get("kind") != "VIEW"]  # a view passes its rows on and writes none
    written = sum(one.get("num_output_rows") or 0 for one in tables)
    dropped = sum(one.get("dropped_records") or 0 for one in datasets)
    upserted = sum(one.get("num_upserted_rows") or 0 for one in tables)
    deleted = sum(one.get("num_deleted_rows") or 0 for one in tables)
    failures = [(plain(one.get("name")), cards.failures_of(one)) for one in datasets]
    troubles = [f"{name}: {', '.join(found)}" for name, found in failures if found]
    troubles += [f"{plain(one.get('name'))} stopped: {plain(one['error'])}" for one in datasets if one.get("error")]
    rows = f"{count(written, 'row')} written, {count(dropped)} dropped"
    if upserted or deleted:
        rows += f", {count(upserted)} upserted, {count(deleted)} deleted"
    said = "; ".join(troubles) if troubles else "no expectation failed"
    return f"{title}, update {state}: {count(len(datasets), 'dataset')} ({tally}); {rows}; {said}."
