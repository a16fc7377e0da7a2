"""The bytes that each update shuffled and spilled, from the samples of the Spark server's counters."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import plotly.graph_objects as go

from helpers.charts.axes import add_start_axis, clock
from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import UpdateDict, UsageDict
from helpers.charts.texts import count, label
from helpers.charts.theme import THEMES, Theme, ThemeName, bar_marker

_TITLE = "Shuffle and spill by update"
_NEXT_STEP = "Run an update of a pipeline: Spark's counters are sampled every two seconds while its server runs."
_MIB = 1024**2
#: A sample stands for the two seconds before it, of which Spark told up to one second late.
_LATE = 1500
#: What is drawn: the sample's field, its name, its colour and pattern.
_KINDS = (
    ("shuffle_written", "shuffle written", "blue", ""),
    ("shuffle_read", "shuffle read", "green", "/"),
    ("spilled", "spilled to disk", "vermillion", "x"),
)


@dataclass(frozen=True)
class _Counted:
    """One update and the bytes counted while it ran, by field."""

    name: str
    started: datetime
    counted: dict[str, int]

    @property
    def said(self) -> str:
        return ", ".join(f"{name} {size(self.counted[field])}" for field, name, _, _ in _KINDS)


def shuffle_and_spill(
    updates: Sequence[UpdateDict], samples: Sequence[UsageDict], *, most: int = 20, theme: ThemeName = "light"
) -> Chart:
    """Draw what Spark shuffled and spilled during each of the last `most` updates that were sampled, in any order.

    `samples` are those of `helpers.runtime.usage.read_usage`. What else ran on the server meanwhile is in it, and its
    begin and end are true to about two seconds.
    """
    colours = THEMES[theme]
    found = sorted(filter(None, (_counted(update, samples) for update in updates)), key=lambda one: one.started)[-most:]
    if not found:
        return empty_chart(title=_TITLE, next_step=_NEXT_STEP, theme=colours)
    figure = go.Figure()
    for field, name, role, pattern in _KINDS:
        _add_bars(figure, found, field, name, bar_marker(colours, role, pattern), theme=colours)
    figure.update_layout(barmode="group", bargap=0.35)
    width = add_start_axis(figure, [one.started for one in found], what="update", every=2 if len(found) > 15 else 1)
    figure.update_yaxes(title_text="Bytes while it ran, MiB", rangemode="tozero", nticks=6)
    return finish(
        figure, title=_TITLE, text=_text(found), theme=colours, height=280, legend=True, wide=True, min_width=width + 90
    )  # fmt: skip


def size(amount: int) -> str:
    """Return bytes as a person reads them."""
    if not amount:
        return "nothing"
    return f"{amount / _MIB:,.1f} MiB" if amount >= _MIB / 10 else f"{amount / 1024:,.1f} KiB"


def _short(amount: int) -> str:
    """Return bytes as the few characters that have room on a bar, in the axis' unit."""
    if not amount:
        return ""
    return f"{amount / _MIB:,.1f}" if amount >= _MIB / 20 else "&lt;0.1"


def _counted(update: UpdateDict, samples: Sequence[UsageDict]) -> _Counted | None:
    """Add up the samples of an update's time; None when there is none."""
    begin = update["started_ms"]
    end = update.get("ended_ms") or max((one["time"] for one in samples), default=begin)
    own = [one for one in samples if begin <= one["time"] - _LATE <= end and "spilled" in one]
    if not own:
        return None
    counted = {field: sum(one.get(field, 0) for one in own) for field, _, _, _ in _KINDS}
    return _Counted(update["pipeline_name"], datetime.fromtimestamp(begin / 1000, UTC), counted)


def _add_bars(
    figure: go.Figure, found: Sequence[_Counted], field: str, name: str, marker: dict[str, object], *, theme: Theme
) -> None:
    amounts = [one.counted[field] for one in found]
    figure.add_bar(
        name=name,
        x=list(range(len(found))),
        y=[amount / _MIB for amount in amounts],
        text=[_short(amount) if len(found) <= 6 else "" for amount in amounts],
        textposition="outside",
        textfont={"size": 10, "color": theme.text},
        cliponaxis=False,
        hovertext=[
            label(f"{one.name}, {clock(one.started)}: {name} {size(amount)}", width=200)
            for one, amount in zip(found, amounts, strict=True)
        ],
        hoverinfo="text",
        marker=marker,
    )


def _text(found: Sequence[_Counted]) -> str:
    newest = found[-1]
    who = f"the newest, of {newest.name}, {clock(newest.started)}"
    said = f"{_TITLE}: {count(len(found), 'update')}; {who}: {newest.said}"
    spilled = [one for one in found if one.counted["spilled"]]
    if not spilled:
        return f"{said}; none spilled to disk."
    most = max(spilled, key=lambda one: one.counted["spilled"])
    return f"{said}; {count(len(spilled), 'update')} spilled, most of all that of {clock(most.started)}: {most.said}."
