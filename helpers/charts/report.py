"""The report of a job run: one HTML file that opens without a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from helpers.charts import page
from helpers.charts.chart import Chart
from helpers.errors import LakeprepError
from helpers.files import replace_file

CLOSING = "Money is in US dollars, times of the run are UTC. It opens without a network."


class ReportNotWritten(LakeprepError):
    """The report's file could not be written."""


@dataclass(frozen=True)
class Section:
    """One part of the report; `note` is a sentence under its heading."""

    title: str
    charts: tuple[Chart, ...]
    note: str = ""


def write_report(
    path: Path,
    *,
    charts: Sequence[Section],
    title: str,
    facts: Sequence[tuple[str, str]],
    generated: datetime,
    closing: str = CLOSING,
) -> Path:
    """Write the report and return its path; the file is whole or, if anything fails, what it was before.

    `facts` are the key figures of the header, label and value. `generated` carries its time zone. `closing` is the
    page's last sentence.
    Raises `ReportNotWritten` when the place cannot be written.
    """
    html = report_html(charts=charts, title=title, facts=facts, generated=generated, closing=closing)
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, html.encode("utf-8"))
    except OSError as error:
        why = error.strerror or error
        raise ReportNotWritten(
            f"The report could not be written to {path}: {why}. Free some space, or choose another folder."
        ) from error
    return path


def report_html(
    *,
    charts: Sequence[Section],
    title: str,
    facts: Sequence[tuple[str, str]],
    generated: datetime,
    closing: str = CLOSING,
) -> str:
    """Return the report's page; the same input gives the same text."""
    numbered, figures = [], {}
    for index, section in enumerate(charts, start=1):
        own = {f"figure-{index}-{place}": chart.untitled() for place, chart in enumerate(section.charts, start=1)}
        figures |= own
        numbered.append(page.section(index, section.title, section.note, own))
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">',
            page.head(title),
            "<body>",
            page.header(title, facts, generated),
            page.navigation([section.title for section in charts]),
            '<main class="wrap">',
            *numbered,
            "</main>",
            page.footer(figures, closing),
            "</body>\n</html>\n",
        )
    )
