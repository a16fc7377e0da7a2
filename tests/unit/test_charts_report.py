"""The report is one whole, safe file."""

import json
import os
import re
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import charts

MADE = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


class Page(HTMLParser):
    """The tags of a page, their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.scripts, self._inside = "", [""], ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        if self._inside == "script":
            self.scripts.append("")
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside != "style":
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def tiers(name: str = "budget") -> charts.Chart:
    return charts.revenue_by_price_tier(
        pd.DataFrame([(name, 5, 1, 1)], columns=["price_tier", "revenue", "quantity", "products"])
    )


def write(path: Path, **changed: Any) -> str:
    sections = [charts.Section("Business", (tiers(), tiers()), "What was sold."), charts.Section("Run", (tiers(),))]
    given = {"charts": sections, "title": "Retail", "facts": [("Revenue", "$5.00")], "generated": MADE, **changed}
    return charts.write_report(path, **given).read_text(encoding="utf-8")


def test_a_report_has_a_language_headings_and_a_table_of_key_figures(tmp_path: Path) -> None:
    page = Page(write(tmp_path / "report.html"))
    assert page.named("html")[0]["lang"] == "en"
    headings = [tag for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert headings == ["h1", "h2", "h3", "h3", "h2", "h3"]
    assert page.named("th")[0]["scope"] == "row"
    for part in ("Key figures", "Revenue", "$5.00", "What was sold.", "2026-11-23 16:40 UTC"):
        assert part in page.text


def test_each_figure_is_named_by_its_text_twin(tmp_path: Path) -> None:
    page = Page(write(tmp_path / "report.html"))
    plots = [attributes for attributes in page.named("div") if attributes.get("role") == "img"]
    captions = {attributes["id"] for attributes in page.named("figcaption")}
    assert len(plots) == 3
    assert {plot["aria-labelledby"] for plot in plots} == captions
    assert page.text.count(tiers().text) == 3


def test_every_figure_is_in_the_file_in_both_themes_with_its_values(tmp_path: Path) -> None:
    found = re.search(r'id="figures">(.*?)</script>', write(tmp_path / "report.html"), re.S)
    assert found
    drawn = json.loads(found[1])
    assert [sorted(themes) for themes in drawn.values()] == [["dark", "light"]] * 3
    assert drawn["figure-1-1"]["light"]["data"][0]["y"] == [5.0]
    grounds = {
        theme: figure["layout"]["template"]["layout"]["paper_bgcolor"] for theme, figure in drawn["figure-1-1"].items()
    }
    assert grounds["light"] != grounds["dark"]


def test_a_report_holds_plotly_once_and_asks_the_network_for_nothing(tmp_path: Path) -> None:
    text = write(tmp_path / "report.html")
    page = Page(text)
    assert text.count("plotly.js v") == 1
    assert not [
        attributes for tag in ("script", "img", "iframe") for attributes in page.named(tag) if "src" in attributes
    ]
    assert not page.named("link")
    policy = next(one["content"] for one in page.named("meta") if one.get("http-equiv"))
    assert str(policy).startswith("default-src 'none'")


def test_hostile_text_stays_text_everywhere(tmp_path: Path) -> None:
    sections = [charts.Section(HOSTILE, (tiers(HOSTILE),), HOSTILE)]
    clean = Page(write(tmp_path / "clean.html", charts=[charts.Section("B", (tiers(),), "note")]))
    page = Page(write(tmp_path / "hostile.html", charts=sections, title=HOSTILE, facts=[(HOSTILE, HOSTILE)]))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in clean.tags]
    assert page.text.count(HOSTILE) >= 6


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    moved = MADE.astimezone(timezone(timedelta(hours=2)))
    assert write(tmp_path / "a.html") == write(tmp_path / "b.html", generated=moved)


def test_a_report_without_sections_or_facts_is_still_a_page(tmp_path: Path) -> None:
    page = Page(write(tmp_path / "report.html", charts=[], facts=[]))
    assert [len(page.named(tag)) for tag in ("h1", "table", "nav")] == [1, 0, 0]


def test_a_report_that_fails_half_way_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(charts.ReportNotWritten, match=r"report\.html: No space left on device\. Free some space"):
        write(path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("report.html", "old")]


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(charts.ReportNotWritten, match=r"could not be written to .*/file/report\.html"):
        write(tmp_path / "file" / "report.html")


def test_missing_folders_are_made(tmp_path: Path) -> None:
    assert write(tmp_path / "runs" / "7" / "report.html").startswith("<!DOCTYPE html>")
