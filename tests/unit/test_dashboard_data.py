"""What the dashboard reads: each filter gives what pandas gives, no name is taken for SQL, trouble is a sentence."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from deltalake import QueryBuilder
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.dashboard import queries
from helpers.dashboard.figures import broken_rules, revenue_share
from helpers.dashboard.filters import Filters, quoted
from helpers.dashboard.lakehouse import (
    QUALITY,
    SALES,
    Lakehouse,
    TableMissing,
    TableUnreadable,
    open_tables,
    schemas,
    stamp,
)
from tests.unit.dashboard_tables import CATEGORIES, DEPARTMENTS, HOSTILE, Written, write_lakehouse

FILTERS = (
    Filters(),
    Filters(first_day=date(2017, 1, 3)),
    Filters(last_day=date(2017, 1, 2)),
    Filters(date(2017, 1, 2), date(2017, 1, 3), DEPARTMENTS[:1], CATEGORIES[:8], ("budget", "premium")),
    Filters(departments=(DEPARTMENTS[2],)),
    Filters(tiers=("standard",)),
    Filters(first_day=date(2031, 1, 1)),
    *(Filters(categories=(name,)) for name in HOSTILE),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    return write_lakehouse(tmp_path_factory.mktemp("dashboard"))


@pytest.fixture(scope="module")
def lakehouse(written: Written) -> Lakehouse:
    return _open(written.folder, *SALES, *QUALITY)


TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.text("'\\;-/*\"\x00")


@settings(max_examples=30, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=30))
def test_any_text_comes_back_from_sql_as_it_was(texts: list[str]) -> None:
    rows = ", ".join(f"({place}, {quoted(text)})" for place, text in enumerate(texts))
    answer = QueryBuilder().execute(f"SELECT column2 AS said FROM (VALUES {rows}) ORDER BY column1").read_all()
    assert answer["said"].to_pylist() == texts


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_each_filter_gives_what_pandas_gives(filters: Filters, lakehouse: Lakehouse, written: Written) -> None:
    kept = _kept(written.sales, filters, tier="price_tier")
    found = lakehouse.answers(queries.of_sales(filters))
    totals = found["totals"].iloc[0]
    assert totals.line_items == len(kept)
    assert (totals.revenue or 0) == kept["sales_value"].sum()
    assert (totals.baskets, totals.products) == (kept["basket_id"].nunique(), kept["product_id"].nunique())
    prices = kept["unit_price"].astype(float)
    assert [totals.price, totals.price_deviation] == pytest.approx([prices.mean(), prices.std()], nan_ok=True)
    for name, key in (("by_day", "day"), ("by_department", "department"), ("by_tier", "price_tier")):
        assert _revenue(found[name], key) == _revenue(kept, key, "sales_value")
    assert _revenue(found["by_category"], "category") == _revenue(kept, "category", "sales_value")
    kept = kept.assign(hour=[moment.hour for moment in kept["sold_at"]])
    assert _revenue(found["by_hour"], "hour") == _revenue(kept, "hour", "sales_value")


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_quality_counts_every_record_under_each_filter(
    filters: Filters, lakehouse: Lakehouse, written: Written
) -> None:
    kept = _kept(written.lines, filters, tier="tier")
    found = lakehouse.answers(queries.of_quality(filters))
    places = found["by_category"]
    assert (places["records"].sum(), places["valid_records"].sum()) == (len(kept), kept["valid"].sum())
    assert dict(zip(places["category"], places["records"], strict=True)).keys() == set(kept["category"])
    broken = kept[~kept["valid"]]["broken_rules"].explode().dropna().value_counts().to_dict()
    assert dict(zip(found["by_rule"]["rule"], found["by_rule"]["records"], strict=True)) == broken
    assert len(found["examples"]) == (~kept["valid"]).sum()


def test_filters_reach_the_files_and_not_only_the_rows_read_from_them(lakehouse: Lakehouse) -> None:
    filters = Filters(date(2017, 1, 2), date(2017, 1, 2), (DEPARTMENTS[2],))
    plan = "\n".join(lakehouse.ask(f"EXPLAIN {queries.of_sales(filters)['by_hour']}")["plan"])
    scan = next(line for line in plan.splitlines() if "DataSourceExec" in line)
    pruning = scan.partition("pruning_predicate=")[2]
    assert "sold_at_min" in pruning
    assert f"department in ({DEPARTMENTS[2]})" in pruning
    assert "unit_price" not in scan


def test_what_is_committed_later_changes_no_answer_of_an_opened_table(tmp_path: Path) -> None:
    written = write_lakehouse(tmp_path, sales=20)
    before, opened = stamp(written.folder / "silver_sales"), _open(written.folder, *SALES)
    assert opened.ask("SELECT count(*) AS n FROM silver_sales")["n"][0] == 20
    written.add("silver_sales", [], mode="overwrite")
    assert opened.ask("SELECT count(*) AS n FROM silver_sales")["n"][0] == 20
    after = stamp(written.folder / "silver_sales")
    assert before != after
    assert _open(written.folder, *SALES).ask("SELECT count(*) AS n FROM silver_sales")["n"][0] == 0


def test_a_table_that_was_made_again_has_another_stamp(tmp_path: Path) -> None:
    first = write_lakehouse(tmp_path, sales=5)
    before = stamp(first.folder / "silver_products")
    shutil.rmtree(first.folder)
    again = write_lakehouse(tmp_path, sales=5)
    assert before is not None
    assert stamp(again.folder / "silver_products")[0] == before[0]
    assert stamp(again.folder / "silver_products") != before


def test_a_missing_table_names_itself_and_the_command(tmp_path: Path) -> None:
    written = write_lakehouse(tmp_path, sales=5)
    assert schemas(written.places) == ["retail"]
    shutil.rmtree(written.folder / "silver_quarantine")
    assert schemas(written.places) == []
    with pytest.raises(TableMissing, match=r"no table silver_quarantine yet. Run the job: python3 -m helpers run$"):
        _open(written.folder, *QUALITY)


@pytest.mark.parametrize("damage", ["no files", "cut files", "cut log", "no log line", "other columns"])
def test_a_damaged_table_is_one_sentence(damage: str, tmp_path: Path) -> None:
    written = write_lakehouse(tmp_path, sales=5)
    folder = written.folder / "silver_sales"
    log = folder / "_delta_log" / f"{0:020d}.json"
    for file in folder.glob("*.parquet"):
        if damage == "no files":
            file.unlink()
        elif damage == "cut files":
            file.write_bytes(file.read_bytes()[:40])
    if damage == "cut log":
        log.write_bytes(log.read_bytes()[:300])
    elif damage == "no log line":
        log.write_bytes(b"")
    elif damage == "other columns":
        shutil.rmtree(folder)
        shutil.copytree(written.folder / "silver_products", folder)
    with pytest.raises(TableUnreadable) as raised:
        _open(written.folder, *SALES).answers(queries.of_sales(Filters()))
    assert str(raised.value).startswith("silver_sales cannot be read now (")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400


def test_the_filters_of_lines_and_sales_agree_on_tiers(written: Written, lakehouse: Lakehouse) -> None:
    for tier in ("budget", "standard", "premium"):
        of_lines = f"SELECT count(*) AS n FROM silver_transactions WHERE {Filters(tiers=(tier,)).of_lines()}"
        valid = written.lines[written.lines["valid"]]
        assert lakehouse.ask(of_lines)["n"][0] == (valid["tier"] == tier).sum() > 0


def test_the_ring_and_the_rules_show_hostile_names_as_text_and_say_what_they_show() -> None:
    shares = pd.DataFrame({"department": [*HOSTILE, None], "revenue": [Decimal(11 - place) for place in range(11)]})
    ring = revenue_share(shares)
    (pie,) = ring.figure.data
    assert sum(pie["values"]) == 66
    assert len(pie["values"]) == 6
    assert not any("<script" in text for text in revenue_share(shares.iloc[8:9]).figure.data[0]["text"])
    assert ring.text.endswith("other (6 more) 31.8 %.")
    rules = pd.DataFrame({"rule": ["<b>known</b>", "positive"], "records": [2, 11]})
    assert broken_rules(rules, records=2000).text.endswith("positive 11, 0.55 %; <b>known</b> 2, 0.10 %.")
    assert "none of them broke a rule" in broken_rules(rules.iloc[:0], records=7).text


def _open(folder: Path, *tables: str) -> Lakehouse:
    return open_tables(folder, {name: name for name in tables})


def _kept(frame: pd.DataFrame, filters: Filters, *, tier: str) -> pd.DataFrame:
    chosen = {"department": filters.departments, "category": filters.categories, tier: filters.tiers}
    for column, values in chosen.items():
        frame = frame[frame[column].isin(values)] if values else frame
    frame = frame[frame["day"] >= filters.first_day] if filters.first_day else frame
    return frame[frame["day"] <= filters.last_day] if filters.last_day else frame


def _revenue(frame: pd.DataFrame, key: str, value: str = "revenue") -> dict[object, Decimal]:
    return frame.groupby(key)[value].sum().to_dict() if len(frame) else {}
