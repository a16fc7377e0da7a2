"""The dashboard in a browser: every figure has data and obeys the filters, and what changes shows by itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers.charts.texts import plain
from helpers.runtime import REPO_ROOT, Places
from helpers.runtime.usage import Sample, add_sample
from tests.browser.reader import FIGURES, PATIENCE, Reader, connects, free_port, until
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


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """A home in which nothing has run; `written` fills it while the dashboard is open."""
    return Places(tmp_path_factory.mktemp("dashboard"))


@pytest.fixture(scope="module")
def written(home: Places) -> Written:
    written = write_lakehouse(home.root)
    write_run(written.places, 1_700_000_000_000)
    write_event_log(written, [1, 2])
    for moment in (1_700_000_002_000, 1_700_000_004_000):
        used = {"cpu": 1.0, "memory": 2**30, "cores": 2, "total": 2**33}
        add_sample(written.places, Sample(time=moment, shuffle_written=2**20, shuffle_read=2**20, spilled=0, **used))
    return written


@pytest.fixture(scope="module")
def server(home: Places, browser: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the address that it printed; what it would show in a browser is in the file `opened`."""
    recorder = home.root / "browser.sh"
    recorder.write_text(f'#!/bin/sh\nprintf %s "$1" > {home.root}/opened\n')
    recorder.chmod(0o700)
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers", "dashboard", "--port", str(free_port())],
        cwd=REPO_ROOT,
        env={**os.environ, "LAKEPREP_HOME": str(home.root), "BROWSER": f"{recorder} %s"},
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


def test_no_process_list_shows_the_token_on_the_browsers_command_line(
    home: Places, server: tuple[Any, str], browser: Any
) -> None:
    address = until(lambda: home.root.joinpath("opened").exists() and home.root.joinpath("opened").read_text(), bool)
    door = Path(address.removeprefix("file://"))
    assert (door.parent, "token" in address, door.stat().st_mode & 0o077) == (home.root, False, 0)
    page = browser.new_page()
    page.goto(address)
    page.wait_for_url(server[1], timeout=PATIENCE * 1000)
    page.close()


@pytest.fixture(scope="module")
def reader(server: tuple[Any, str], browser: Any) -> Iterator[Reader]:
    reader = Reader(browser, server[1])
    yield reader
    reader.page.context.close()


def test_without_data_it_says_what_to_do_and_what_is_made_then_shows_by_itself(
    reader: Reader, request: pytest.FixtureRequest
) -> None:
    said = {
        "Sales": "There is no table silver_sales yet. Run the job: python3 -m helpers run",
        "Quality": "There is no table silver_transactions yet. Run the job: python3 -m helpers run",
        "Pipeline": "No update of the pipeline yet. Start one: python3 -m helpers run",
        "Runs": "No run yet. Start one: python3 -m helpers run",
    }
    for tab, what_to_do in reversed(said.items()):
        reader.page.get_by_role("tab", name=tab, exact=True).click()
        reader.page.get_by_text(what_to_do).wait_for()
    written: Written = request.getfixturevalue("written")
    until(lambda: reader.page.get_by_test_id("stMetric").count(), lambda cards: cards == 4)
    until(lambda: _cards(reader), lambda cards: cards == _expected(written.sales, written.lines))
    assert reader.errors == []


def test_without_the_token_nothing_is_shown(server: tuple[Any, str], written: Written, browser: Any) -> None:
    address = server[1].partition("?")[0]
    for url in (address, f"{address}?token={'0' * 48}"):
        stranger = Reader(browser, url)
        stranger.page.get_by_text("This address lacks its token.").wait_for()
        assert stranger.page.get_by_test_id("stMetric").count() == 0
        assert stranger.page.get_by_test_id("stSidebar").count() == 0
        assert stranger.errors == []
        stranger.page.context.close()


def test_every_figure_has_data_and_is_told_in_words(reader: Reader, written: Written) -> None:
    for tab in FIGURES:
        for name, figure in reader.figures(tab).items():
            assert sum(figure["points"]) > 0, name
            assert len(figure["words"]) > len("In words") + 20, name
            assert figure["spoken"], name
    assert reader.page.get_by_text("retail <b>job</b>, SUCCESS").count() > 0
    assert reader.page.get_by_test_id("stDataFrame").count() == 1
    assert reader.errors == []


