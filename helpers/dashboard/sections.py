"""The parts of the page: each takes what was read, or the error that says why it was not, and draws it."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from helpers import charts
from helpers.charts.inputs import ChartInputError
from helpers.charts.texts import count, money, plain, share
from helpers.dashboard import activity
from helpers.dashboard.figures import broken_rules, revenue_share
from helpers.errors import LakeprepError
from helpers.jobs.record import Run
from helpers.jobs.shown import record_until_now
from helpers.runtime.usage import Sample

Frames = dict[str, pd.DataFrame]
_NEWEST = 0
_TIMELINE_EVERY = 4.0  # seconds
_NO_RUN = "No run yet. Start one: `python3 -m helpers run`. It appears here by itself."
_NO_SALE = "No sale matches these filters. Take one away, or press “Show everything”."


def show_status(runs: Sequence[Run], arrived: activity.Arrived | None) -> None:
    """Say in two lines how the newest run does, and whether files wait for one."""
    lines = [f"Newest run: {_said(runs[0])}." if runs else "No run yet."]
    if arrived and arrived.files:
        waiting = f"not read yet: {', '.join(arrived.waiting[:3])}" if arrived.waiting else "all of them read"
        more = f" and {len(arrived.waiting) - 3:,} more" if len(arrived.waiting) > 3 else ""
        lines.append(f"{count(arrived.files, 'file')} of transactions landed, {waiting}{more}.")
    _lines(*lines)


def show_key_figures(sales: Frames | LakeprepError, quality: Frames | LakeprepError) -> None:
    """Show revenue, products, price and quality, each with the figure that puts it into proportion."""
    cards = st.container(key="key-figures").columns(4)
    if not isinstance(sales, LakeprepError):
        totals = sales["totals"].iloc[0]
        baskets = totals.baskets or None
        each = money(float(totals.revenue) / baskets) if baskets else "no basket"
        lines = f"{totals.line_items / baskets:.1f}" if baskets else "none"
        spread = money(totals.price_deviation)
        _card(cards[0], "Total revenue", money(totals.revenue or 0), f"{each} a basket on average")
        _card(cards[1], "Different products", count(totals.products), f"{lines} in a basket on average")
        _card(cards[2], "Average price", money(totals.price), f"{spread} standard deviation")
    if not isinstance(quality, LakeprepError):
        records, valid = _records(quality)
        score = share(valid / records) if records else "unknown"
        _card(cards[3], "Data quality", score, f"{count(valid)} of {count(records)} valid")


def show_sales(sales: Frames | LakeprepError) -> None:
    """Show revenue by day, department, category, tier and hour."""
    if isinstance(sales, LakeprepError):
        _problem(sales)
        return
    if not sales["totals"].iloc[0].line_items:
        st.info(_NO_SALE)
        return
    _chart("day", charts.revenue_by_day, sales["by_day"])
    left, right = st.columns(2)
    with left:
        _chart("department", charts.revenue_by_department, sales["by_department"], top=8)
        _chart("share", revenue_share, sales["by_department"])
    with right:
        _chart("category", charts.revenue_by_category, sales["by_category"], top=8)
        _chart("hour", charts.revenue_by_hour, sales["by_hour"])
    _chart("tier", charts.revenue_by_price_tier, sales["by_tier"])


def show_quality(quality: Frames | LakeprepError) -> None:
    """Show the score, the broken rules, the worst categories, and the newest quarantined rows."""
    if isinstance(quality, LakeprepError):
        _problem(quality)
        return
    records, valid = _records(quality)
    if not records:
        st.info(_NO_SALE)
        return
    left, right = st.columns(2)
    with left:
        st.progress(valid / records, text=f"Quality score: {share(valid / records)} of {count(records)} records")
        _chart("rules", broken_rules, quality["by_rule"], records=records)
    with right:
        _chart("categories", charts.quality_by_category, quality["by_category"], top=8)
    st.subheader("Line items in quarantine", anchor=False)
    examples = quality["examples"]
    if examples.empty:
        st.write("None under these filters.")
    else:
        st.caption(f"The newest {len(examples)}, with the rules that they broke.")
        value = st.column_config.NumberColumn("sales_value", format="dollar")
        st.dataframe(examples, hide_index=True, key="examples", column_config={"sales_value": value})


def show_pipeline(runs: Sequence[Run], counts: pd.DataFrame | LakeprepError, usage: Sequence[Sample]) -> None:
    """Show the newest update's graph as far as it has come, its rows and expectations, and those of the ones before."""
    run, update = next(((run, update) for run in runs if (update := activity.update_of(run))), (None, None))
    if run is None or update is None:
        st.info("No update of the pipeline yet. Start one: `python3 -m helpers run`. Its graph fills in here.")
        return
    _lines(f"As run {run.run_id} left it." if run.state.final else f"Run {run.run_id} goes on: this fills in.")
    told = update.as_dict()
    _chart("graph", charts.pipeline_graph, told)
    left, right = st.columns(2)
    with left:
        _chart("rows", charts.rows_between_layers, told)
    with right:
        _chart("expectations", charts.expectations, told)
    if isinstance(counts, LakeprepError):
        _problem(counts)
    else:
        _chart("failures", charts.expectation_failures, counts)
    updates = [made.as_dict() for run in runs for made in activity.reports_of(run)]
    _chart("shuffle", partial(charts.shuffle_and_spill, samples=usage), updates)


