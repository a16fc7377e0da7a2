"""A pipeline against hand-written Structured Streaming that does the same, over 100,000 and all 1.47 million rows.

    .venv/bin/python tests/benchmarks/pipeline_overhead.py [--data FOLDER] [--rounds 5] [--rows 100000 1500000]

Both sides read the same files through the same Auto Loader options (rescued column included), count the same
expectations, drop the same rows and write the same two Delta tables; they take turns in one process on one warm
server, and who comes first changes with each round. `--rows` are sizes, in rows of the first days. Printed for each
size: seconds of each round, the medians, and the ratio. `--data` is a folder that `datasets/build.py --full` made;
`--profile FILE` writes what cProfile says of one more update of the first size.
"""

from __future__ import annotations

import argparse
import cProfile
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pyspark.sql import functions as F  # noqa: E402

from helpers import autoloader  # noqa: E402
from helpers.pipelines.notebook import notebook_pipeline  # noqa: E402
from helpers.runtime import Places, attach, detach, stop_server  # noqa: E402

#: Rounds of each size that are not counted: for about as many both sides get quicker, while Java compiles.
WARMING = 8
HINTS = (
    "household_id BIGINT, store_id BIGINT, basket_id BIGINT, product_id BIGINT, quantity INT, "
    "sales_value DECIMAL(10,2), retail_disc DECIMAL(10,2), coupon_disc DECIMAL(10,2), "
    "coupon_match_disc DECIMAL(10,2), week INT, transaction_timestamp TIMESTAMP"
)
RULES = {
    "household_known": "household_id IS NOT NULL",
    "product_known": "product_id IS NOT NULL",
    "positive_quantity": "quantity IS NOT NULL AND quantity > 0",
    "sales_not_negative": "sales_value IS NOT NULL AND sales_value >= 0",
}
COLUMNS = ["household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp"]


def by_pipeline(spark: Any, places: Places, data: Path, schema: str) -> None:
    """Bronze and silver as a declarative pipeline."""
    pipeline = notebook_pipeline(spark, "bench", schema=schema, checkpoints=places.checkpoints, parameters={})
    drops = ", ".join(f"CONSTRAINT {name} EXPECT ({rule}) ON VIOLATION DROP ROW" for name, rule in RULES.items())
    pipeline.sql(f"""
        CREATE OR REFRESH STREAMING TABLE bronze (CONSTRAINT readable EXPECT (_rescued_data IS NULL))
        AS SELECT * FROM STREAM read_files('{data}/transactions', format => 'json', schemaHints => '{HINTS}');
        CREATE OR REFRESH STREAMING TABLE silver ({drops})
        AS SELECT {", ".join(COLUMNS)} FROM STREAM bronze""")
    report = pipeline.update()
    assert report.state == "COMPLETED", report.error


def by_hand(spark: Any, places: Places, data: Path, schema: str) -> None:
    """The same two tables as one would write them without pipelines."""
    spark.sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    checkpoints = places.checkpoints / schema
    files = autoloader.stream_read_files(
        spark,
        f"{data}/transactions",
        format="json",
        options={"schemaHints": HINTS, "schemaLocation": str(checkpoints / "schema")},
    )
    readable = F.col("_rescued_data").isNull()
    bronze = files.observe("rules", F.count(F.lit(1)).alias("rows"), F.count_if(~readable).alias("readable"))
    stream(bronze, checkpoints / "bronze", f"{schema}.bronze")
    met = {name: F.coalesce(F.expr(rule), F.lit(False)) for name, rule in RULES.items()}
    silver = spark.readStream.table(f"{schema}.bronze").select(*COLUMNS)
    silver = silver.observe(
        "rules", F.count(F.lit(1)).alias("rows"), *[F.count_if(~ok).alias(name) for name, ok in met.items()]
    )
    for ok in met.values():
        silver = silver.filter(ok)
    stream(silver, checkpoints / "silver", f"{schema}.silver")


def stream(frame: Any, checkpoint: Path, table: str) -> None:
    query = (
        frame.writeStream.option("checkpointLocation", str(checkpoint))
        .option("mergeSchema", "true")
        .trigger(availableNow=True)
        .toTable(table)
    )
    query.awaitTermination()
    assert query.recentProgress


def first_rows(data: Path, rows: int, folder: Path) -> Path:
    """A folder with the first so many rows, in files of a day each as they are; the last one may be cut."""
    (folder / "transactions").mkdir(parents=True)
    for path in sorted((data / "transactions").iterdir()):
        if rows <= 0:
            break
        with path.open(encoding="utf-8") as lines:
            taken = list(islice(lines, rows))
        (folder / "transactions" / path.name).write_text("".join(taken), encoding="utf-8")
        rows -= len(taken)
    return folder


def measure(spark: Any, places: Places, data: Path, rounds: int) -> None:
    sides: dict[str, Callable[..., None]] = {"pipeline": by_pipeline, "by hand": by_hand}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(1 - WARMING, rounds + 1):
        counts = set()
        for name in sorted(sides, reverse=number % 2 == 0):
            schema = f"bench_{name.replace(' ', '_')}_{number + WARMING}"
            started = time.perf_counter()
            sides[name](spark, places, data, schema)
            taken = time.perf_counter() - started
            if number > 0:
                seconds[name].append(taken)
            counted = tuple(spark.table(f"{schema}.{table}").count() for table in ("bronze", "silver"))
            print(f"round {number} {name:9} {taken:7.2f} s  rows of bronze, silver: {counted}", flush=True)
            counts.add(counted)
            clear(spark, places, schema)
        assert len(counts) == 1, "the two sides do not give the same tables"
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print("medians:", ", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    print(f"pipeline / by hand: {medians['pipeline'] / medians['by hand']:.3f}", flush=True)


def clear(spark: Any, places: Places, schema: str) -> None:
    spark.sql(f"DROP SCHEMA {schema} CASCADE")
    shutil.rmtree(places.checkpoints, ignore_errors=True)


def profile(spark: Any, places: Places, data: Path, target: Path) -> None:
    with cProfile.Profile() as found:
        by_pipeline(spark, places, data, "bench_profile")
    found.dump_stats(target)
    clear(spark, places, "bench_profile")


def run(places: Places, sizes: Sequence[Path], rounds: int, target: Path | None) -> None:
    spark = attach(places)
    try:
        for data in sizes:
            print(f"at most {data.name} rows", flush=True)
            measure(spark, places, data, rounds)
        if target is not None:
            profile(spark, places, sizes[0], target)
    finally:
        detach(spark)
        stop_server(places)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_500_000])
    parser.add_argument("--profile", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = asked.data or folder / "data"
        if not data.exists():
            subprocess.run([sys.executable, ROOT / "datasets" / "build.py", "--full", data], check=True)
        sizes = [first_rows(data, rows, folder / str(rows)) for rows in asked.rows]
        run(Places(folder / "home"), sizes, asked.rounds, asked.profile)


if __name__ == "__main__":
    main()
