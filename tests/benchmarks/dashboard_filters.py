"""A filter change on the dashboard: the page's queries by deltalake, beside the same ones by a warm Spark server.

python3 -m helpers run --full-data
.venv/bin/python tests/benchmarks/dashboard_filters.py [FOLDER OF THE SCHEMA]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from helpers.dashboard import queries  # noqa: E402
from helpers.dashboard.filters import Filters  # noqa: E402
from helpers.dashboard.lakehouse import QUALITY, SALES, open_tables, schema_folder  # noqa: E402
from helpers.runtime import Places, attach, detach  # noqa: E402

LIMIT = 0.25
TABLES = (*SALES, *QUALITY)
CHOICES = (
    Filters(),
    Filters(date(2017, 3, 1), date(2017, 6, 30)),
    Filters(departments=("GROCERY", "DRUG GM")),
    Filters(date(2017, 11, 1), date(2017, 12, 31), ("PRODUCE",)),
    Filters(categories=("BEEF", "SOFT DRINKS", "CHEESE")),
    Filters(tiers=("budget", "premium")),
    Filters(date(2017, 5, 5), date(2017, 5, 5)),
)


def main(folder: Path | None) -> None:
    places = Places.from_environment()
    folder = folder or schema_folder(places, "retail_full")
    lakehouse = open_tables(folder, {name: name for name in TABLES})
    rows = lakehouse.ask("SELECT count(*) AS n FROM silver_sales")["n"][0]
    session = attach(places)
    try:
        for name in TABLES:
            session.read.format("delta").load(str(folder / name)).createOrReplaceTempView(name)
        mine, spark = seconds(lakehouse.ask, lambda sql: session.sql(as_spark(sql)).toPandas())
    finally:
        detach(session)
    ratio = statistics.median(mine) / statistics.median(spark)
    medians = f"deltalake {statistics.median(mine):.3f} s, Spark {statistics.median(spark):.3f} s"
    print(f"{rows:,} sales; medians: {medians}, ratio {ratio:.3f} (limit {LIMIT})")


def seconds(*sides: Callable[[str], Any]) -> list[list[float]]:
    """How long each side's answers take under each choice: the median of three, in turn, after one page to warm up."""
    for ask in sides:
        page(ask, CHOICES[0])
    medians = []
    for filters in CHOICES:
        rounds = [[timed(ask, filters) for ask in sides] for _ in range(3)]
        medians.append([statistics.median(times) for times in zip(*rounds, strict=True)])
        one, other = medians[-1]
        print(f"{one * 1000:6.0f} ms  {other * 1000:6.0f} ms  {one / other:.3f}  {filters}", flush=True)
    return [list(times) for times in zip(*medians, strict=True)]


def timed(ask: Callable[[str], Any], filters: Filters) -> float:
    started = time.perf_counter()
    page(ask, filters)
    return time.perf_counter() - started


def page(ask: Callable[[str], Any], filters: Filters) -> None:
    every: Iterable[str] = (*queries.of_sales(filters).values(), *queries.of_quality(filters).values())
    for sql in every:
        ask(sql)


def as_spark(sql: str) -> str:
    """The two functions that have another name there."""
    return sql.replace("unnest(", "explode(").replace("array_to_string(", "array_join(")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
