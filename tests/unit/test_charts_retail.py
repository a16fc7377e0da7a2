"""The business and quality charts show what their tables hold."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from helpers import charts
from helpers.charts.inputs import COLUMNS

HOSTILE = "<script>alert(1)</script> & <b>bold</b> $x$"


def departments(**revenue: Any) -> pd.DataFrame:
    rows = [(name, value, 1, 1, 1) for name, value in revenue.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS["gold_revenue_by_department"]))


def categories(rows: list[tuple[Any, Any, Any]]) -> pd.DataFrame:
    return pd.DataFrame([(*row, 1) for row in rows], columns=list(COLUMNS["gold_revenue_by_category"]))


def quality(rows: list[tuple[Any, int, int]]) -> pd.DataFrame:
    full = [("GROCERY", name, records, valid, valid / records) for name, records, valid in rows]
    return pd.DataFrame(full, columns=list(COLUMNS["gold_quality_by_category"]))


def names(chart: charts.Chart) -> list[str]:
    return [note.text for note in chart.figure.layout.annotations if note.xanchor == "left"]


ALL: list[tuple[Callable[..., charts.Chart], str]] = [
    (charts.revenue_by_department, "gold_revenue_by_department"),
    (charts.revenue_by_category, "gold_revenue_by_category"),
    (charts.revenue_by_price_tier, "gold_revenue_by_price_tier"),
    (charts.revenue_by_day, "gold_revenue_by_day"),
    (charts.revenue_by_hour, "gold_revenue_by_hour"),
    (charts.quality_by_category, "gold_quality_by_category"),
]


@pytest.mark.parametrize(("draw", "table"), ALL)
def test_an_empty_table_gives_a_figure_that_says_what_to_do(draw: Callable[..., charts.Chart], table: str) -> None:
    for frame in (pd.DataFrame(), pd.DataFrame(columns=list(COLUMNS[table]))):
        chart = draw(frame)
        assert not chart.figure.data
        assert "python3 -m helpers run" in chart.text
        assert "helpers run" in chart.figure.layout.annotations[0].text.replace("<br>", " ")


@pytest.mark.parametrize(("draw", "table"), ALL)
def test_a_missing_column_is_named_with_its_table(draw: Callable[..., charts.Chart], table: str) -> None:
    missing, *others = COLUMNS[table]
    with pytest.raises(charts.ChartInputError, match=f"{table} has no column {missing}; it has {others[0]}"):
        draw(pd.DataFrame([dict.fromkeys(others, 1)]))


def test_departments_stand_largest_first_with_their_revenue() -> None:
    chart = charts.revenue_by_department(departments(DELI=Decimal("10.50"), GROCERY=Decimal("89.50")))
    assert list(chart.figure.data[0].x) == [89.5, 10.5]
    assert names(chart) == ["GROCERY", "DELI"]
    assert (
        chart.text == "Revenue by department. $100.00 in all; the largest: GROCERY $89.50, 89.5 %; DELI $10.50, 10.5 %."
    )


def test_many_categories_become_the_top_and_other_and_the_title_says_so() -> None:
    frame = categories([("D", f"C{index:03}", Decimal(1000 - index)) for index in range(300)])
    chart = charts.revenue_by_category(frame, top=10)
    assert len(chart.figure.data[0].x) == 11
    assert sum(chart.figure.data[0].x) == sum(range(701, 1001))
    assert chart.title == "Revenue by category: top 10 of 300, the rest as “other”"
    assert names(chart)[-1] == "other (290 more)"


def test_one_category_more_than_the_top_is_shown_and_not_called_other() -> None:
    chart = charts.revenue_by_category(categories([("D", f"C{index}", 10 - index) for index in range(5)]), top=4)
    assert names(chart) == ["C0", "C1", "C2", "C3", "C4"]


def test_two_departments_with_the_same_category_stay_apart() -> None:
    chart = charts.revenue_by_category(categories([("DRUG", "MISC", 2), ("DELI", "MISC", 1), ("DELI", "HAM", 3)]))
    assert names(chart) == ["HAM", "MISC (DRUG)", "MISC (DELI)"]


@pytest.mark.parametrize("missing", [None, float("nan"), "", "  "])
def test_a_category_without_a_name_is_called_none(missing: Any) -> None:
    assert names(charts.revenue_by_category(categories([("D", missing, 5)]))) == ["(none)"]


def test_missing_revenue_is_left_out_and_does_not_spoil_the_sum() -> None:
    chart = charts.revenue_by_department(departments(A=Decimal("1.10"), B=None, C=Decimal("2.20")))
    assert list(chart.figure.data[0].x) == [2.2, 1.1]
    assert "$3.30 in all" in chart.text


def test_a_hostile_name_is_shown_as_it_stands_and_never_as_markup() -> None:
    frame = categories([("D", HOSTILE, Decimal(5))])
    for chart in (charts.revenue_by_category(frame), charts.quality_by_category(quality([(HOSTILE, 10, 9)]))):
        shown = [note.text for note in chart.figure.layout.annotations] + list(chart.figure.data[0].hovertext)
        assert not [text for text in shown if "<" in text or text.count("$") > 1]
        assert names(chart)[0].startswith("&lt;script&gt;alert(1)&lt;/script&gt;")


def test_a_long_name_is_cut_on_its_lane_and_whole_in_its_hover_text() -> None:
    chart = charts.revenue_by_category(categories([("D", "VEGETABLES " * 8, 5)]))
    assert len(names(chart)[0]) <= 34
    assert names(chart)[0].endswith("…")
    assert ("VEGETABLES " * 8).strip() in chart.figure.data[0].hovertext[0]


def test_price_tiers_stand_from_budget_to_premium() -> None:
    rows = [("premium", Decimal("3.00"), 1, 30), ("odd", Decimal("9.00"), 1, 1), ("budget", Decimal("1.00"), 5, 10)]
    chart = charts.revenue_by_price_tier(pd.DataFrame(rows, columns=list(COLUMNS["gold_revenue_by_price_tier"])))
    assert list(chart.figure.data[0].x) == ["budget", "premium", "odd"]
    assert list(chart.figure.data[0].y) == [1.0, 3.0, 9.0]
    assert "budget $1.00, 5 sold, 10 products" in chart.text


@pytest.mark.parametrize("kind", [date.fromisoformat, pd.Timestamp, str])
def test_days_are_in_order_whatever_type_they_have(kind: Callable[[str], Any]) -> None:
    rows = [(kind("2017-01-02"), Decimal("7.25"), 3, 9), (kind("2017-01-01"), Decimal("5.00"), 2, 8)]
    chart = charts.revenue_by_day(pd.DataFrame(rows, columns=list(COLUMNS["gold_revenue_by_day"])))
    assert list(chart.figure.data[0].x) == ["2017-01-01", "2017-01-02"]
    assert list(chart.figure.data[0].y) == [5.0, 7.25]
    assert "2 days from 2017-01-01 to 2017-01-02, $12.25 in all; most on 2017-01-02 ($7.25)" in chart.text


def test_hours_have_revenue_on_one_axis_and_products_on_the_other() -> None:
    rows = [(17, Decimal("99.00"), 40, 8), (8, Decimal("1.50"), 3, 1)]
    chart = charts.revenue_by_hour(pd.DataFrame(rows, columns=list(COLUMNS["gold_revenue_by_hour"])))
    revenue, products = chart.figure.data
    assert (list(revenue.x), list(revenue.y), list(products.y)) == ([8, 17], [1.5, 99.0], [3.0, 40.0])
    assert (revenue.yaxis, products.yaxis) == (None, "y2")
    assert chart.figure.layout.yaxis.title.text == "Revenue, US dollars"
    assert chart.figure.layout.yaxis2.title.text == "Different products"
    assert "the busiest is 17:00 to 17:59 with $99.00, 40 products, 8 baskets" in chart.text


def test_quality_shows_the_worst_first_and_marks_low_shares_by_shape() -> None:
    chart = charts.quality_by_category(quality([("GOOD", 1000, 999), ("BAD", 100, 80), ("FINE", 10, 10)]))
    low, well = chart.figure.data
    assert (list(low.x), low.marker.symbol) == ([80.0], "x")
    assert (list(well.x), well.marker.symbol) == ([99.9, 100.0], "circle")
    assert names(chart) == ["BAD", "GOOD", "FINE"]
    assert "98.1 % of 1,110 records are valid, 1 category below 95 %; the worst: BAD 80.0 % of 100" in chart.text


def test_a_share_just_below_one_is_not_rounded_up_to_it() -> None:
    assert "99.9 % of 100,000" in charts.quality_by_category(quality([("MILK", 100_000, 99_999)])).text


def test_every_axis_that_shows_numbers_says_what_and_in_which_unit() -> None:
    money = charts.revenue_by_department(departments(A=1)).figure.layout.xaxis.title.text
    valid = charts.quality_by_category(quality([("A", 2, 1)])).figure.layout.xaxis.title.text
    assert (money, valid) == ("Revenue, US dollars", "Valid records, percent")
