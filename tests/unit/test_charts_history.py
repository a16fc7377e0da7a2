"""The tasks of a job by its runs, and how long each run took against the median of the good ones."""

from __future__ import annotations

from typing import Any

from helpers import charts
from tests.unit.charts_fakes import START, run, task, trace, words

DAY = 86_400_000


def on_day(day: int, *tasks: dict[str, Any], seconds: int = 60, result: str | None = "SUCCESS", **fields: Any) -> Any:
    """Return a run that started so many days after the first, with its tasks moved there."""
    begin = START + day * DAY
    moved = [
        {**one, **{key: one[key] and one[key] + day * DAY for key in ("start_time", "end_time")}}
        for one in tasks or (task("a", 0, 0, seconds, result),)
    ]
    return {
        **run(*moved, result=result, **fields),
        "job_id": 1,
        "run_id": 100 + day,
        "start_time": begin,
        "end_time": None if result is None else begin + seconds * 1000,
    }


def repaired(day: int) -> Any:
    """Return a run of 20 s whose task b failed and was repaired an hour later, in 30 s."""
    begin = START + day * DAY
    history = [
        {"type": "ORIGINAL", "start_time": begin, "end_time": begin + 20_000, "task_run_ids": [1, 2]},
        {"type": "REPAIR", "start_time": begin + 3_600_000, "end_time": begin + 3_630_000, "task_run_ids": [3]},
    ]
    return on_day(
        day,
        task("a", 0, 0, 10, "SUCCESS", run_id=1),
        task("b", 0, 10, 20, "FAILED", "a", run_id=2),
        task("b", 1, 3600, 3630, "SUCCESS", "a", run_id=3),
        seconds=3630,
        repair_history=history,
    )


def cells(chart: charts.Chart) -> dict[tuple[int, int], tuple[str, str, str]]:
    """Return the state, the symbol and the word of each mark, by column and row."""
    return {
        (x, y): (one.name, one.marker.symbol, word)
        for one in chart.figure.data
        for x, y, word in zip(one.x, one.y, one.text, strict=True)
    }


RUNS = [
    on_day(0, task("a", 0, 0, 10, "SUCCESS"), task("old", 0, 10, 20, "TIMEDOUT", "a"), seconds=20, result="FAILED"),
    on_day(1, task("a", 0, 0, 10, "FAILED"), task("b", 0, None, 10, "UPSTREAM_FAILED", "a"), result="FAILED"),
    repaired(2),
]


def test_the_matrix_has_a_mark_for_each_task_of_each_run_with_the_newest_at_the_right() -> None:
    chart = charts.task_matrix([RUNS[1], RUNS[2], RUNS[0]])
    assert list(chart.figure.layout.yaxis.ticktext) == ["(the whole run)", "a", "b", "old"]
    assert chart.figure.layout.xaxis.range == (-0.6, 7.6)
    assert cells(chart) == {
        (0, 0): ("FAILED", "x", "failed"),
        (0, 1): ("SUCCESS", "circle", "ok"),
        (0, 3): ("TIMEDOUT", "hourglass", "timed out"),
        (1, 0): ("FAILED", "x", "failed"),
        (1, 1): ("FAILED", "x", "failed"),
        (1, 2): ("UPSTREAM_FAILED", "diamond", "upstream"),
        (2, 0): ("SUCCESS", "circle", "ok ↻"),
        (2, 1): ("SUCCESS", "circle", "ok"),
        (2, 2): ("SUCCESS", "circle", "ok ↻"),
    }


def test_a_repair_is_shown_by_a_sign_that_the_axis_explains_and_by_words() -> None:
    chart = charts.task_matrix(RUNS)
    axis = chart.figure.layout.xaxis
    assert axis.title.text == "Start of the run, UTC, newest at the right; ↻ ran again in a repair"
    assert axis.ticktext[0] == "2023-11-16<br>22:13"
    hover = next(
        text for one in chart.figure.data for text in one.hovertext if "repair" in text and text.startswith("b<br>")
    )
    assert hover.startswith("b<br>FAILED → SUCCESS, run again by a repair<br>40.0 s, 2 attempts<br>on the path")
    assert "↻" not in charts.task_matrix(RUNS[:2]).figure.layout.xaxis.title.text