def test_on_a_narrow_page_every_key_figure_and_chart_has_room(reader: Reader, written: Written) -> None:
    reader.page.set_viewport_size({"width": 800, "height": 1000})
    reader.figures("Sales")
    cut = "[...document.querySelectorAll('[data-testid=stMetricValue]')].filter(e => e.scrollWidth > e.clientWidth + 1)"
    narrow = "[...document.querySelectorAll('.js-plotly-plot')].filter(e => e.clientWidth < 330)"
    until(lambda: reader.page.evaluate(f"{cut}.length + {narrow}.length"), lambda found: found == 0)
    reader.page.set_viewport_size({"width": 1400, "height": 1000})


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
    write_run(written.places, 1_700_000_500_000, result=None)
    reader.page.get_by_text("RUNNING, now bronze_ingestion, started 2023-11-14 22:21:40 UTC").first.wait_for()
    progress(written.places, 1_700_000_500_000, json.dumps(update("RUNNING")) + "\n")
    until(lambda: reader.figures("Pipeline")["graph"]["words"], lambda words: "2 RUNNING" in words)
    sold = written.sales.iloc[0].to_dict()
    written.add("silver_sales", [{**sold, "sales_value": Decimal("1000.00")}])
    revenue = written.sales["sales_value"].sum() + 1000
    until(lambda: reader.card("Total revenue"), lambda card: f"${revenue:,.2f}" in card)
    assert status.count() == 1
    assert "2 RUNNING" not in before["graph"]["words"]
    assert reader.errors == []


def test_a_file_that_arrives_triggers_a_run_and_both_show_by_themselves(
    reader: Reader, written: Written, tmp_path: Path
) -> None:
    waiting = "import sys, time, pathlib\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.05)\n"
    (tmp_path / "wait.py").write_text(waiting)
    task = {"python_file": "wait.py", "parameters": [str(tmp_path / "go")]}
    job = {
        "name": "watched job",
        "trigger": {"file_arrival": {"url": str(written.places.volume("retail", "landing") / "transactions")}},
        "tasks": [{"task_key": "wait", "spark_python_task": task}],
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    with _watching(written.places, tmp_path / "job.json") as watch:
        land(written.places, "2017-01-10.json")
        reader.page.get_by_text("2017-01-10.json.").wait_for()
        reader.page.get_by_text("Newest run: watched job, RUNNING, now wait").wait_for()
        so_far = reader.figures("Runs")["timeline"]["words"]
        until(lambda: reader.figures("Runs")["timeline"]["words"], lambda words: words != so_far)
        (tmp_path / "go").touch()
        reader.page.get_by_text("Newest run: watched job, SUCCESS").wait_for()
        assert watch.wait(PATIENCE) == 0
    figures = reader.figures("Runs")
    assert "Tasks by run of watched job: 1 run, 1 SUCCESS" in figures["matrix"]["words"]
    assert "wait SUCCESS" in figures["timeline"]["words"]
    assert reader.errors == []


def test_it_listens_on_the_loopback_address_only_and_ctrl_c_ends_it(
    server: tuple[subprocess.Popen[str], str], written: Written
) -> None:
    process, url = server
    port = int(url.split(":")[2].split("/")[0])
    assert connects("127.0.0.1", port)
    assert not connects("127.0.0.2", port)
    process.send_signal(signal.SIGINT)
    rest = process.communicate(timeout=30)[0]
    assert process.returncode == 0
    assert rest.endswith("\nThe dashboard is closed.\n")
    assert not list(written.places.root.glob("dashboard-*.html"))
    assert "Traceback" not in rest
    assert not connects("127.0.0.1", port)
    log = Path(written.places.root / "dashboard.log").read_text()
    assert "Traceback" not in log
    assert "token=" not in log


@contextmanager
def _watching(places: Places, job: Path) -> Iterator[subprocess.Popen[str]]:
    """Watch a job in a process of its own, from when it has seen what is there."""
    command = [sys.executable, "-m", "tests.browser.hurried_watch", str(places.root), str(job)]
    with subprocess.Popen(command, cwd=REPO_ROOT, stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout is not None
        said = [watch.stdout.readline(), watch.stdout.readline()]
        assert "looking at the files in" in said[1]
        until(lambda: list((places.runs / "triggers").glob("*.json")), bool)
        try:
            yield watch
        finally:
            watch.kill()


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
