"""A warm update of the retail pipeline after one more day's files, beside the same of open-source Spark's pipelines.

    .venv/bin/python tests/benchmarks/update_beside_sdp.py [--rounds 5]

Ours is the pipeline of solutions/retail_job as it stands. Theirs (SDP) has what it can run of it: the same tables and
queries, plain file streams with fixed schemas instead of Auto Loader, a filter instead of the drop rules, no other
expectations, no event log. Both run on one warm server over the same files and take turns at going first; two rounds
warm them and are not counted. Every round compares their gold tables. Printed: seconds, medians, and the ratio, which
must be at most 0.5.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from helpers.landing import data_files, land, landed_names, next_files  # noqa: E402
from helpers.pipelines import load_settings, run_update  # noqa: E402
from helpers.runtime import Places, attach, detach, stop_server  # noqa: E402
from tests.soak import sdp  # noqa: E402

DATA = ROOT / "datasets" / "retail"
JOB = ROOT / "solutions" / "retail_job"
#: Landed before anything is measured: a new column comes with the tenth day.
FIRST_DAYS = 11
LIMIT = 0.5
#: Rounds that are not counted: Java compiles what it has seen often.
WARMING = 2
BRONZE = """
from pyspark import pipelines as dp
from pyspark.sql import functions as F

TRANSACTIONS = (
    "household_id BIGINT, store_id BIGINT, basket_id BIGINT, product_id BIGINT, quantity INT, "
    "sales_value DECIMAL(10,2), retail_disc DECIMAL(10,2), coupon_disc DECIMAL(10,2), coupon_match_disc DECIMAL(10,2), "
    "week INT, transaction_timestamp TIMESTAMP, coupon_upc BIGINT, _rescued_data STRING")
PRODUCTS = (
    "product_id BIGINT, manufacturer_id BIGINT, department STRING, brand STRING, product_category STRING, "
    "product_type STRING, package_size STRING")
HOUSEHOLDS = (
    "operation STRING, sequence_number BIGINT, household_id BIGINT, age STRING, income STRING, home_ownership STRING, "
    "marital_status STRING, household_size STRING, household_comp STRING, kids_count STRING")


def files(folder, format, schema, **options):
    reader = spark.readStream.format(format).schema(schema).options(**options)
    return reader.load("{landing}/" + folder + "/*").select("*", F.col("_metadata.file_name").alias("source_file"))


@dp.table
def bronze_transactions():
    return files("transactions", "json", TRANSACTIONS)


@dp.table
def bronze_products():
    return files("products", "csv", PRODUCTS, header=True)


@dp.table
def bronze_households():
    return files("households", "json", HOUSEHOLDS)
"""


def their_sources(folder: Path, landing: Path) -> list[Path]:
    """The retail pipeline's files without what SDP refuses."""
    given = {path.name: path.read_text(encoding="utf-8") for path in (JOB / "pipeline").iterdir()}
    python = re.sub(r"@dp\.expect.*\n", "", given["silver_transactions.py"])
    python = python.replace("return transactions().select(", "return kept().select(")
    python = python.replace("@dp.table(comment", KEPT + "\n\n@dp.table(comment", 1)
    # Below a withColumn SDP looks for the table that is there already, and does not wait for its new rows.
    column = "F.array_compact(F.array(*broken))"
    assert f'.withColumn("broken_rules", {column})' in python
    python = python.replace(f'.withColumn("broken_rules", {column})', f'.select("*", {column}.alias("broken_rules"))')
    made = {"bronze.py": BRONZE.replace("{landing}", str(landing)), "silver_transactions.py": python}
    for name in ("silver.sql", "gold.sql"):
        text = given[name].replace("CREATE OR REFRESH", "CREATE")
        made[name] = re.sub(r" \(\n  CONSTRAINT.*?\n\)", "", text, flags=re.DOTALL)
    folder.mkdir()
    for name, text in made.items():
        assert "expect" not in text.lower()
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in made]


KEPT = """def kept():
    rows = transactions()
    for rule in RULES.values():
        rows = rows.filter(F.coalesce(F.expr(rule), F.lit(False)))
    return rows
"""


class Sides:
    """Both pipelines over one landing folder, in a schema of each."""

    def __init__(self, spark: Any, places: Places, folder: Path) -> None:
        self.spark, self.places, self.folder, self.landing = spark, places, folder, folder / "landing"
        self.landing.mkdir()
        self.sources = their_sources(folder / "sources", self.landing)
        for schema in ("ours", "theirs"):
            spark.sql(f"CREATE SCHEMA {schema}")

    def arrive(self) -> None:
        """The next day's files."""
        land(next_files(data_files(DATA), landed=landed_names(self.landing)), source=DATA, landing=self.landing)

    def ours(self) -> None:
        settings = load_settings(JOB / "pipeline.json", parameters={"schema": "ours", "landing": str(self.landing)})
        report = run_update(self.spark, settings, checkpoints=self.places.checkpoints)
        assert report.state == "COMPLETED", report.error

    def theirs(self) -> None:
        sdp.update(self.spark, self.sources, schema="theirs", storage=self.folder / "storage")

    def check_equal(self) -> None:
        """The gold tables, which stand on all others, must be the same."""
        for row in self.spark.sql("SHOW TABLES IN theirs LIKE 'gold_*'").collect():
            one, other = (self.spark.table(f"{schema}.{row.tableName}") for schema in ("ours", "theirs"))
            assert one.exceptAll(other).isEmpty(), row.tableName
            assert other.exceptAll(one).isEmpty(), row.tableName


def measure(sides: Sides, rounds: int) -> float:
    turns: list[tuple[str, Callable[[], None]]] = [("ours", sides.ours), ("SDP", sides.theirs)]
    seconds: dict[str, list[float]] = {name: [] for name, _ in turns}
    for number in range(1 - WARMING, rounds + 1):
        sides.arrive()
        turns.reverse()
        for name, run in turns:
            started = time.perf_counter()
            run()
            taken = time.perf_counter() - started
            print(f"round {number} {name:5} {taken:7.2f} s", flush=True)
            if number > 0:
                seconds[name].append(taken)
        sides.check_equal()
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print("medians:", ", ".join(f"{name} {value:.2f} s" for name, value in medians.items()))
    return medians["ours"] / medians["SDP"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        places = Places(Path(name) / "home")
        spark = attach(places)
        try:
            sides = Sides(spark, places, Path(name))
            for _ in range(FIRST_DAYS):
                sides.arrive()
            sides.ours()
            sides.theirs()
            sides.check_equal()
            ratio = measure(sides, asked.rounds)
            print(f"ours / SDP: {ratio:.3f} (at most {LIMIT})")
        finally:
            detach(spark)
            stop_server(places)
    sys.exit(0 if ratio <= LIMIT else 1)


if __name__ == "__main__":
    main()
