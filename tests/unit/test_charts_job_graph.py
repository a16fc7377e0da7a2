"""The graph of a run's tasks, and the path that decided how long the run took."""

from __future__ import annotations

from typing import Any

import pytest

from helpers import charts
from helpers.charts.attempts import Link, deciding_path
from helpers.charts.theme import LIGHT
from tests.unit.charts_fakes import START, run, task, trace, words

#: Two roots, of which b ends last; c waits 2 s for a place and 5 s for its second attempt; d is done long before c.
WAITING = run(
    task("a", 0, 0, 10, "SUCCESS"),
    task("b", 0, 0, 20, "SUCCESS"),
    task("c", 0, 22, 30, "FAILED", "a", "b"),
    task("c", 1, 35, 60, "SUCCESS", "a", "b"),
    task("d", 0, 10, 15, "SUCCESS", "a"),
)


def at(chart: charts.Chart) -> dict[str, tuple[float, float]]:
    nodes = trace(chart, "tasks", "scatter")
    return dict(zip(nodes.ids, zip(nodes.x, nodes.y, strict=True), strict=True))


def edges(chart: charts.Chart, **line: Any) -> int:
    paths = [shape.line for shape in chart.figure.layout.shapes if shape.type == "path"]
    return sum(all(getattr(one, name) == value for name, value in line.items()) for one in paths)


def test_the_path_goes_back_from_what_ended_last_and_counts_waits() -> None:
    assert deciding_path(WAITING) == (Link("b", 0.0, 20.0), Link("c", 7.0, 33.0))
    assert "the time, 1 min 0 s, was decided by b 20.0 s → c 33.0 s after 7.0 s of waiting." in (
        charts.job_graph(WAITING).text
    )


def test_the_longest_chain_of_work_is_not_the_path_when_a_wait_decided() -> None:
    found = run(task("long", 0, 0, 30, "SUCCESS"), task("late", 0, 28, 40, "SUCCESS"), end=40)
    assert deciding_path(found) == (Link("late", 28.0, 12.0),)


def test_a_wait_for_a_place_in_the_queue_is_no_task_s() -> None:
    assert deciding_path(run(task("a", 0, 25, 30, "SUCCESS"), queue_duration=20_000)) == (Link("a", 5.0, 5.0),)


def test_of_a_repaired_run_the_path_is_that_of_its_last_repair() -> None:
    history = [
        {"type": "ORIGINAL", "start_time": START, "end_time": START + 20_000, "task_run_ids": [1, 2]},
        {"type": "REPAIR", "start_time": START + 100_000, "end_time": START + 130_000, "task_run_ids": [3]},
    ]
    repaired = run(
        task("a", 0, 0, 10, "SUCCESS", run_id=1),
        task("b", 0, 10, 20, "FAILED", "a", run_id=2),
        task("b", 1, 101, 130, "SUCCESS", "a", run_id=3),
        end=130,
        repair_history=history,
    )
    assert deciding_path(repaired) == (Link("b", 1.0, 29.0),)
    chart = charts.job_graph(repaired)
    assert "the time of the last repair, 30.0 s, was decided by b 29.0 s after 1.0 s of waiting" in chart.text
    # Between the end of a run and its repair nobody waits, in the timeline neither.
    assert "39.0 s · waited 1.0 s" in words(chart)
    waits = trace(charts.job_timeline(repaired), "waiting")
    assert list(zip(waits.base, waits.x, strict=True)) == [(100, 1)]


def test_a_task_that_still_runs_ends_where_the_record_does() -> None:
    found = run(
        task("a", 0, 0, 10, "SUCCESS"), task("b", 0, 10, None, None, "a"), task("c", 0, 10, 40, "SUCCESS", "a"),
        result=None, end=None,
    )  # fmt: skip
    assert deciding_path(found) == (Link("a", 0.0, 10.0), Link("b", 0.0, 30.0))


def test_only_the_edges_and_boxes_of_the_path_are_thick() -> None:
    chart = charts.job_graph(WAITING)
    assert (edges(chart, width=3.5), edges(chart, width=1.2)) == (1, 2)
    assert trace(chart, "path that decided the time", "scatter").line.color == LIGHT.text
    boxes = [shape for shape in chart.figure.layout.shapes if shape.type == "rect" and shape.line.width == 2.2]
    inside = [key for box in boxes for key, (x, y) in at(chart).items() if box.x0 < x < box.x1 and box.y0 < y < box.y1]
    assert sorted(inside) == ["b", "c"]


def test_tasks_stand_from_left_to_right_and_a_leaf_beside_its_equals() -> None:
    places = at(charts.job_graph(WAITING))
    assert places["a"][0] == places["b"][0] < places["c"][0] == places["d"][0]
    assert len(set(places.values())) == 4


