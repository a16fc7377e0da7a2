"""What share of the records failed each expectation over the updates, and the rows that wait in quarantine."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from helpers import charts
from tests.unit.charts_fakes import trace, words

STOP = (
    "silver.sql:1: [EXPECTATION_VIOLATION.VERBOSITY_ALL] Flow 'f' failed to meet the expectation. "
    "Violated expectations: 'priced', 'known'. Output record: {}"
)


def event(update: str, day: int, *counts: tuple[str, int, int], stop: bool = False, **fields: Any) -> dict[str, Any]:
    """Return a row of the event log, as Spark and deltalake give it; a count is (expectation, passed, failed)."""
    told = [{"name": n, "dataset": "silver", "passed_records": p, "failed_records": f} for n, p, f in counts]
    progress = {"status": "RUNNING", "data_quality": {"dropped_records": 0, "expectations": told}}
    return {
        "id": f"{update}-{day}-{counts}",
        "event_type": "flow_progress",
        "timestamp": datetime(2026, 11, day, 3, 4, tzinfo=UTC),
        "origin": {"update_id": update},
        "details": json.dumps({"flow_progress": progress if counts else {"status": "IDLE"}}),
        "error": {"exceptions": [{"class_name": "FlowFailed", "message": STOP}]} if stop else None,
        **fields,
    }


def test_each_expectation_has_a_line_with_its_share_of_each_update() -> None:
    events = [
        event("second", 2, ("known", 98, 2), ("valid", 100, 0)),
        event("first", 1, ("known", 40, 10), ("good", 50, 0)),
        event("first", 1, ("known", 50, 0), ("valid", 95, 5)),
        event("idle", 3),
        event("x", 4, event_type="update_progress", details=json.dumps({"update_progress": {"state": "COMPLETED"}})),
    ]
    chart = charts.expectation_failures(pd.DataFrame(events))
    known, valid = trace(chart, "known on silver", "scatter"), trace(chart, "valid on silver", "scatter")
    assert (list(known.x), list(known.y)) == ([0, 1], [0.1, 0.02])
    assert (list(valid.x), list(valid.y)) == ([0, 1], [0.05, 0])
    assert known.hovertext[0] == "known on silver, 2026-11-01 03:04: 10 of 100 failed (10.0 %)"
    assert list(chart.figure.layout.xaxis.ticktext) == ["2026-11-02<br>03:04", "2026-11-01<br>03:04"]
    assert chart.figure.layout.yaxis.title.text == "Failed, share of the records checked"
    assert chart.text == (
        "Failed records by update: 2 updates, 2 of 3 expectations had some; "
        "known on silver, 12 of 200 failed (6 %), in the last of them 2 of 100 failed (2 %); "
        "valid on silver, 5 of 200 failed (2.5 %), in the last of them 0 of 100 failed (0 %); "
        "1 expectation with no failure."
    )


def test_no_two_lines_look_alike_without_their_colour() -> None:
    rules = [(f"rule_{place}", 90, 10 - place) for place in range(10)]
    chart = charts.expectation_failures(pd.DataFrame([event("u", 1, *rules)]))
    assert len({one.marker.symbol for one in chart.figure.data}) == len(chart.figure.data) == 8
    assert "2 expectations more with failures" in chart.text


def test_a_micro_batch_that_is_in_the_rows_twice_counts_once() -> None:
    row = event("u", 1, ("known", 9, 1))
    assert "1 of 10 failed" in charts.expectation_failures(pd.DataFrame([row, row])).text


def test_an_update_that_an_expectation_stopped_is_marked_in_words() -> None:
    events = [event("one", 1, ("known", 9, 1)), event("two", 2, stop=True), event("two", 2, stop=True, id="again")]
    chart = charts.expectation_failures(pd.DataFrame(events))
    assert "stopped by priced, known" in words(chart)
    assert [shape.x0 for shape in chart.figure.layout.shapes] == [1]
    assert chart.text.endswith("update 2026-11-02 03:04 stopped by priced, known.")


def test_where_nothing_failed_the_lines_lie_at_nothing() -> None:
    chart = charts.expectation_failures(pd.DataFrame([event("u", 1, ("known", 10, 0), ("empty", 0, 0))]))
    assert "none of 2 expectations had some; 2 expectations with no failure." in chart.text
    assert chart.figure.layout.yaxis.range == (0, 0.01)
    assert trace(chart, "empty on silver", "scatter").hovertext[0].endswith("no records counted")


def test_the_rows_may_bring_the_update_s_id_and_leave_the_rest_out() -> None:
    rows = pd.DataFrame([event("u", 1, ("known", 9, 1))])
    slim = rows[["event_type", "timestamp", "details"]].assign(update_id="u", timestamp="2026-11-01T03:04:05.000+00:00")
    assert charts.expectation_failures(slim).text == charts.expectation_failures(rows).text


@pytest.mark.parametrize(
    ("dropped", "named"), [("details", "no column details"), ("origin", "no column origin or update_id")]
)
def test_a_missing_column_of_the_event_log_is_named(dropped: str, named: str) -> None:
    with pytest.raises(charts.ChartInputError, match=named):
        charts.expectation_failures(pd.DataFrame([event("u", 1)]).drop(columns=dropped))


def test_without_counts_or_rows_there_is_a_next_step() -> None:
    for chart in (charts.expectation_failures(pd.DataFrame()), charts.quarantined_rows(pd.DataFrame())):
        assert "nothing to show yet" in chart.text
    assert "Run an update" in charts.expectation_failures(pd.DataFrame([event("u", 1)])).text


def quarantine() -> pd.DataFrame:
    broken = [np.array(["known", "positive"]), ["known"], ["<b>", "known"], None]
    return pd.DataFrame(
        {
            "basket_id": [1, 2, 3, 4],
            "sales_value": [1.5, None, 0.0, 2.0],
            "_rescued_data": [None] * 4,
            "source_file": ["a.json", "b.json", "b.json", "b.json"],
            "broken_rules": broken,
        }
    )


def test_quarantine_is_counted_by_rule_and_its_rows_are_named() -> None:
    chart = charts.quarantined_rows(quarantine())
    bars = trace(chart, "rows")
    assert list(bars.x) == [3, 1, 1, 1]
    assert "3 rows (75.0 %)" in words(chart)
    table = trace(chart, "rows themselves", "table")
    assert list(table.header.values) == [
        "<b>rule that it broke</b>", "<b>basket_id</b>", "<b>sales_value</b>", "<b>source_file</b>"
    ]  # fmt: skip
    rules, baskets, values, _ = table.cells.values
    assert list(rules) == ["known, positive", "known", "&lt;b&gt;, known", "(none)"]
    assert (list(baskets), list(values)) == (["1", "2", "3", "4"], ["1.5", "", "0.0", "2.0"])
    assert chart.text == (
        "Rows in quarantine, by the rule that they broke: 4 rows; known 3 (75.0 %); positive 1 (25.0 %); "
        "<b> 1 (25.0 %); (none) 1 (25.0 %); 2 rows break more than one rule; most come from b.json, 3 rows."
    )


def test_an_id_beside_a_missing_one_is_no_fraction() -> None:
    rows = pd.DataFrame({"product_id": [31317153962, None], "broken_rules": [["known"], ["known"]]})
    cells = trace(charts.quarantined_rows(rows), "rows themselves", "table").cells.values
    assert list(cells[1]) == ["31317153962", ""]


def test_of_many_rows_the_first_are_shown_and_the_axis_says_so() -> None:
    chart = charts.quarantined_rows(quarantine(), most=3)
    assert len(trace(chart, "rows themselves", "table").cells.values[0]) == 3
    assert chart.figure.layout.xaxis.title.text == "Rows in quarantine; below, the first 3 of 4"
    assert trace(chart, "rows themselves", "table").domain.y[1] < chart.figure.layout.yaxis.domain[0]


def test_rows_without_their_rules_are_refused() -> None:
    with pytest.raises(charts.ChartInputError, match="no column broken_rules; they have basket_id"):
        charts.quarantined_rows(quarantine()[["basket_id"]])


def test_both_in_the_dark_are_the_dark_ones() -> None:
    events = pd.DataFrame([event("u", 1, ("known", 9, 1)), event("v", 2, stop=True)])
    for draw, frame in ((charts.expectation_failures, events), (charts.quarantined_rows, quarantine())):
        turned = draw(frame).in_theme("dark").figure
        assert turned.to_plotly_json() == draw(frame, theme="dark").figure.to_plotly_json()
