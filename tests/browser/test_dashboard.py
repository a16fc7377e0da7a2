"""The dashboard in a browser: every figure has data and obeys the filters, and what changes shows by itself."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.charts.texts import plain
from helpers.runtime import REPO_ROOT
from helpers.runtime.usage import Sample, add_sample
from tests.unit.dashboard_tables import (
    DEPARTMENTS,
    HOSTILE,
    Written,
    land,
    progress,
    update,
    write_event_log,
    write_lakehouse,
    write_run,
)

FIGURES = {
    "Sales": {"day", "department", "share", "category", "hour", "tier"},
    "Quality": {"rules", "categories"},
    "Pipeline": {"graph", "rows", "expectations", "failures", "shuffle"},
    "Runs": {"matrix", "tasks", "timeline", "durations"},
}
_READ = """() => Object.fromEntries([...document.querySelectorAll('[class*="st-key-chart-"], [class*="st-key-wide-"]')]
  .filter(box => box.querySelector('.js-plotly-plot')?.data && box.querySelector('details'))
  .map(box => [/st-key-(?:chart|wide)-(\\S+)/.exec(box.className)[1], {
    points: box.querySelector('.js-plotly-plot').data.map(one => (one.values ?? one.x ?? []).length),
    words: box.querySelector('details').textContent,
    spoken: box.querySelector('[role=figure]')?.ariaLabel ?? ''}]))"""
_PATIENCE = 60.0


class Reader:
    """A page of the dashboard, and what its console said."""

    def __init__(self, browser: Any, url: str) -> None:
        self.page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        self.page.set_default_timeout(_PATIENCE * 1000)
        self.errors: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(url)

    def figures(self, tab: str) -> dict[str, dict[str, Any]]:
        """Open a tab and read its figures, once all of them are drawn and nothing runs."""
        self.page.get_by_role("tab", name=tab, exact=True).click()
        return until(lambda: self.page.evaluate(_READ), lambda found: set(found) == FIGURES[tab] and self.idle())

    def idle(self) -> bool:
        return self.page.locator("[data-testid=stApp]").get_attribute("data-test-script-state") == "notRunning"

    def card(self, name: str) -> str:
        """Read a key figure with its proportion."""
        return self.page.get_by_test_id("stMetric").filter(has_text=name).inner_text()

    def choose(self, name: str, option: str) -> None:
        box = self.page.get_by_test_id("stMultiSelect").filter(has_text=name)
        box.get_by_role("combobox").fill(option[:6])
        self.page.get_by_role("option").get_by_text(option, exact=True).click()
        self.page.keyboard.press("Escape")

    def choose_days(self, first: date, last: date) -> None:
        for part, day in (("start", first), ("end", last)):
            self.page.get_by_role("spinbutton", name=f"year, Days {part} date").click()
            self.page.keyboard.type(f"{day:%Y%m%d}", delay=20)
        self.page.keyboard.press("Escape")  # leaving the calendar is what chooses

    def choose_everything(self) -> None:
        self.page.get_by_role("button", name="Show everything").click()


def until(read: Callable[[], Any], right: Callable[[Any], bool]) -> Any:
    """Read until it is right, and give what was read; the test fails with the last reading."""
    end = time.monotonic() + _PATIENCE
    while not right(found := read()):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    written = write_lakehouse(tmp_path_factory.mktemp("dashboard"))
    write_run(written.places, 1_800_000_000_000)
    write_event_log(written, [1, 2])
    for moment in (1_800_000_002_000, 1_800_000_004_000):
        used = {"cpu": 1.0, "memory": 2**30, "cores": 2, "total": 2**33}
        add_sample(written.places, Sample(time=moment, shuffle_written=2**20, shuffle_read=2**20, spilled=0, **used))
    return written


@pytest.fixture(scope="module")
def server(written: Written, browser: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the address that it printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "dashboard", "--no-browser", "--port", str(port)],
        cwd=REPO_ROOT,
        env={**os.environ, "LAKEPREP_HOME": str(written.places.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    found = re.search(r"is open: (\S+)", said)
    assert found, said + process.stdout.read()
    yield process, found[1]
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def reader(server: tuple[Any, str], browser: Any) -> Iterator[Reader]:
    reader = Reader(browser, server[1])
    yield reader
    reader.page.context.close()


def test_without_the_token_nothing_is_shown(server: tuple[Any, str], browser: Any) -> None:
    address = server[1].partition("?")[0]
    for url in (address, f"{address}?token={'0' * 48}"):
        stranger = Reader(browser, url)
        stranger.page.get_by_text("This address lacks its token.").wait_for()
        assert stranger.page.get_by_test_id("stMetric").count() == 0
        assert stranger.page.get_by_test_id("stSidebar").count() == 0
        assert stranger.errors == []
        stranger.page.context.close()


def test_every_figure_has_data_and_is_told_in_words(reader: Reader) -> None:
    for tab in FIGURES:
        for name, figure in reader.figures(tab).items():
            assert sum(figure["points"]) > 0, name
            assert len(figure["words"]) > len("In words") + 20, name
            assert figure["spoken"], name
    assert reader.page.get_by_text("retail <b>job</b>, SUCCESS").count() > 0
    assert reader.page.get_by_test_id("stDataFrame").count() == 1
    assert reader.errors == []


def test_each_filter_changes_every_figure_to_what_pandas_counts(reader: Reader, written: Written) -> None:
    sales, lines = written.sales, written.lines
    first, last = date(2017, 1, 2), date(2017, 1, 3)
    assert _cards(reader) == _expected(sales, lines)
    everything = {tab: reader.figures(tab) for tab in ("Sales", "Quality")}
    choices: tuple[tuple[Callable[[], None], Callable[[pd.DataFrame], pd.Series]], ...] = (
        (lambda: reader.choose("Department", DEPARTMENTS[2]), lambda frame: frame["department"] == DEPARTMENTS[2]),
        (lambda: reader.choose("Price tier", "premium"), lambda frame: frame["price_tier"] == "premium"),
        (lambda: reader.choose_days(first, last), lambda frame: frame["day"].between(first, last)),
        *(
            (lambda name=name: reader.choose("Category", plain(name)), lambda f, name=name: f["category"] == name)
            for name in HOSTILE[:1] + HOSTILE[6:9]
        ),
    )
    lines = lines.rename(columns={"tier": "price_tier"})
    for choose, kept in choices:
        choose()
        wanted = _expected(sales[kept(sales)], lines[kept(lines)])
        until(lambda: _cards(reader), lambda cards, wanted=wanted: cards == wanted)
        for tab, before in everything.items():
            for name, figure in reader.figures(tab).items():
                assert figure["words"] != before[name]["words"], name
        reader.choose_everything()
        until(lambda: _cards(reader), lambda cards: cards == _expected(sales, lines))
    assert reader.page.title() == "Lakeprep: retail"
    assert reader.errors == []


def test_what_changes_meanwhile_appears_by_itself(reader: Reader, written: Written) -> None:
    before = reader.figures("Pipeline")
    status = reader.page.get_by_text("Newest run:")
    land(written.places, "2017-01-09.json")
    reader.page.get_by_text("5 files of transactions landed, not read yet: 2017-01-09.json.").wait_for()
    write_run(written.places, 1_800_000_500_000, result=None)
    reader.page.get_by_text("RUNNING, now bronze_ingestion, started 2027-01-15 08:08:20 UTC").first.wait_for()
    progress(written.places, 1_800_000_500_000, json.dumps(update("RUNNING")) + "\n")
    until(lambda: reader.figures("Pipeline")["graph"]["words"], lambda words: "2 RUNNING" in words)
    sold = written.sales.iloc[0].to_dict()
    written.add("silver_sales", [{**sold, "sales_value": Decimal("1000.00")}])
    revenue = written.sales["sales_value"].sum() + 1000
    until(lambda: reader.card("Total revenue"), lambda card: f"${revenue:,.2f}" in card)
    assert status.count() == 1
    assert "2 RUNNING" not in before["graph"]["words"]
    assert reader.errors == []


def test_it_listens_on_the_loopback_address_only_and_ctrl_c_ends_it(
    server: tuple[subprocess.Popen[str], str], written: Written
) -> None:
    process, url = server
    port = int(url.split(":")[2].split("/")[0])
    assert _connects("127.0.0.1", port)
    assert not _connects("127.0.0.2", port)
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    assert process.returncode == 0
    assert rest.endswith("\nThe dashboard is closed.\n")
    assert "Traceback" not in rest
    assert not _connects("127.0.0.1", port)
    log = Path(written.places.root / "dashboard.log").read_text()
    assert "Traceback" not in log
    assert "token=" not in log


def _cards(reader: Reader) -> tuple[str, ...]:
    cards = [reader.card(name) for name in ("Total revenue", "Different products", "Average price", "Data quality")]
    return tuple(" ".join(card.split()) for card in cards)


def _expected(sales: pd.DataFrame, lines: pd.DataFrame) -> tuple[str, ...]:
    baskets, prices = sales["basket_id"].nunique(), sales["unit_price"].astype(float)
    revenue, valid = sales["sales_value"].sum(), int(lines["valid"].sum())
    score = f"{valid * 1000 // len(lines) / 10:.1f} %"
    return (
        f"Total revenue ${revenue:,.2f} ${float(revenue) / baskets:,.2f} a basket on average",
        f"Different products {sales['product_id'].nunique()} {len(sales) / baskets:.1f} in a basket on average",
        f"Average price ${prices.mean():,.2f} ${prices.std():,.2f} standard deviation",
        f"Data quality {score} {valid:,} of {len(lines):,} valid",
    )


def _connects(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0
