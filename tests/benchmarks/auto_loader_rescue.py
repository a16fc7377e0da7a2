"""Auto Loader JSON with a rescued data column into Delta, against Spark's own typed JSON reader into Delta.

    .venv/bin/python tests/benchmarks/auto_loader_rescue.py [--rows 1000000] [--files 10] [--rounds 5]

The sides take turns in one process on one warm server, each time with a new checkpoint and a new table:

- "native": `readStream.format("json")` with the whole schema written out, which skips what it does not understand;
- "auto loader": `cloudFiles` with `inferColumnTypes`, its default evolution mode and a schema location that knows the
  files' schema already, as in every run but the first;
- "first run": the same with an empty schema location, so that the schema is inferred from all files before;
- "strays": the same as "auto loader" in the mode "rescue", over files in which one row in a thousand has a field that
  the schema does not have. Its ratio is to "native strays": Spark's reader over those files.

One row in a thousand has a text where a number belongs; what was rescued is counted. Printed: seconds of each round,
the medians, and the ratios.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pyspark.sql import functions as F  # noqa: E402

from helpers.runtime import Places, attach, detach, stop_server  # noqa: E402

SCHEMA = (
    "basket_id BIGINT, coupon_upc STRING, household_id BIGINT, product_id BIGINT, quantity BIGINT, retail_disc DOUBLE, "
    "sales_value DOUBLE, store_id BIGINT, transaction_timestamp STRING, week BIGINT"
)
ODD_EVERY = 1000
DATABASE = "bench_rescue"


def receipts(rows: int, *, strays: bool) -> Iterator[str]:
    """Lines like those of the retail data; of every thousand one is mistyped, and with `strays` one has a new field."""
    rng, opened = random.Random(8451), datetime(2017, 1, 1)
    for number in range(rows):
        row: dict[str, Any] = {
            "household_id": rng.randint(1, 2500),
            "store_id": rng.randint(1, 600),
            "basket_id": 31_198_459_044 + number // 9,
            "product_id": rng.randint(25_000, 18_000_000),
            "quantity": rng.randint(1, 5),
            "sales_value": round(rng.uniform(0.2, 30), 2),
            "retail_disc": round(rng.uniform(0, 3), 2),
            "week": 1 + number * 52 // rows,
            "transaction_timestamp": f"{(opened + timedelta(seconds=31 * number)).isoformat()}Z",
            "coupon_upc": None if number % 40 else str(rng.randint(10**10, 10**11)),
        }
        if number % ODD_EVERY == 500:
            row["quantity"] = "two"
        if strays and number % ODD_EVERY == 700:
            row["cashier"] = rng.randint(1, 90)
        yield json.dumps(row, separators=(",", ":"))


def land(folder: Path, rows: int, files: int, *, strays: bool) -> Path:
    """The rows in so many files of one folder."""
    folder.mkdir(parents=True)
    lines = receipts(rows, strays=strays)
    for number in range(files):
        count = rows * (number + 1) // files - rows * number // files
        text = "".join(f"{next(lines)}\n" for _ in range(count))
        (folder / f"day-{number:04}.json").write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Bench:
    """One session, and the folder in which each run has one of its own."""

    spark: Any
    folder: Path

    def native(self, files: Path, run: Path) -> Any:
        return self.spark.readStream.format("json").schema(SCHEMA).option("maxFilesPerTrigger", 1000).load(str(files))

    def known(self, files: Path, run: Path, *, mode: str = "addNewColumns") -> Any:
        """Auto Loader with the schema that "auto loader" left when it warmed up."""
        return self._cloud_files(files, self.folder / "schema", mode)

    def strays(self, files: Path, run: Path) -> Any:
        return self.known(files, run, mode="rescue")

    def first(self, files: Path, run: Path) -> Any:
        return self._cloud_files(files, run / "schema", "addNewColumns")

    def _cloud_files(self, files: Path, location: Path, mode: str) -> Any:
        reader = self.spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
        reader = reader.option("cloudFiles.schemaLocation", str(location)).option("cloudFiles.inferColumnTypes", "true")
        reader = reader.option("cloudFiles.schemaHints", "quantity BIGINT")
        return reader.option("cloudFiles.schemaEvolutionMode", mode).load(str(files))

    def timed(self, read: Callable[[Path, Path], Any], files: Path, run: Path) -> tuple[float, str]:
        """Seconds from the reader to the last commit, and what is in the table afterwards."""
        table = f"{DATABASE}.t"
        started = time.perf_counter()
        writer = read(files, run).writeStream.option("checkpointLocation", str(run / "checkpoint"))
        writer.trigger(availableNow=True).toTable(table).awaitTermination()
        taken = time.perf_counter() - started
        written = self.spark.table(table)
        rescued = F.count("_rescued_data") if "_rescued_data" in written.columns else F.lit(0)
        counts = written.agg(F.count(F.lit(1)).alias("rows"), rescued.alias("rescued")).collect()[0]
        self.spark.sql(f"DROP TABLE {table}")
        return taken, f"{counts.rows} rows, {counts.rescued} rescued"


def measure(bench: Bench, plain: Path, strays: Path, rounds: int) -> None:
    sides = {
        "native": (bench.native, plain),
        "auto loader": (bench.known, plain),
        "first run": (bench.first, plain),
        "native strays": (bench.native, strays),
        "strays": (bench.strays, strays),
    }
    bench.spark.sql(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):  # the first round warms the server and is not counted
        for name, (read, files) in sides.items():
            run = bench.folder / f"{name.replace(' ', '_')}_{number}"
            taken, found = bench.timed(read, files, run)
            if number:
                seconds[name].append(taken)
            print(f"round {number} {name:13} {taken:6.2f} s  {found}", flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print("medians:", ", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    for name, base in (("auto loader", "native"), ("first run", "native"), ("strays", "native strays")):
        print(f"{name} / {base}: {medians[name] / medians[base]:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain = land(folder / "plain", asked.rows, asked.files, strays=False)
        strays = land(folder / "strays", asked.rows, asked.files, strays=True)
        places = Places(folder / "home")
        spark = attach(places)
        try:
            measure(Bench(spark, folder / "runs"), plain, strays, asked.rounds)
        finally:
            detach(spark)
            stop_server(places)


if __name__ == "__main__":
    main()
