"""The pipeline over all 1.47 million transactions, against hand-written Structured Streaming that does the same.

    .venv/bin/python tests/benchmarks/pipeline_overhead.py [--data FOLDER] [--rounds 5]

Both sides read the same files through the same Auto Loader options (rescued column included), count the same
expectations, drop the same rows and write the same two Delta tables; they take turns in one process on one warm server.
Printed: seconds of each round, the medians, and the ratio. `--data` is a folder that `datasets/build.py --full` made.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from pyspark.sql import functions as F  # noqa: E402

from helpers import autoloader  # noqa: E402
from helpers.pipelines.notebook import notebook_pipeline  # noqa: E402
from helpers.runtime import Places, attach, detach, stop_server  # noqa: E402

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
    files = autoloader.stream_files(
        spark,
        f"{data}/transactions",
        format="json",
        schema=None,
        schema_location=checkpoints / "schema",
        options=autoloader.read_files_options({"schemaHints": HINTS}),
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


def measure(spark: Any, places: Places, data: Path, rounds: int) -> None:
    sides: dict[str, Callable[..., None]] = {"pipeline": by_pipeline, "by hand": by_hand}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(-1, rounds):  # the first round warms the server and is not counted
        for name, run in sides.items():
            schema = f"bench_{name.replace(' ', '_')}_{number + 1}"
            started = time.perf_counter()
            run(spark, places, data, schema)
            taken = time.perf_counter() - started
            if number >= 0:
                seconds[name].append(taken)
            counted = {table: spark.table(f"{schema}.{table}").count() for table in ("bronze", "silver")}
            print(f"round {number + 1} {name:9} {taken:7.2f} s  {counted}", flush=True)
            spark.sql(f"DROP SCHEMA {schema} CASCADE")
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print("medians:", ", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    print(f"pipeline / by hand: {medians['pipeline'] / medians['by hand']:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = asked.data or Path(folder) / "data"
        if not data.exists():
            subprocess.run([sys.executable, ROOT / "datasets" / "build.py", "--full", data], check=True)
        places = Places(Path(folder) / "home")
        spark = attach(places)
        try:
            measure(spark, places, data, asked.rounds)
        finally:
            detach(spark)
            stop_server(places)


if __name__ == "__main__":
    main()