def choose_run(runs: Sequence[Run]) -> Run | None:
    """Return the run to look at: the newest, also when a newer one starts, unless another was chosen."""
    if not runs:
        return None
    named = {_NEWEST: runs[0], **{run.run_id: run for run in runs}}
    if st.session_state.get("run") not in named:
        st.session_state.pop("run", None)

    def said(key: int) -> str:
        return f"The newest: {_said(named[key])}" if key == _NEWEST else f"{_said(named[key])}, run {key}"

    return named[st.selectbox("Run", list(named), key="run", format_func=said)]


def show_runs(
    runs: Sequence[Run],
    run: Run | None,
    events: pd.DataFrame | LakeprepError,
    usage: Callable[[], Sequence[Sample]],
) -> None:
    """Show the tasks of the newest runs, and one run's tasks, timeline and events; `usage` reads that run's time."""
    if run is None:
        st.info(_NO_RUN)
        return
    told = [record_until_now(one) for one in runs]
    _chart("matrix", charts.task_matrix, told)
    _chart("tasks", charts.job_graph, record_until_now(run))
    # Time goes on, and with it what the server uses, also while nothing happens.
    st.fragment(_show_timeline, run_every=None if run.state.final else _TIMELINE_EVERY)(run, usage)
    _chart("durations", charts.run_durations, told)
    st.subheader("Events of its updates", anchor=False)
    if isinstance(events, LakeprepError):
        _problem(events)
    elif events.empty:
        st.write("None yet: its pipeline has not begun.")
    else:
        shown = events[["timestamp", "level", "event_type", "dataset", "message"]]
        time = st.column_config.DatetimeColumn("time (UTC)", format="YYYY-MM-DD HH:mm:ss")
        naive = shown.assign(
            timestamp=shown["timestamp"].dt.tz_localize(None),  # else it is shown in the reader's zone
            dataset=shown["dataset"].fillna(""),
        )
        st.dataframe(naive, hide_index=True, key="events", column_config={"timestamp": time})


def _show_timeline(run: Run, usage: Callable[[], Sequence[Sample]]) -> None:
    _chart("timeline", partial(charts.server_usage, samples=usage()), record_until_now(run))


def _chart(key: str, draw: Callable[..., charts.Chart], data: Any, **options: Any) -> None:
    """Show a figure with its text twin, which a screen reader gets as the figure's own description too."""
    dark = st.context.theme.type == "dark"
    try:
        chart = draw(data, theme="dark" if dark else "light", **options)
    except ChartInputError as error:
        _problem(error)
        return
    with st.container(key=f"{'wide' if chart.min_width else 'chart'}-{key}", gap="xxsmall"):
        if chart.min_width:
            st.html(f"<style>.st-key-wide-{key} > * {{min-width: {chart.min_width}px}}</style>")
        # Its title outside wraps where the page is narrow.
        st.html(f"<h3 class='lp-title'>{html.escape(plain(chart.title))}</h3>")
        figure = chart.untitled().figure
        st.plotly_chart(figure, theme=None, key=f"figure-{key}", config={"displayModeBar": False}, alt=chart.text)
        st.html(f"<details class='lp-words'><summary>In words</summary>{html.escape(chart.text)}</details>")


def _card(place: Any, name: str, value: str, proportion: str) -> None:
    value, proportion = value.replace("$", r"\$"), proportion.replace("$", r"\$")  # a pair of them begins a formula
    place.metric(name, value, proportion, delta_color="off", delta_arrow="off", border=True)


def _problem(error: LakeprepError) -> None:
    """Say one sentence; a table's or column's name in it is no markup."""
    with st.container(border=True):
        _lines(str(error))


def _lines(*texts: str) -> None:
    st.html("<br>".join(html.escape(plain(text)) for text in texts))


def _records(quality: Frames) -> tuple[int, int]:
    places = quality["by_category"]
    return int(places["records"].sum()), int(places["valid_records"].sum())


def _said(run: Run) -> str:
    started = datetime.fromtimestamp(run.start_time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    running = [task.task_key for task in run.latest() if task.state.life_cycle_state == "RUNNING"]
    now = f", now {', '.join(running)}" if running else ""
    return f"{plain(run.run_name)}, {run.state.word}{now}, started {started}"
