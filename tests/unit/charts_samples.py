"""One example of every chart, from a run with a retry, an update with failures and a few rows of each table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pandas as pd

from helpers import charts
from helpers.catalogue import ObjectiveStanding
from helpers.charts.inputs import COLUMNS
from helpers.charts.theme import ThemeName
from helpers.dashboard.figures import broken_rules, revenue_share
from helpers.exam import Section
from tests.unit.charts_fakes import START, run, task

RUN = run(
    task("setup", 0, 0, 10, "SUCCESS", run_id=1),
    task("load", 0, 12, 30, "FAILED", "setup", run_id=2),
    task("load", 1, 35, 60, "SUCCESS", "setup", run_id=3),
    job_id=1,
    run_id=7,
)
EXPECTATION = {"name": "known", "dataset": "silver", "passed_records": 90, "failed_records": 10, "action": "drop"}
UPDATE: dict[str, Any] = {
    "pipeline_name": "retail",
    "update_id": "u",
    "state": "COMPLETED",
    "started_ms": START,
    "ended_ms": START + 60_000,
    "error": None,
    "datasets": [
        {"name": "bronze", "kind": "STREAMING_TABLE", "inputs": [], "status": "COMPLETED", "rows_read": 100,
         "num_output_rows": 100, "dropped_records": 0, "expectations": []},
        {"name": "silver", "kind": "STREAMING_TABLE", "inputs": ["bronze"], "status": "COMPLETED", "rows_read": 100,
         "num_output_rows": 90, "dropped_records": 10, "expectations": [EXPECTATION]},
    ],
}  # fmt: skip
EVENT = {
    "event_type": "flow_progress",
    "timestamp": datetime(2026, 11, 24, 3, 4, tzinfo=UTC),
    "update_id": "u",
    "details": json.dumps({"flow_progress": {"data_quality": {"expectations": [EXPECTATION]}}}),
}
GIB = 1024**3
USAGE = [
    {"time": START + second * 1000, "cpu": 1.2, "memory": GIB, "cores": 2, "total": 8 * GIB, "shuffle_written": 2**21,
     "shuffle_read": 2**21, "spilled": 2**20}
    for second in (4, 6, 8)
]  # fmt: skip
SECTION = Section(2, "Development and Ingestion", 30, 14, ())
STANDING = ObjectiveStanding("2.1", "Use Auto Loader", SECTION, 0, 0, 1, 4, 0.25, "05_auto_loader")


def gold(table: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    """Return rows of a gold table."""
    return pd.DataFrame(rows, columns=list(COLUMNS[table]))


def every_chart(theme: ThemeName = "light") -> Mapping[str, charts.Chart]:
    """Draw each chart that there is, the dashboard's own two included, by the name of its function."""
    price, shares = Decimal("12.50"), ("GROCERY", "MILK", 100, 91, 0.91)
    departments = gold("gold_revenue_by_department", ("GROCERY", price, 5, 9, 12), ("DRUG GM", price, 4, 3, 4))
    categories = gold("gold_revenue_by_category", ("GROCERY", "MILK", price, 12))
    days = gold("gold_revenue_by_day", ("2017-01-01", price, 5, 12), ("2017-01-02", price, 5, 12))
    hours = gold("gold_revenue_by_hour", (17, price, 9, 5))
    tiers = gold("gold_revenue_by_price_tier", ("budget", price, 12, 9))
    rows = pd.DataFrame({"basket_id": [1], "source_file": ["a.json"], "broken_rules": [["known"]]})
    return {
        "exam_objectives": charts.exam_objectives([STANDING], theme=theme),
        "expectation_failures": charts.expectation_failures(pd.DataFrame([EVENT]), theme=theme),
        "expectations": charts.expectations(UPDATE, theme=theme),
        "job_graph": charts.job_graph(RUN, theme=theme),
        "job_timeline": charts.job_timeline(RUN, theme=theme),
        "pipeline_graph": charts.pipeline_graph(UPDATE, theme=theme),
        "quality_by_category": charts.quality_by_category(gold("gold_quality_by_category", shares), theme=theme),
        "quarantined_rows": charts.quarantined_rows(rows, theme=theme),
        "revenue_by_category": charts.revenue_by_category(categories, theme=theme),
        "revenue_by_department": charts.revenue_by_department(departments, theme=theme),
        "rows_between_layers": charts.rows_between_layers(UPDATE, theme=theme),
        "run_durations": charts.run_durations([RUN], theme=theme),
        "server_usage": charts.server_usage(RUN, USAGE, theme=theme),
        "shuffle_and_spill": charts.shuffle_and_spill([UPDATE], USAGE, theme=theme),
        "revenue_by_day": charts.revenue_by_day(days, theme=theme),
        "revenue_by_hour": charts.revenue_by_hour(hours, theme=theme),
        "revenue_by_price_tier": charts.revenue_by_price_tier(tiers, theme=theme),
        "task_matrix": charts.task_matrix([RUN], theme=theme),
        "revenue_share": revenue_share(departments, theme=theme),
        "broken_rules": broken_rules(pd.DataFrame({"rule": ["known"], "records": [2]}), records=100, theme=theme),
    }
