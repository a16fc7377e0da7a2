"""What each update of a pipeline counted for each expectation, from the rows of its event log."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from helpers.charts.inputs import ChartInputError
from helpers.charts.texts import plain

_NEEDED = ("event_type", "timestamp", "details")
_STOPPED_BY = re.compile(r"Violated expectations: '(.*?)'\. ")

Rule = tuple[str, str]  # dataset, expectation


@dataclass
class Update:
    """What one update counted, as (passed, failed) by rule, and the expectations that stopped it."""

    started: pd.Timestamp
    counts: dict[Rule, tuple[int, int]] = field(default_factory=dict)
    stopped_by: list[str] = field(default_factory=list)


def updates_of(events: pd.DataFrame) -> list[Update]:
    """Return the updates that counted records or were stopped by an expectation, oldest first.

    Raises `ChartInputError` for a missing column.
    """
    if events.empty:
        return []
    missing = [name for name in _NEEDED if name not in events.columns]
    missing += [] if {"origin", "update_id"} & set(events.columns) else ["origin or update_id"]
    if missing:
        raise ChartInputError(f"The event log's rows have no column {', '.join(missing)}. Select it and draw again.")
    rows = events.drop_duplicates("id") if "id" in events.columns else events
    updates: dict[str, Update] = {}
    for row in rows.to_dict("records"):
        started = pd.to_datetime(row["timestamp"], utc=True)
        update = updates.setdefault(_update_id(row), Update(started))
        update.started = min(update.started, started)
        if row["event_type"] == "flow_progress":
            _count(update, row["details"])
            _note_stop(update, row.get("error"))
    told = [update for update in updates.values() if update.counts or update.stopped_by]
    return sorted(told, key=lambda update: update.started)


def _update_id(row: Mapping[str, Any]) -> str:
    return str(row["update_id"] if "update_id" in row else row["origin"]["update_id"])


def _count(update: Update, details: Any) -> None:
    """Add what one event says; a stream tells its counts micro-batch by micro-batch."""
    progress = json.loads(details).get("flow_progress") if isinstance(details, str) else None
    for one in ((progress or {}).get("data_quality") or {}).get("expectations") or []:
        rule = (plain(one.get("dataset")), plain(one.get("name")))
        passed, failed = update.counts.get(rule, (0, 0))
        update.counts[rule] = (passed + (one.get("passed_records") or 0), failed + (one.get("failed_records") or 0))


def _note_stop(update: Update, error: Any) -> None:
    if error is None or isinstance(error, float):  # pandas writes NaN for nothing
        return
    for one in [] if error["exceptions"] is None else error["exceptions"]:
        names = [name for found in _STOPPED_BY.findall(str(one["message"])) for name in found.split("', '")]
        update.stopped_by += [name for name in dict.fromkeys(names) if name not in update.stopped_by]
