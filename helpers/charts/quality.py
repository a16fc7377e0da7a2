"""What an update did to the rows: read, dropped and written by each dataset, and what each expectation counted."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import DatasetDict, UpdateDict, layer_of
from helpers.charts.lanes import BAR_WIDTH, Lane, add_lanes
from helpers.charts.texts import count, label, number, plain
from helpers.charts.theme import THEMES, Theme, ThemeName, bar_marker

_LAYERS = ("sources", "bronze", "silver", "gold")


def rows_between_layers(update: UpdateDict, *, theme: ThemeName = "light") -> Chart:
    """Draw the rows that each dataset of an update read, wrote and dropped, grouped by layer."""
    colours, title = THEMES[theme], "Rows read, written and dropped by dataset"
    counted = sorted(filter(_moved, update.get("datasets") or []), key=lambda one: _layer_order(layer_of(one)))
    if not counted:
        next_step = "Run an update of the pipeline; its counts appear here."
        return empty_chart(title=title, next_step=next_step, theme=colours)
    figure = go.Figure()
    lanes = [Lane(plain(one.get("name")), _flow(one), group=plain(layer_of(one))) for one in counted]
    placed = add_lanes(figure, lanes, theme=colours)
    _add_rows(figure, counted, placed.bars, colours)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title_text="Rows in this update", rangemode="tozero", nticks=6)
    layers = dict.fromkeys(layer_of(one) for one in counted)
    text = f"{title}: " + "; ".join(_layer_text(layer, counted) for layer in layers) + "."
    return finish(figure, title=title, text=text, theme=colours, height=placed.height, legend=True, wide=True)


def _add_rows(figure: go.Figure, datasets: Sequence[DatasetDict], bars: Sequence[float], theme: Theme) -> None:
    read, dropped = ([number(one.get(key)) for one in datasets] for key in ("rows_read", "dropped_records"))
    written = [_written(one) for one in datasets]
    notes = [f"{label(one.get('name'))}: {_said(one)}" for one in datasets]
    shared = {"orientation": "h", "y": bars, "hovertext": notes, "hoverinfo": "text"}
    pale = {"color": theme.soft, "line": {"color": theme.blue, "width": 1}}
    figure.add_bar(name="read", x=read, width=BAR_WIDTH, marker=pale, **shared)
    thin = {"width": BAR_WIDTH * 0.45, **shared}
    figure.add_bar(name="written", x=written, marker=bar_marker(theme, "blue"), **thin)
    after = [value or 0 for value in written]
    figure.add_bar(name="dropped", x=dropped, base=after, marker=bar_marker(theme, "vermillion", "/"), **thin)


def _moved(dataset: DatasetDict) -> bool:
    counts = (number(dataset.get("rows_read")), _written(dataset))
    return any(value is not None for value in counts) or bool(dataset.get("dropped_records"))


def _written(dataset: DatasetDict) -> float | None:
    """Return the rows that a dataset wrote; the target of AUTO CDC upserts them instead."""
    written, upserted = (number(dataset.get(key)) for key in ("num_output_rows", "num_upserted_rows"))
    return written if upserted is None else (written or 0) + upserted


def _layer_order(layer: str) -> int:
    return _LAYERS.index(layer) if layer in _LAYERS else len(_LAYERS)


def _flow(dataset: DatasetDict) -> str:
    """Return the counts in the short form that stands beside a lane: read → written."""
    read, written = number(dataset.get("rows_read")), _written(dataset)
    lost = [(dataset.get(key), word) for key, word in (("num_deleted_rows", "deleted"), ("dropped_records", "dropped"))]
    beside = ", ".join(f"{count(rows)} {word}" for rows, word in lost if rows)
    if read is not None and written is not None:
        return f"{count(read)} → {count(written)}" + (f" ({beside})" if beside else "")
    return _said(dataset)


def _said(dataset: DatasetDict) -> str:
    known = [
        (number(dataset.get("rows_read")), "read"),
        (number(dataset.get("num_output_rows")), "written"),
        (number(dataset.get("num_upserted_rows")), "upserted"),
        (dataset.get("num_deleted_rows") or None, "deleted"),
        (dataset.get("dropped_records") or None, "dropped"),
    ]
    return ", ".join(f"{count(value)} {word}" for value, word in known if value is not None)


def _layer_text(layer: str, datasets: Sequence[DatasetDict]) -> str:
    own = [one for one in datasets if layer_of(one) == layer]
    keys = (("rows_read", "read"), ("num_output_rows", "written"), ("num_upserted_rows", "upserted"),
            ("num_deleted_rows", "deleted"), ("dropped_records", "dropped"))  # fmt: skip
    sums = [(sum(number(one.get(key)) or 0 for one in own), word) for key, word in keys]
    told = [f"{count(rows)} {word}" for rows, word in sums if rows or word not in ("upserted", "deleted")]
    return f"{plain(layer)} ({count(len(own), 'dataset')}) {', '.join(told)}"


@dataclass(frozen=True)
class _Counted:
    """An expectation with its place and its counts; `name` includes what it does to a row."""

    name: str
    dataset: str
    passed: int
    failed: int

    @property
    def verdict(self) -> str:
        if not self.passed + self.failed:
            return "no records counted"
        if not self.failed:
            return f"all {count(self.passed)} passed"
        return f"{count(self.failed)} of {count(self.passed + self.failed)} failed"


def expectations(update: UpdateDict, *, theme: ThemeName = "light") -> Chart:
    """Draw how many records passed and failed each expectation of an update, most failures first."""
    colours, title = THEMES[theme], "Records that passed and failed each expectation"
    found = sorted(_counted(update), key=lambda one: -one.failed)
    if not found:
        next_step = (
            "No expectation was counted: no new row came, or no dataset has one. Land a file or add a CONSTRAINT, "
            "and run an update."
        )
        return empty_chart(title=title, next_step=next_step, theme=colours)
    figure = go.Figure()
    lanes = [Lane(one.name, one.verdict, role="vermillion" if one.failed else "muted") for one in found]
    placed = add_lanes(figure, lanes, theme=colours)
    _add_verdicts(figure, found, placed.bars, colours)
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title_text="Records checked in this update", rangemode="tozero", nticks=6)
    failing = [f"{one.name} on {one.dataset}, {one.verdict}" for one in found if one.failed]
    good = len(found) - len(failing)
    rest = [f"{count(good, 'expectation')} with no failure"] if good else []
    text = f"{title}: " + "; ".join([*failing, *rest]) + "."
    return finish(figure, title=title, text=text, theme=colours, height=placed.height, legend=True)


def _counted(update: UpdateDict) -> list[_Counted]:
    return [
        _Counted(
            name=f"{plain(one.get('name'))} ({plain(one.get('action') or 'warn')})",
            dataset=plain(one.get("dataset") or dataset.get("name")),
            passed=one.get("passed_records") or 0,
            failed=one.get("failed_records") or 0,
        )
        for dataset in update.get("datasets") or []
        for one in dataset.get("expectations") or []
    ]


def _add_verdicts(figure: go.Figure, found: Sequence[_Counted], bars: Sequence[float], theme: Theme) -> None:
    notes = [label(f"{one.name} on {one.dataset}: {one.verdict}", width=160) for one in found]
    shared = {"orientation": "h", "y": bars, "width": BAR_WIDTH * 0.7, "hovertext": notes, "hoverinfo": "text"}
    passed, failed = [one.passed for one in found], [one.failed for one in found]
    figure.add_bar(name="passed", x=passed, marker=bar_marker(theme, "blue"), **shared)
    figure.add_bar(name="failed", x=failed, base=passed, marker=bar_marker(theme, "vermillion", "/"), **shared)
    ends = [(row, one.passed + one.failed) for row, one in zip(bars, found, strict=True) if one.failed]
    figure.add_scatter(  # since a few failures among many records are too thin to see
        name="has failures",
        mode="markers",
        x=[end for _, end in ends],
        y=[row for row, _ in ends],
        hoverinfo="skip",
        cliponaxis=False,
        showlegend=bool(ends),
        marker={"symbol": "x", "size": 9, "color": theme.vermillion, "line": {"color": theme.surface, "width": 1}},
    )
