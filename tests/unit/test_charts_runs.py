"""The charts of job runs and pipeline updates show what the records hold."""

from typing import Any

import pytest

from helpers import charts
from tests.unit.charts_fakes import run, task, trace, words


def dataset(name: str, *inputs: str, **fields: Any) -> dict[str, Any]:
    plain = {"kind": "STREAMING_TABLE", "status": "COMPLETED", "rows_read": 10, "num_output_rows": 8}
    empty = {"dropped_records": 0, "expectations": [], "seconds": 1.0, "error": None, "layer": None}
    return {"name": name, "inputs": list(inputs), **plain, **empty, **fields}


def update(*datasets: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"pipeline_name": "retail", "state": "COMPLETED", "error": None, "datasets": list(datasets), **fields}


def expectation(name: str, passed: int, failed: int, action: str = "drop") -> dict[str, Any]:
    return {"name": name, "dataset": "silver", "passed_records": passed, "failed_records": failed, "action": action}


def test_the_timeline_has_a_lane_a_task_and_a_bar_an_attempt() -> None:
    chart = charts.job_timeline(
        run(task("a", 0, 0, 10, "SUCCESS"), task("b", 0, 10, 20, "FAILED", "a"), task("b", 1, 30, 60, "SUCCESS", "a"))
    )
    good, bad = trace(chart, "SUCCESS"), trace(chart, "FAILED")
    assert (list(good.base), list(good.x)) == ([0, 30], [10, 30])
    assert (list(bad.base), list(bad.x)) == ([10], [10])
    assert good.y[1] == bad.y[0] > good.y[0]
    assert "SUCCESS · 40.0 s · 2 attempts" in words(chart)


def test_a_wait_is_drawn_from_when_a_task_was_free_to_start() -> None:
    chart = charts.job_timeline(
        run(task("a", 0, 5, 10, "SUCCESS"), task("b", 0, 12, 20, "FAILED", "a"), task("b", 1, 50, 60, "SUCCESS", "a"))
    )
    waits = trace(chart, "waiting")
    assert list(zip(waits.base, waits.x, strict=True)) == [(0, 5), (10, 2), (20, 30)]
    unseen = charts.job_timeline(run(task("a", 0, 0, 10, "SUCCESS"), task("b", 0, 10.02, 60, "SUCCESS", "a")))
    assert "waiting" not in [one.name for one in unseen.figure.data]
    assert not unseen.figure.layout.showlegend


def test_each_state_has_a_word_a_pattern_and_a_shape_of_its_own() -> None:
    states = ("SUCCESS", "FAILED", "TIMEDOUT", "UPSTREAM_FAILED", "CANCELED", "EXCLUDED")
    chart = charts.job_timeline(run(*(task(state, 0, 0, 10, state) for state in states)))
    patterns = [trace(chart, state).marker.pattern.shape for state in states]
    shapes = [trace(chart, state, "scatter").marker.symbol for state in states]
    assert len(set(patterns)) == len(set(shapes)) == len(states)
    assert all(f"{state} · 10.0 s" in words(chart) for state in states)


def test_a_task_that_never_started_is_a_mark_without_a_bar() -> None:
    chart = charts.job_timeline(run(task("a", 0, 0, 60, "FAILED"), task("b", 0, None, None, "UPSTREAM_FAILED", "a")))
    assert list(trace(chart, "UPSTREAM_FAILED").x) == [0]
    assert chart.text.endswith("a FAILED, 1 min 0 s; b UPSTREAM_FAILED.")


def test_a_running_task_ends_where_the_record_does() -> None:
    chart = charts.job_timeline(
        run(task("a", 0, 0, 40, "SUCCESS"), task("b", 0, 10, None, None), result=None, end=None)
    )
    assert list(trace(chart, "RUNNING").x) == [30]


def test_a_long_run_is_told_in_minutes_and_a_longer_one_in_hours() -> None:
    for end, unit, length in ((600, "Minutes", 10), (14_400, "Hours", 4)):
        chart = charts.job_timeline(run(task("a", 0, 0, end, "SUCCESS"), end=end))
        assert chart.figure.layout.xaxis.title.text == f"{unit} since 2023-11-14 22:13:20 UTC"
        assert list(trace(chart, "SUCCESS").x) == [length]


@pytest.mark.parametrize(
    "chart",
    [charts.job_timeline({}), charts.pipeline_graph({}), charts.rows_between_layers({}), charts.expectations({})],
    ids=["timeline", "graph", "rows", "expectations"],
)
def test_a_record_without_anything_says_what_to_do(chart: charts.Chart) -> None:
    assert not chart.figure.data
    assert "nothing to show yet" in chart.text


def test_the_graph_stands_in_layers_from_left_to_right() -> None:
    chart = charts.pipeline_graph(update(dataset("c", "b", "a"), dataset("b", "a"), dataset("a")))
    nodes = trace(chart, "datasets", "scatter")
    across = dict(zip(nodes.ids, nodes.x, strict=True))
    assert across["a"] < across["b"] < across["c"]


def test_no_two_cards_share_a_place() -> None:
    names = [f"gold_{index}" for index in range(8)]
    chart = charts.pipeline_graph(update(dataset("s"), dataset("t", "s"), *(dataset(name, "s", "t") for name in names)))
    nodes = trace(chart, "datasets", "scatter")
    assert len(set(zip(nodes.x, nodes.y, strict=True))) == 10


def test_a_table_that_nothing_reads_stands_with_the_last_of_its_layer() -> None:
    early = dataset("gold_early", "bronze")
    late = dataset("gold_late", "silver")
    nodes = trace(
        charts.pipeline_graph(update(dataset("bronze"), dataset("silver", "bronze"), early, late)),
        "datasets",
        "scatter",
    )
    across = dict(zip(nodes.ids, nodes.x, strict=True))
    assert across["gold_early"] == across["gold_late"]


