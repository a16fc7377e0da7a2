"""A headless Chromium without a network, and a report of sample data that it opens."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from helpers import charts
from tests.unit.charts_samples import every_chart

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)> & “Söhne” $5 or $6"
START = 1_483_574_400_000
#: The charts that the job's own report does not have.
MORE = ("exam_objectives", "expectation_failures", "job_graph", "quarantined_rows", "run_durations", "server_usage",
        "shuffle_and_spill", "task_matrix")  # fmt: skip


@dataclass(frozen=True)
class SampleReport:
    """A written report and how many figures it has."""

    path: Path
    figures: int


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium; where it is missing these tests are skipped, but not in CI."""
    if not CHROMIUM.exists() and not os.environ.get("CI"):
        pytest.skip(f"{CHROMIUM} is missing: install Debian's chromium to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    """A report with every chart, made from sample data with a hostile name in each kind of place."""
    sections = (
        charts.Section("Business", _business(), "What the store sold in the days that have arrived."),
        charts.Section("Quality", _quality(), "What the pipeline let through, dropped and flagged."),
        charts.Section("Run", (charts.job_timeline(sample_run()), charts.pipeline_graph(sample_update()))),
        charts.Section("More", tuple(chart for name, chart in every_chart().items() if name in MORE)),
    )
    facts = (
        ("Revenue", "$53,184.27"),
        ("Baskets", "2,118"),
        ("Records valid", "98.7 %"),
        ("Days", "7"),
        ("Rows dropped", "214"),
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    generated = datetime(2026, 11, 23, 16, 40, tzinfo=UTC)
    charts.write_report(path, charts=sections, title="Retail analytics", facts=facts, generated=generated)
    return SampleReport(path, sum(len(section.charts) for section in sections))


def _business() -> tuple[charts.Chart, ...]:
    departments = ["GROCERY", "DRUG GM", "PRODUCE", "MEAT", "DELI", "PASTRY", "NUTRITION", "SEAFOOD-PACKAGED", HOSTILE]
    categories = [
        "SOFT DRINKS",
        "BEEF",
        "FLUID MILK PRODUCTS",
        "CHEESE",
        "FRZN MEAT/MEAT DINNERS",
        "BAG SNACKS",
        "BAKED BREAD/BUNS/ROLLS",
        "FROZEN PIZZA",
        "LUNCHMEAT",
        "BEERS/ALES",
        "TROPICAL FRUIT",
        "COLD CEREAL",
        "ICE CREAM/MILK/SHERBTS",
        "EGGS",
        "MISC",
        "VEGETABLES - SHELF STABLE AND A NAME THAT GOES ON",
        None,
    ]
    cents = [Decimal(2_184_317 // (index + 1)) / 100 for index in range(len(categories))]
    days = pd.date_range("2017-01-01", periods=7)
    hours = list(range(6, 24))
    busy = [90 + 8200 * max(0, 1 - abs(hour - 17) / 9) for hour in hours]
    return (
        charts.revenue_by_day(
            _frame(
                day=[day.date() for day in days],
                baskets=[310, 290, 280, 301, 322, 402, 388],
                quantity=[900] * 7,
                revenue=[
                    Decimal(x) for x in ("7010.11", "6544.90", "6210.45", "7422.02", "7611.70", "9388.44", "8996.65")
                ],
            )
        ),
        charts.revenue_by_department(
            _frame(department=departments, revenue=cents[:9], baskets=[9] * 9, products=[5] * 9, quantity=[7] * 9)
        ),
        charts.revenue_by_category(
            _frame(
                department=["GROCERY"] * len(categories),
                category=categories,
                revenue=cents,
                quantity=[3] * len(categories),
            )
        ),
        charts.revenue_by_hour(
            _frame(
                hour=hours,
                revenue=[Decimal(f"{value:.2f}") for value in busy],
                products=[int(80 + value / 5) for value in busy],
                baskets=[12] * len(hours),
            )
        ),
        charts.revenue_by_price_tier(
            _frame(
                price_tier=["premium", "budget", "standard"],
                quantity=[800, 5200, 3100],
                revenue=[Decimal("15210.10"), Decimal("12040.31"), Decimal("25933.86")],
                products=[910, 3022, 2840],
            )
        ),
    )


def _quality() -> tuple[charts.Chart, ...]:
    records = [120, 3044, 877, 410, 15, 209, 4121, 330, 990, 87, 1200, 640, 71, 300]
    shares = [0.91, 0.9987, 0.9852, 0.9634, 0.8, 1.0, 0.999, 0.972, 1.0, 0.943, 0.989, 0.99, 1.0, 1.0]
    names = [
        HOSTILE,
        "SOFT DRINKS",
        "BEEF",
        "CHEESE",
        "(CORP USE ONLY)",
        "EGGS",
        "MILK",
        "DELI MEATS",
        "BREAD",
        "COUPON/MISC ITEMS",
        "FROZEN PIZZA",
        "LUNCHMEAT",
        "TEA",
        "COFFEE",
    ]
    quality = _frame(
        department=["GROCERY"] * 14,
        category=names,
        records=records,
        valid_share=shares,
        valid_records=[round(a * b) for a, b in zip(records, shares, strict=True)],
    )
    update = sample_update()
    return charts.quality_by_category(quality), charts.expectations(update), charts.rows_between_layers(update)


def sample_run() -> dict[str, Any]:
    """The five-task job: one retry, one failure, and a task that could not run after it."""
    return {
        "run_id": 7,
        "run_name": "DLT-Pipeline-Retail-Analytics",
        "start_time": START,
        "end_time": START + 74_000,
        "state": {"life_cycle_state": "TERMINATED", "result_state": "FAILED"},
        "tasks": [
            _task("setup_environment", 0, START + 1_000, START + 9_500, "SUCCESS"),
            _task("bronze_ingestion", 0, START + 9_800, START + 21_000, "FAILED", "setup_environment"),
            _task("bronze_ingestion", 1, START + 27_000, START + 44_000, "SUCCESS", "setup_environment"),
            _task("silver_transformation", 0, START + 44_300, START + 61_000, "SUCCESS", "bronze_ingestion"),
            _task("gold_aggregation", 0, START + 61_400, START + 74_000, "TIMEDOUT", "silver_transformation"),
            _task("create_dashboard", 0, None, START + 74_000, "UPSTREAM_FAILED", "gold_aggregation"),
        ],
    }


def sample_update() -> dict[str, Any]:
    """A finished update of twelve datasets in every state that a finished one can hold."""
    dropped = [_expectation("valid_quantity", 30_188, 212, "drop"), _expectation("known_household", 30_400, 0, "warn")]
    silver = ("silver_transactions", "silver_products")
    return {
        "pipeline_name": "retail",
        "update_id": "u",
        "state": "FAILED",
        "started_ms": START,
        "ended_ms": START + 60_000,
        "error": None,
        "datasets": [
            _dataset("bronze_transactions", "STREAMING_TABLE", (), 30_412, 30_412),
            _dataset("bronze_products", "STREAMING_TABLE", (), 9_233, 9_233),
            _dataset("bronze_households", "STREAMING_TABLE", (), 801, 801),
            _dataset(
                "silver_transactions",
                "STREAMING_TABLE",
                ("bronze_transactions", "silver_products"),
                30_412,
                30_200,
                212,
                dropped,
            ),
            _dataset(
                "silver_products",
                "STREAMING_TABLE",
                ("bronze_products",),
                9_233,
                9_231,
                2,
                [_expectation("has_category", 9_179, 54, "warn"), _expectation(HOSTILE, 9_231, 2, "drop")],
            ),
            _dataset("silver_households", "MATERIALIZED_VIEW", ("bronze_households",), 801, 799),
            _dataset("gold_revenue_by_department", "MATERIALIZED_VIEW", silver, 30_200, 9),
            _dataset("gold_revenue_by_category", "MATERIALIZED_VIEW", silver, 30_200, 302),
            _dataset("gold_revenue_by_price_tier", "MATERIALIZED_VIEW", silver, 30_200, 3),
            _dataset("gold_revenue_by_day", "MATERIALIZED_VIEW", silver[:1], 30_200, 7),
            _dataset("gold_revenue_by_hour", "MATERIALIZED_VIEW", silver[:1], 30_200, 18)
            | {
                "status": "FAILED",
                "num_output_rows": None,
                "rows_read": None,
                "error": "DIVIDE_BY_ZERO: Division by zero",
            },
            _dataset(
                "gold_quality_by_category", "MATERIALIZED_VIEW", ("bronze_transactions", "silver_products"), 39_643, 302
            ),
        ],
    }


def _frame(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(columns)


def _task(
    key: str, attempt: int, start: int | None, end: int, result: str, upstream: str | None = None
) -> dict[str, Any]:
    return {
        "task_key": key,
        "attempt_number": attempt,
        "depends_on": [upstream] if upstream else [],
        "start_time": start,
        "end_time": end,
        "state": {"life_cycle_state": "TERMINATED", "result_state": result},
    }


def _expectation(name: str, passed: int, failed: int, action: str) -> dict[str, Any]:
    return {"name": name, "dataset": "", "passed_records": passed, "failed_records": failed, "action": action}


def _dataset(
    name: str,
    kind: str,
    inputs: tuple[str, ...],
    read: int,
    written: int,
    dropped: int = 0,
    found: list[Any] | None = None,
) -> dict[str, Any]:
    expectations = [{**one, "dataset": name} for one in found or []]
    return {
        "name": name,
        "kind": kind,
        "inputs": list(inputs),
        "status": "COMPLETED",
        "rows_read": read,
        "num_output_rows": written,
        "dropped_records": dropped,
        "expectations": expectations,
        "seconds": 3.2,
        "error": None,
        "layer": None,
    }