def test_the_matrix_s_text_counts_runs_repairs_and_failures() -> None:
    assert charts.task_matrix(RUNS).text == (
        "Tasks by run of retail: 3 runs, 1 SUCCESS, 1 repaired; the newest, run 102 of 2023-11-16 22:13 UTC, SUCCESS, "
        "50.0 s, 1 repair; failed most often: a in 1 run, old in 1 run, b in 1 run."
    )
    failed = charts.task_matrix(RUNS[:2]).text
    assert "the newest, run 101 of 2023-11-15 22:13 UTC, FAILED, 1 min 0 s (a FAILED, b UPSTREAM_FAILED)" in failed


def test_only_the_newest_runs_of_the_job_that_ran_last_are_drawn() -> None:
    other = {**on_day(1), "job_id": 2, "run_name": "other"}
    runs = [on_day(0), other, on_day(2), on_day(3)]
    assert "2 runs" in charts.task_matrix(runs, most=2).text
    assert charts.run_durations(runs).text.endswith("; 3 runs, the shortest 1 min 0 s, the longest 1 min 0 s.")


def test_a_duration_is_compared_with_the_median_of_the_good_runs_before_it() -> None:
    lengths = [40, 60, 500, 44, 50]
    results = ["SUCCESS", "SUCCESS", "FAILED", "SUCCESS", "SUCCESS"]
    runs = [on_day(day, seconds=s, result=r) for day, (s, r) in enumerate(zip(lengths, results, strict=True))]
    chart = charts.run_durations(runs)
    median = trace(chart, "median of 3 past good runs: 44.0 s", "scatter")
    assert [round(value * 60, 6) for value in median.y] == [44, 44]
    assert chart.figure.layout.yaxis.title.text == "Duration, minutes"
    assert [round(value * 60) for value in trace(chart, "SUCCESS").y] == [40, 60, 44, 50]
    assert list(trace(chart, "FAILED").x) == [2]
    assert chart.text == (
        "Duration of retail: the newest, run 104 of 2023-11-18 22:13 UTC, SUCCESS, 50.0 s, 14 % longer than the "
        "median; the median of 3 past good runs is 44.0 s; 5 runs, the shortest 40.0 s, the longest 8 min 20 s."
    )


def test_a_repaired_run_lasts_as_long_as_its_parts_and_is_no_measure_for_others() -> None:
    chart = charts.run_durations([repaired(0), on_day(1, seconds=40), on_day(2, seconds=40)])
    assert list(trace(chart, "SUCCESS").y) == [50, 40, 40]
    assert "as long as the median; the median of 1 past good run is 40.0 s" in chart.text
    assert "50.0 s, 1 repair" in trace(chart, "SUCCESS").hovertext[0]


def test_without_a_past_good_run_the_bars_stand_and_the_legend_says_so() -> None:
    chart = charts.run_durations([on_day(0, seconds=30, result="FAILED"), on_day(1, seconds=20)])
    none = "no median yet: no past run succeeded without a repair"
    assert list(trace(chart, none, "scatter").y) == [None, None]
    assert list(trace(chart, "FAILED").y) == [30]
    assert none in chart.text


def test_a_queue_is_no_part_of_the_duration_and_a_run_under_way_is_measured_so_far() -> None:
    waited = on_day(0, task("a", 0, 30, 60, "SUCCESS"), queue_duration=25_000)
    under_way = on_day(1, task("a", 0, 0, 12, "SUCCESS"), task("b", 0, 12, None, None, "a"), result=None)
    chart = charts.run_durations([waited, under_way])
    assert list(trace(chart, "SUCCESS").y) == [35]
    assert "12.0 s so far, 66 % shorter than the median" in chart.text
    until_now = {**under_way, "end_time": under_way["start_time"] + 14_000, "state": {"life_cycle_state": "RUNNING"}}
    assert "14.0 s so far, 60 % shorter" in charts.run_durations([waited, until_now]).text


def test_of_many_runs_every_second_is_named_so_that_names_do_not_meet() -> None:
    chart = charts.run_durations([on_day(day) for day in range(40)])
    assert [len(trace(chart, "SUCCESS").x), len(chart.figure.layout.xaxis.ticktext)] == [30, 15]
    assert chart.figure.layout.xaxis.tickvals[0] == 29


def test_without_runs_both_say_what_to_do() -> None:
    for chart in (charts.task_matrix([]), charts.run_durations([])):
        assert "nothing to show yet" in chart.text
        assert "python3 -m helpers run" in words(chart)


def test_both_in_the_dark_are_the_dark_ones() -> None:
    for draw in (charts.task_matrix, charts.run_durations):
        turned = draw(RUNS).in_theme("dark").figure
        assert turned.to_plotly_json() == draw(RUNS, theme="dark").figure.to_plotly_json()
