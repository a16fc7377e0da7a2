"""One dataset of the pipeline graph as a card: its name, kind, state, rows and troubles."""

import plotly.graph_objects as go

from helpers.charts.inputs import DatasetDict
from helpers.charts.texts import count, label, number, plain, seconds
from helpers.charts.theme import Theme, status_style

HALF_WIDTH = 0.43  # in columns
HALF_HEIGHT = 0.41  # in rows
SHAPES = {"STREAMING_TABLE": "circle", "MATERIALIZED_VIEW": "square", "VIEW": "diamond", "SOURCE": "triangle-right"}

_NOT_BEGUN = frozenset({"", "QUEUED", "CREATED", "WAITING_FOR_RESOURCES", "EXCLUDED", "SKIPPED"})
_CALM = frozenset({"COMPLETED", "IDLE"})
_NAME_WIDTH = 27
_LINE_WIDTH = 33
_LINES = (-0.07, 0.11, 0.28)  # rows below the middle of the card; the name is at NAME_LINE
NAME_LINE = -0.24


def status_of(dataset: DatasetDict) -> str:
    """Return the state of a dataset, "" for a table outside the pipeline."""
    return str(dataset.get("status") or "")


def has_begun(dataset: DatasetDict) -> bool:
    """Tell whether there is anything to fill a card with."""
    return status_of(dataset) not in _NOT_BEGUN


def kind_of(dataset: DatasetDict) -> str:
    """Return the kind of a dataset in words."""
    return plain(dataset.get("kind")).replace("_", " ").lower()


def rows_of(dataset: DatasetDict) -> str:
    """Return what was written and dropped; nothing about a dataset that has no count."""
    written, dropped = number(dataset.get("num_output_rows")), dataset.get("dropped_records")
    parts = [f"{count(written)} written"] if written is not None else []
    return " · ".join(parts + ([f"{count(dropped)} dropped"] if dropped else []))


def failures_of(dataset: DatasetDict) -> list[str]:
    """Return a phrase for each expectation that records failed, most failures first."""
    found = sorted(dataset.get("expectations") or [], key=lambda one: -(one.get("failed_records") or 0))
    failed = [one for one in found if one.get("failed_records")]
    return [f"{plain(one.get('name'))}: {count(one['failed_records'])} failed" for one in failed]


def name_text(dataset: DatasetDict) -> str:
    """Return the name as it stands on the card."""
    return f"\u00a0<b>{label(dataset.get('name'), width=_NAME_WIDTH)}</b>"


def hover_text(dataset: DatasetDict) -> str:
    """Return all that is known of a dataset."""
    read = number(dataset.get("rows_read"))
    lines = [
        plain(dataset.get("name")),
        " · ".join(filter(None, (kind_of(dataset), status_of(dataset).lower()))),
        "" if read is None else f"{count(read)} read",
        rows_of(dataset),
        *failures_of(dataset),
        seconds(dataset["seconds"]) if dataset.get("seconds") else "",
        dataset.get("error") or "",
    ]
    return "<br>".join(label(line, width=120) for line in lines if line)


def add_card(figure: go.Figure, place: tuple[int, float], dataset: DatasetDict, *, theme: Theme) -> None:
    """Draw a card and the lines below its name; one that has not begun is hollow, with a dotted edge."""
    (x, y), begun, status = place, has_begun(dataset), status_of(dataset)
    colour = theme.role(status_style(status).role)
    edge = theme.rule if status in _CALM or not status else colour
    box = {"type": "rect", "x0": x - HALF_WIDTH, "y0": y - HALF_HEIGHT, "y1": y + HALF_HEIGHT, "layer": "below"}
    line = {"color": edge, "width": 1.2, "dash": "solid" if begun or not status else "dot"}
    figure.add_shape(**box, x1=x + HALF_WIDTH, fillcolor=theme.page if begun else theme.surface, line=line)
    if begun:
        figure.add_shape(**box, x1=x - HALF_WIDTH + 0.016, fillcolor=colour, line_width=0)
    state = f"{kind_of(dataset)} · {status.lower()}" if status else kind_of(dataset)
    lines = [
        (state, colour if begun else theme.muted),
        (rows_of(dataset), theme.text),
        (_trouble(dataset), theme.vermillion),
    ]
    for down, (text, ink) in zip(_LINES, [line for line in lines if line[0]], strict=False):
        figure.add_annotation(
            text=label(text, width=_LINE_WIDTH + 8),
            x=x - HALF_WIDTH,
            y=y + down,
            xshift=12,
            xanchor="left",
            align="left",
            borderpad=0,
            showarrow=False,
            font={"size": 11, "color": ink},
        )


def _trouble(dataset: DatasetDict) -> str:
    """Return the one line that a card has for what went wrong."""
    found = [plain(dataset["error"])] if dataset.get("error") else failures_of(dataset)
    more = f" (+{len(found) - 1} more)" if len(found) > 1 else ""
    room = _LINE_WIDTH - len(more)
    return "".join((found[0] if len(found[0]) <= room else found[0][: room - 1] + "…", more)) if found else ""