def test_each_box_says_kind_state_attempts_time_and_wait() -> None:
    attempts = [("load", 0, 2, 10, "FAILED"), ("load", 1, 12, 60, "SUCCESS")]
    chart = charts.job_graph(run(*(task(*attempt, type="spark_python") for attempt in attempts)))
    for part in ("<b>load</b>", "spark python · SUCCESS · 2 attempts", "56.0 s · waited 4.0 s"):
        assert part in words(chart)


def test_an_outcome_iterations_and_an_excluded_task_are_told_in_words_and_shapes() -> None:
    iterations = [
        {"iteration": 0, "attempt_number": 0, "state": {"result_state": "FAILED"}},
        {"iteration": 0, "attempt_number": 1, "state": {"result_state": "SUCCESS"}},
        {"iteration": 1, "attempt_number": 0, "state": {"result_state": "FAILED"}},
    ]
    chart = charts.job_graph(
        run(
            task("is_new", 0, 0, 1, "SUCCESS", outcome="false"),
            task("load", 0, None, 1, "EXCLUDED", "is_new"),
            task("days", 0, 1, 9, "FAILED", "is_new", iterations=iterations, error="1 of 2 did not succeed"),
            end=9,
        )
    )
    assert "decided false" in words(chart)
    assert edges(chart, dash="dot") == 1
    nodes = trace(chart, "tasks", "scatter")
    assert dict(zip(nodes.ids, nodes.marker.symbol, strict=True)) == {
        "is_new": "circle", "load": "diamond-open", "days": "x"
    }  # fmt: skip
    assert "2 iterations: 1 SUCCESS, 1 FAILED<br>1 of 2 did not succeed" in nodes.hovertext[2]
    assert chart.text == (
        "retail, run SUCCESS: 3 tasks (1 SUCCESS, 1 EXCLUDED, 1 FAILED); the time, 9.0 s, was decided by "
        "is_new 1.0 s → days 8.0 s; is_new SUCCESS (decided false); load EXCLUDED; "
        "days FAILED (2 iterations: 1 SUCCESS, 1 FAILED) (1 of 2 did not succeed)."
    )


def test_a_task_that_never_ran_is_hollow_and_one_that_ran_has_a_stripe_of_its_state() -> None:
    chart = charts.job_graph(run(task("a", 0, 0, 60, "FAILED"), task("b", 0, None, 60, "UPSTREAM_FAILED", "a")))
    boxes = [shape for shape in chart.figure.layout.shapes if shape.type == "rect"]
    assert [shape.fillcolor for shape in boxes if shape.line.width == 0] == [LIGHT.vermillion]
    assert [shape.line.dash for shape in boxes].count("dot") == 1
    assert deciding_path(run(task("b", 0, None, 5, "UPSTREAM_FAILED"))) == ()


def test_a_hundred_tasks_fit_smaller_boxes_and_a_short_text() -> None:
    chain = [task(f"task_{n}", 0, n, n + 1, "FAILED", *([f"task_{n - 1}"] if n else [])) for n in range(100)]
    wide = [task("first", 0, 0, 1, "SUCCESS"), *(task(f"t{n}", 0, 1, 2, "SUCCESS", "first") for n in range(99))]
    deep, flat = charts.job_graph(run(*chain, end=100)), charts.job_graph(run(*wide, end=2))
    assert deep.figure.layout.width == deep.min_width == 100 * 228 + 16
    assert flat.figure.layout.height < 100 * 60
    assert "task_3 1.0 s → 93 more → task_97 1.0 s" in deep.text
    assert deep.text.endswith("task_5 FAILED; and 94 tasks more.")
    assert len(at(flat)) == len(set(at(flat).values())) == 100


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_names_are_cut_and_cannot_break_the_figure(theme: Any) -> None:
    hostile = "<b>bold</b> $x$ " * 9
    chart = charts.job_graph(run(task(hostile, 0, 0, 60, "SUCCESS", outcome="<i>")), theme=theme)
    (shown,) = trace(chart, "tasks", "scatter").text
    assert shown == "\u00a0<b>&lt;b&gt;bold&lt;/b&gt; &#36;x&#36; &lt;b&gt;bold&lt;…</b>"
    assert "decided &lt;i&gt;" in words(chart)


def test_without_a_run_the_graph_says_what_to_do() -> None:
    assert charts.job_graph({}).text == "Tasks of the job: nothing to show yet. Run the job: python3 -m helpers run"


def test_the_graph_in_the_dark_is_the_dark_graph() -> None:
    turned = charts.job_graph(WAITING).in_theme("dark").figure
    assert turned.to_plotly_json() == charts.job_graph(WAITING, theme="dark").figure.to_plotly_json()
