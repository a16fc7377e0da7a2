"""The same source files under open-source Spark's own pipelines and under ours: equal tables, update after update.

By hand: `.venv/bin/python -m pytest tests/soak/test_pipelines_beside_sdp.py`. Left out is what those of Spark 4.2 do
not do over Delta: clustering, AUTO CDC, and `distinct` in a Python function over a table that does not exist yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import Request, run_update
from helpers.pipelines.settings import PipelineSettings
from tests.soak import sdp

SQL = """
-- The order in the file does not matter: what this reads comes below, or from the other file.
CREATE MATERIALIZED VIEW per_city AS
SELECT city, count(*) AS orders, sum(doubled) AS doubled FROM priced GROUP BY city;

CREATE TEMPORARY VIEW priced AS SELECT *, amount * 2 AS doubled FROM orders WHERE amount IS NOT NULL;

CREATE STREAMING TABLE orders COMMENT 'as they came' TBLPROPERTIES ('quality' = 'bronze')
AS SELECT * FROM STREAM {source}.placed;

CREATE MATERIALIZED VIEW newest PARTITIONED BY (city)
AS SELECT * EXCEPT (amount), amount::STRING AS amount FROM orders
QUALIFY row_number() OVER (PARTITION BY city ORDER BY id DESC) = 1;

CREATE STREAMING TABLE known;
CREATE FLOW known_orders AS INSERT INTO known BY NAME SELECT id, 'order' AS origin FROM STREAM(orders);
CREATE FLOW known_returns AS INSERT INTO known BY NAME SELECT 'return' AS origin, order_id AS id FROM STREAM returns;
"""
PYTHON = """
from pyspark import pipelines as dp
from pyspark.sql import functions as F

@dp.temporary_view
def arriving():
    return spark.readStream.format("json").schema("order_id BIGINT, reason STRING").load("{landing}/*.json")

@dp.table(comment="files")
def returns():
    return spark.readStream.table("arriving").where("order_id IS NOT NULL")

dp.create_streaming_table("notes", schema="id BIGINT, note STRING")

@dp.append_flow(target="notes")
def dear_orders():
    return spark.readStream.table("orders").where("amount > 50").selectExpr("id", "'dear' AS note")

@dp.append_flow(target="notes", name="reasons")
def why():
    return spark.readStream.table("returns").select(F.col("order_id").alias("id"), F.upper("reason").alias("note"))

@dp.materialized_view(name="returned_by_city", table_properties={{"quality": "gold"}})
def by_city():
    returns = spark.read.table("returns").groupBy("order_id").count()
    return (spark.read.table("priced").join(returns, F.col("id") == F.col("order_id"), "left")
            .groupBy("city").agg(F.count("order_id").alias("returned"), F.avg("doubled").alias("mean")))
"""
TABLES = ("orders", "returns", "known", "notes", "newest", "per_city", "returned_by_city")
#: Spark's gives the columns of a table that several flows make in no order that is told.
SEVERAL_FLOWS = ("known",)


class Both:
    """One folder of sources and one source of rows, read by both engines into a schema of each."""

    def __init__(self, spark: Any, schema: str, folder: Path) -> None:
        self.spark, self.source, self.folder, self.landing = spark, schema, folder, folder / "landing"
        self.ours, self.theirs = f"{schema}_ours", f"{schema}_theirs"
        self.files = (folder / "tables.sql", folder / "more.py")
        for path, text in zip(self.files, (SQL, PYTHON), strict=True):
            path.write_text(text.format(source=schema, landing=self.landing))
        self.landing.mkdir()
        spark.sql(f"CREATE TABLE {schema}.placed (id BIGINT, city STRING, amount DECIMAL(10,2)) USING delta")
        for name in (self.ours, self.theirs):
            spark.sql(f"CREATE SCHEMA {name}")

    def arrive(self, *orders: tuple[int, str, float | None], **returns: tuple[int | None, str]) -> None:
        """New rows of the source table, and a file for each other argument."""
        values = ", ".join(f"({i}, '{city}', {'NULL' if paid is None else paid})" for i, city, paid in orders)
        self.spark.sql(f"INSERT INTO {self.source}.placed VALUES {values}")
        for name, (order, reason) in returns.items():
            (self.landing / f"{name}.json").write_text(json.dumps({"order_id": order, "reason": reason}) + "\n")

    def update(self, *, full_refresh: tuple[str, ...] = ()) -> None:
        """One update by each."""
        settings = PipelineSettings(name="differential", schema=self.ours, files=self.files)
        report = run_update(
            self.spark, settings, Request(full_refresh_selection=full_refresh), checkpoints=self.folder / "checkpoints"
        )
        assert report.error is None
        sdp.update(
            self.spark, self.files, schema=self.theirs, storage=self.folder / "storage", full_refresh=full_refresh
        )

    def table(self, schema: str, name: str) -> tuple[str, list[tuple[Any, ...]]]:
        """Columns with their types, and the rows in an order of their own."""
        frame = self.spark.table(f"{schema}.{name}")
        frame = frame.select(*sorted(frame.columns)) if name in SEVERAL_FLOWS else frame
        return frame.schema.simpleString(), sorted((tuple(row) for row in frame.collect()), key=repr)

    def differences(self) -> dict[str, Any]:
        """Each table that the two have made differently."""
        both = {name: (self.table(self.ours, name), self.table(self.theirs, name)) for name in TABLES}
        return {name: sides for name, sides in both.items() if sides[0] != sides[1]}

    def rows(self, name: str) -> list[tuple[Any, ...]]:
        return self.table(self.ours, name)[1]


@pytest.fixture
def both(spark: Any, schema: str, tmp_path: Path) -> Iterator[Both]:
    both = Both(spark, schema, tmp_path)
    yield both
    for name in (both.ours, both.theirs):
        spark.sql(f"DROP SCHEMA {name} CASCADE")


def test_both_engines_make_equal_tables_from_the_same_files_first_later_and_refreshed_in_full(both: Both) -> None:
    both.arrive((1, "Ulm", 10.5), (2, "Bonn", 60), (3, "Ulm", None), (1, "Ulm", 10.5), a=(1, "late"), b=(None, "lost"))
    both.update()
    assert both.differences() == {}
    assert len(both.rows("known")) == 5
    assert both.rows("notes") == [(1, "LATE"), (2, "dear")]

    # New rows only for the streams; views anew, from a key that comes again too.
    both.arrive((4, "Kiel", 70), (2, "Bonn", 61), c=(2, "broken"))
    both.update()
    assert both.differences() == {}
    assert len(both.rows("known")) == 8
    cities = [("Bonn", 2, Decimal("121.000000")), ("Kiel", 0, Decimal("140.000000")), ("Ulm", 2, Decimal("21.000000"))]
    assert both.rows("returned_by_city") == cities

    # What a source has lost, a table keeps until it is refreshed in full; tables that are not selected stay.
    (both.landing / "a.json").unlink()
    both.update(full_refresh=("returns",))
    assert both.differences() == {}
    assert len(both.rows("returns")) == 1
