"""The page: what is chosen, the key figures and the parts; it draws itself again when something has changed."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from helpers.dashboard import activity, queries, sections, sidebar
from helpers.dashboard.filters import Filters
from helpers.dashboard.lakehouse import (
    MAIN_SCHEMA,
    QUALITY,
    SALES,
    Lakehouse,
    Stamp,
    open_tables,
    schema_folder,
    schemas,
    stamps,
)
from helpers.errors import LakeprepError
from helpers.jobs.record import Run
from helpers.runtime.places import Places
from helpers.runtime.usage import Sample, read_usage

LOOK_EVERY = 2.0
_SEEN = "seen"
_TABS = ("Sales", "Quality", "Pipeline", "Runs")
# Streamlit leaves much room around its page; on a narrow one columns stand below each other, and a figure that is wider
# still is scrolled.
_STYLE = """<style>
.stMainBlockContainer {padding: 3.2rem clamp(1rem, 3vw, 5rem) 3rem;}
.lp-title {font-size: 1rem; font-weight: 600; margin: 0; padding: 0;}
.lp-words {font-size: 0.8rem; opacity: 0.85; margin: 0;}
.lp-words summary {cursor: pointer; opacity: 0.85;}
[data-testid="stMetricValue"] {font-size: 1.65rem;}
[data-testid="stMetricValue"] *, [data-testid="stMetricDelta"] * {white-space: normal; overflow: visible;}
[class*="st-key-wide-"] {overflow-x: auto;}
[data-testid="stColumn"] {min-width: min(22rem, 100%);}
.st-key-key-figures [data-testid="stColumn"] {min-width: 10.5rem;}
</style>"""

Stamps = tuple[Stamp | None, ...]


def show_page(places: Places) -> None:
    """Show everything, for a reader who may see it."""
    st.html(_STYLE)
    st.title("Retail analytics", anchor=False)
    schema = sidebar.choose_schema(schemas(places) or [MAIN_SCHEMA])
    runs = activity.recent_runs(places, load=_load_run)
    st.session_state[_SEEN] = _changing(places, schema, runs)
    _look_again(places, schema)
    sections.show_status(runs, _arrived(places, schema))
    filters = _filters(places, schema)
    tables = {"sales": _answer(_sales, places, schema, filters), "quality": _answer(_quality, places, schema, filters)}
    sections.show_key_figures(tables["sales"], tables["quality"])
    sales, quality, pipeline, history = st.tabs(_TABS, key="tab", on_change="rerun")
    with sales:
        if sales.open:
            sections.show_sales(tables["sales"])
    with quality:
        if quality.open:
            sections.show_quality(tables["quality"])
    with pipeline:
        if pipeline.open:
            own = [run for run in runs if _schema(run, schema) == schema]
            sections.show_pipeline(own, _events(activity.counts_of, places, schema, own), _usage(places, own))
    with history:
        if history.open:
            run = sections.choose_run(runs)
            chosen = [run] if run else []
            events = _events(activity.events_of, places, schema, chosen)
            sections.show_runs(runs, run, events, partial(_usage, places, chosen))


@st.fragment(run_every=LOOK_EVERY)
def _look_again(places: Places, schema: str) -> None:
    """Draw the whole page again once something that it shows has changed; else draw nothing."""
    runs = activity.recent_runs(places, load=_load_run)
    if _changing(places, schema, runs) != st.session_state.get(_SEEN):
        st.rerun()


def _changing(places: Places, schema: str, runs: list[Run]) -> tuple[Any, ...]:
    return (activity.changed(places, schema, runs=runs), tuple(schemas(places)))


def _filters(places: Places, schema: str) -> Filters:
    folder = schema_folder(places, schema)
    try:
        return sidebar.choose_filters(_choices(str(folder), stamps(folder, SALES)))
    except LakeprepError:
        # The part that needs the table says what is wrong with it.
        return Filters()


def _answer(read: Any, places: Places, schema: str, filters: Filters) -> dict[str, pd.DataFrame] | LakeprepError:
    folder = schema_folder(places, schema)
    try:
        return read(str(folder), stamps(folder, (*SALES, *QUALITY)), filters)
    except LakeprepError as error:
        return error


@st.cache_data(show_spinner=False, max_entries=500)
def _load_run(folder: str, written: tuple[int, int]) -> Run:
    return activity.read_run(folder, written)


@st.cache_resource(show_spinner=False, max_entries=8)
def _opened(folder: str, seen: Stamps, names: tuple[str, ...]) -> Lakehouse:
    del seen  # a table that has changed is opened anew
    return open_tables(Path(folder), {name: name for name in names})


@st.cache_data(show_spinner=False, max_entries=8)
def _choices(folder: str, seen: Stamps) -> pd.DataFrame:
    return _opened(folder, seen, SALES).ask(queries.CHOICES)


@st.cache_data(show_spinner=False, max_entries=64)
def _sales(folder: str, seen: Stamps, filters: Filters) -> dict[str, pd.DataFrame]:
    return _opened(folder, seen[: len(SALES)], SALES).answers(queries.of_sales(filters))


@st.cache_data(show_spinner=False, max_entries=64)
def _quality(folder: str, seen: Stamps, filters: Filters) -> dict[str, pd.DataFrame]:
    return _opened(folder, seen[len(SALES) :], QUALITY).answers(queries.of_quality(filters))


def _events(read: Any, places: Places, schema: str, runs: list[Run]) -> pd.DataFrame | LakeprepError:
    updates = tuple(update for run in runs for update in activity.updates_of(run))
    try:
        return read(places, _schema(runs[0], schema) if runs else schema, updates)
    except LakeprepError as error:
        return error


def _usage(places: Places, runs: list[Run]) -> list[Sample]:
    """What the server used while the runs went on, or go on."""
    if not runs:
        return []
    last = max(run.end_time or time.time_ns() // 1_000_000 for run in runs)
    return read_usage(places, start_ms=min(run.start_time for run in runs), end_ms=last)


def _arrived(places: Places, schema: str) -> activity.Arrived | None:
    try:
        return activity.arrived(places, schema)
    except LakeprepError:
        return None


def _schema(run: Run, default: str) -> str:
    return run.job_parameters.get("schema", default)
