"""An update that brings 10,000 new rows to tables of 10 million rows, beside the same on tables of 100,000.

    .venv/bin/python tests/benchmarks/cost_of_what_is_new.py [--rows 10000000] [--rounds 5]

A day is a JSON file of 10,000 rows. Each side has landed its days before (1,000 and 10 of them) and read them in one
update; then one more day arrives at each, and both update, in turns, on one warm server: Auto Loader with its rescued
column into `bronze`, and `silver` from it with an expectation that drops. A first round is not counted. Printed:
seconds, medians, and the ratio, which must be at most 2. With `--cdc` a third table takes the same rows as changes of
known keys, by AUTO CDC, and the seconds of each table are told: what it costs grows with the table, as a MERGE does.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.pipelines import UpdateReport  # noqa: E402
from helpers.pipelines.notebook import Pipeline, notebook_pipeline  # noqa: E402
from helpers.runtime import Places, attach, detach, stop_server  # noqa: E402

DAY = 10_000
SMALL = 100_000
LIMIT = 2.0
STREAMING = """
CREATE OR REFRESH STREAMING TABLE bronze
AS SELECT * FROM STREAM read_files('{landing}', format => 'json',
  schemaHints => 'id BIGINT, shop INT, amount DECIMAL(10,2), at TIMESTAMP');
CREATE OR REFRESH STREAMING TABLE silver (CONSTRAINT paid EXPECT (amount > 0) ON VIOLATION DROP ROW)
AS SELECT id, shop, amount, at FROM STREAM bronze;
"""
CDC = """
CREATE OR REFRESH STREAMING TABLE newest;
CREATE FLOW newest_changes AS AUTO CDC INTO newest FROM STREAM(silver) KEYS (id) SEQUENCE BY at;
"""


class Side:
    """One pipeline, with a landing folder of its own; ``days``: how many files have landed."""

    def __init__(self, spark: Any, places: Places, folder: Path, *, rows: int, cdc: bool) -> None:
        self.spark, self.rows, self.landing, self.days = spark, rows, folder / f"landing_{rows}", 0
        self.pipeline: Pipeline = notebook_pipeline(
            spark, "bench", schema=f"rows_{rows}", checkpoints=places.checkpoints, parameters={}
        )
        self.pipeline.sql((STREAMING + (CDC if cdc else "")).format(landing=self.landing))

    def arrive(self, days: int) -> None:
        """Write so many more files; a day's rows change keys all over the table."""
        first = self.days * DAY
        rows = self.spark.range(first, first + days * DAY, 1, days).selectExpr(
            f"id * 7919 % {self.rows} AS id", "CAST(id % 50 AS INT) AS shop",
            "CAST(id % 1000 / 10 AS DECIMAL(10,2)) AS amount",
            "timestamp_seconds(1700000000 + id) AS at",
        )  # fmt: skip
        rows.write.mode("append").json(str(self.landing))
        self.days += days

    def update(self) -> UpdateReport:
        report = self.pipeline.update()
        assert report.state == "COMPLETED", report.error
        return report

    def check(self) -> None:
        """Everything that landed was read once."""
        counted = {table: self.spark.table(f"rows_{self.rows}.{table}").count() for table in ("bronze", "silver")}
        assert counted == {"bronze": self.days * DAY, "silver": self.days * DAY * 999 // 1000}, counted


def measure(sides: list[Side], rounds: int) -> float:
    seconds: dict[int, list[float]] = {side.rows: [] for side in sides}
    for number in range(-1, rounds):  # the first round warms the server and is not counted
        sides.reverse()
        for side in sides:
            side.arrive(1)
            started = time.perf_counter()
            report = side.update()
            taken = time.perf_counter() - started
            parts = {each.name: each.seconds for each in report.datasets if each.kind != "SOURCE"}
            print(f"round {number + 1} {side.rows:>9,} rows {taken:6.2f} s  {parts}", flush=True)
            assert report.dataset("bronze").num_output_rows == DAY
            if number >= 0:
                seconds[side.rows].append(taken)
    for side in sides:
        side.check()
    medians = {rows: statistics.median(values) for rows, values in seconds.items()}
    print("medians:", ", ".join(f"{rows:,} rows {value:.2f} s" for rows, value in medians.items()))
    return medians[max(medians)] / medians[min(medians)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cdc", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        places = Places(Path(name) / "home")
        spark = attach(places)
        try:
            sides = [Side(spark, places, Path(name), rows=rows, cdc=asked.cdc) for rows in (SMALL, asked.rows)]
            for side in sides:
                started = time.perf_counter()
                side.arrive(side.rows // DAY)
                landed = time.perf_counter()
                side.update()
                filled = time.perf_counter() - landed
                print(f"{side.rows:,} rows landed in {landed - started:.1f} s, read in {filled:.1f} s", flush=True)
            ratio = measure(sides, asked.rounds)
            what = "with AUTO CDC" if asked.cdc else f"at most {LIMIT}"
            print(f"{asked.rows:,} rows / {SMALL:,} rows: {ratio:.3f} ({what})")
        finally:
            detach(spark)
            stop_server(places)
    sys.exit(0 if asked.cdc or ratio <= LIMIT else 1)


if __name__ == "__main__":
    main()
