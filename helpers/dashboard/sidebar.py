"""What a reader chooses: the schema, where there are several, and the filters that every figure about sales obeys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from helpers.charts.revenue import PRICE_TIERS
from helpers.charts.texts import plain
from helpers.dashboard.filters import Filters

_ROUND = "round"


def choose_schema(found: Sequence[str]) -> str:
    """Return the schema to show; one is not asked about."""
    if len(found) == 1:
        return found[0]
    return str(st.sidebar.selectbox("Schema", found, key="schema", on_change=_begin_anew))


def choose_filters(choices: pd.DataFrame) -> Filters:
    """Show the filters for the departments, categories, tiers and days that there are, and return what is chosen."""
    if choices.empty:
        return Filters()
    with st.sidebar:
        st.subheader("Filters", anchor=False)
        # Above them: a field that is left becomes smaller, and would take a button below it away from under the mouse.
        top = st.container()
        days = _days(choices)
        departments = _several("Department", choices["department"])
        within = choices[choices["department"].isin(departments)] if departments else choices
        categories = _several("Category", within["category"])
        tiers = _several("Price tier", choices["price_tier"], order=PRICE_TIERS)
        chosen = any((days, departments, categories, tiers))
        top.button("Show everything", on_click=_begin_anew, width="stretch", disabled=not chosen)
        st.caption(
            "Empty means all. Sales count on their day in the shops' time, quality on the day of the file. "
            "The filters are about Sales and Quality; Pipeline and Runs show everything."
        )
    first, last = (*days, None, None)[:2]
    return Filters(first, last, departments, categories, tiers)


def _days(choices: pd.DataFrame) -> tuple:
    """Return no day, a first one, or a first and a last one."""
    first, last = choices["first_day"].min(), choices["last_day"].max()
    key = _key("Days")
    st.session_state.setdefault(key, ())
    _keep(key, tuple(min(max(day, first), last) for day in st.session_state[key]))
    return tuple(st.date_input("Days", min_value=first, max_value=last, key=key, format="YYYY-MM-DD"))


def _several(name: str, found: pd.Series, *, order: Sequence[str] = ()) -> tuple[str, ...]:
    options = sorted(found.dropna().unique(), key=lambda one: (order.index(one) if one in order else len(order), one))
    key = _key(name)
    # What was chosen may be gone: another department was chosen, or the table was made again.
    _keep(key, [one for one in st.session_state.get(key, ()) if one in options])
    return tuple(st.multiselect(name, options, key=key, format_func=plain, placeholder="All"))


def _keep(key: str, value: Any) -> None:
    """Set a choice only where it differs: setting it overwrites what the reader chooses at this moment."""
    if st.session_state.get(key) and st.session_state[key] != value:
        st.session_state[key] = value


def _key(name: str) -> str:
    return f"{name}, {st.session_state.get(_ROUND, 0)}"


def _begin_anew() -> None:
    """Give every filter a new key: one that is only emptied gets its old choice back from a browser that is behind."""
    st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1