def test_a_card_says_kind_state_rows_drops_and_failures() -> None:
    found = [expectation("known", 9, 0), expectation("has_product", 5, 3), expectation("has_id", 6, 2)]
    chart = charts.pipeline_graph(update(dataset("silver", dropped_records=2, expectations=found)))
    assert "<b>silver</b>" in words(chart)
    for part in ("streaming table · completed", "8 written · 2 dropped", "3 failed has_product (+1)"):
        assert part in words(chart)
    assert "silver: 3 failed has_product, 2 failed has_id." in chart.text


def test_a_card_says_that_its_expectations_held_and_its_hover_text_has_every_count() -> None:
    held = [expectation("known", 9, 0), expectation("priced", 7, 0), expectation("unseen", 0, 0)]
    broken = [expectation("known", 9, 0), expectation("priced", 5, 2)]
    silver, gold = dataset("silver", expectations=held), dataset("gold", "silver", expectations=broken)
    chart = charts.pipeline_graph(update(silver, gold))
    assert "2 expectations held" in words(chart)
    assert "known: 9 passed, 0 failed<br>priced: 5 passed, 2 failed" in trace(chart, "datasets", "scatter").hovertext[1]


def test_rows_of_a_view_are_not_written_and_those_of_auto_cdc_are_upserted_or_deleted() -> None:
    view = dataset("arrived", kind="VIEW", num_output_rows=23)
    target = dataset("customers", "arrived", num_output_rows=None, num_upserted_rows=12, num_deleted_rows=1)
    chart = charts.pipeline_graph(update(view, target))
    assert "0 rows written, 0 dropped, 12 upserted, 1 deleted" in chart.text
    assert "12 upserted · 1 deleted" in words(chart)
    rows = charts.rows_between_layers(update(target))
    assert "10 → 12 (1 deleted)" in words(rows)
    assert list(trace(rows, "written").x) == [12]
    assert rows.text.endswith("other (1 dataset) 10 read, 0 written, 12 upserted, 1 deleted, 0 dropped.")
    assert "upserted" not in charts.pipeline_graph(update(dataset("a"))).text


def test_a_queued_dataset_is_hollow_and_fills_in_without_moving() -> None:
    before = charts.pipeline_graph(update(dataset("a"), dataset("b", "a", status="QUEUED", num_output_rows=None)))
    after = charts.pipeline_graph(update(dataset("a"), dataset("b", "a")))
    first, then = trace(before, "datasets", "scatter"), trace(after, "datasets", "scatter")
    assert (list(first.marker.symbol), list(then.marker.symbol)) == (["circle", "circle-open"], ["circle", "circle"])
    assert (first.x, first.y) == (then.x, then.y)
    assert before.figure.layout.height == after.figure.layout.height


def test_a_failed_dataset_shows_why() -> None:
    chart = charts.pipeline_graph(
        update(dataset("a", status="FAILED", error="DIVIDE_BY_ZERO: by <b>zero</b>"), state="FAILED")
    )
    assert "DIVIDE_BY_ZERO: by &lt;b&gt;zero" in words(chart)
    assert "a stopped: DIVIDE_BY_ZERO" in chart.text


def test_an_update_that_failed_before_its_graph_says_why() -> None:
    chart = charts.pipeline_graph(update(state="FAILED", error="silver reads bronce, which does not exist"))
    assert "silver reads bronce, which does not exist" in chart.text


def test_a_table_outside_the_pipeline_is_drawn_as_a_source() -> None:
    nodes = trace(charts.pipeline_graph(update(dataset("a", "other.schema.t"))), "datasets", "scatter")
    assert dict(zip(nodes.ids, nodes.marker.symbol, strict=True))["other.schema.t"] == "triangle-right-open"


def test_a_cycle_is_drawn_rather_than_refused() -> None:
    nodes = trace(
        charts.pipeline_graph(update(dataset("a", "b"), dataset("b", "a"), dataset("c", "c"))), "datasets", "scatter"
    )
    assert set(nodes.ids) == {"a", "b", "c"}


def test_rows_are_shown_by_layer_as_read_written_and_dropped() -> None:
    chart = charts.rows_between_layers(
        update(
            dataset("gold_day", "silver_t", rows_read=8, num_output_rows=1),
            dataset("bronze_t", rows_read=10, num_output_rows=10),
            dataset("silver_t", "bronze_t", dropped_records=2),
            dataset("helper", kind="VIEW", rows_read=None, num_output_rows=None),
        )
    )
    assert list(trace(chart, "read").x) == [10, 10, 8]
    assert list(trace(chart, "written").x) == [10, 8, 1]
    assert list(trace(chart, "dropped").x) == [0, 2, 0]
    assert "10 → 8 (2 dropped)" in words(chart)
    assert "silver (1 dataset) 10 read, 8 written, 2 dropped" in chart.text


def test_expectations_stand_by_failures_with_both_counts() -> None:
    found = [expectation("known", 9, 0, "warn"), expectation("valid", 5, 3), expectation("must", 0, 0, "fail")]
    chart = charts.expectations(update(dataset("silver", expectations=found)))
    assert list(trace(chart, "passed").x) == [5, 9, 0]
    assert list(trace(chart, "failed").x) == [3, 0, 0]
    assert list(trace(chart, "has failures", "scatter").x) == [8]
    for part in ("valid (drop)", "3 of 8 failed", "all 9 passed", "no records counted"):
        assert part in words(chart)
    assert "valid (drop) on silver, 3 of 8 failed; 2 expectations with no failure" in chart.text
