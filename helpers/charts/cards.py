"""One dataset of the pipeline graph as a card: its name, kind, state, rows and troubles."""

from helpers.charts.boxes import NAME_WIDTH, Canvas, shortened
from helpers.charts.inputs import DatasetDict
from helpers.charts.texts import count, label, number, plain, seconds
from helpers.charts.theme import status_style

SHAPES = {"STREAMING_TABLE": "circle", "MATERIALIZED_VIEW": "square", "VIEW": "diamond", "SOURCE": "triangle-right"}

_NOT_BEGUN = frozenset({"", "QUEUED", "CREATED", "WAITING_FOR_RESOURCES", "EXCLUDED", "SKIPPED"})
_CALM = frozenset({"COMPLETED", "IDLE"})


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
    """Return what was written, upserted, deleted and dropped; nothing about a dataset that has no count."""
    counts = [
        (number(dataset.get("num_output_rows")), "written"),
        (number(dataset.get("num_upserted_rows")), "upserted"),
        (dataset.get("num_deleted_rows") or None, "deleted"),
        (dataset.get("dropped_records") or None, "dropped"),
    ]
    return " · ".join(f"{count(value)} {word}" for value, word in counts if value is not None)


def kept_of(dataset: DatasetDict) -> str:
    """Return how many expectations held for every record; nothing where one failed or none was counted."""
    found = [one for one in dataset.get("expectations") or [] if one.get("passed_records") or one.get("failed_records")]
    if not found or any(one.get("failed_records") for one in found):
        return ""
    return f"{count(len(found), 'expectation')} held"


def failures_of(dataset: DatasetDict) -> list[str]:
    """Return a phrase for each expectation that records failed, most failures first."""
    found = sorted(dataset.get("expectations") or [], key=lambda one: -(one.get("failed_records") or 0))
    failed = [one for one in found if one.get("failed_records")]
    return [f"{count(one['failed_records'])} failed {plain(one.get('name'))}" for one in failed]


def name_text(dataset: DatasetDict) -> str:
    """Return the name as it stands on the card."""
    return f"\u00a0<b>{label(dataset.get('name'), width=NAME_WIDTH)}</b>"


def hover_text(dataset: DatasetDict) -> str:
    """Return all that is known of a dataset."""
    read = number(dataset.get("rows_read"))
    lines = [
        plain(dataset.get("name")),
        " · ".join(filter(None, (kind_of(dataset), status_of(dataset).lower()))),
        "" if read is None else f"{count(read)} read",
        rows_of(dataset),
        *(
            f"{plain(one.get('name'))}: {count(one.get('passed_records') or 0)} passed, "
            f"{count(one.get('failed_records') or 0)} failed"
            for one in dataset.get("expectations") or []
        ),
        seconds(dataset["seconds"]) if dataset.get("seconds") else "",
        dataset.get("error") or "",
    ]
    return "<br>".join(label(line, width=120) for line in lines if line)


def add_card(canvas: Canvas, place: tuple[int, float], dataset: DatasetDict) -> None:
    """Draw a card and the lines below its name; one that has not begun is hollow, with a dotted edge."""
    theme, begun, status = canvas.theme, has_begun(dataset), status_of(dataset)
    colour = theme.role(status_style(status).role)
    edge = theme.rule if status in _CALM or not status else colour
    canvas.box(place, colour=colour, edge=edge, begun=begun, dotted=bool(status) and not begun)
    state = f"{kind_of(dataset)} · {status.lower()}" if status else kind_of(dataset)
    troubles = [plain(dataset["error"])] if dataset.get("error") else failures_of(dataset)
    lines = [
        (state, colour if begun else theme.muted),
        (rows_of(dataset), theme.text),
        (shortened(troubles), theme.vermillion) if troubles else (kept_of(dataset), theme.muted),
    ]
    canvas.lines(place, lines)
