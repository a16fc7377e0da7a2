"""Lesson 10's checks: right passes, likely mistakes are named, and an untouched scaffold is not attempted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import functions as F

from helpers.checks import Verdict, judge, load_exercises
from helpers.exercises import updates
from helpers.lab import Lab
from helpers.pipelines.report import UpdateReport

NAME = "10_streaming_tables"
FORGET = "NOT household_id <=> 1222"
HINTS = "quantity INT, sales_value DECIMAL(10,2), retail_disc DECIMAL(10,2), transaction_timestamp TIMESTAMP"
PIPELINE = f"""
CREATE OR REFRESH STREAMING TABLE bronze_receipts AS SELECT *, _metadata.file_name AS source_file
FROM STREAM read_files('${{landing}}/transactions', format => 'json', schemaHints => '{HINTS}');

CREATE OR REFRESH STREAMING TABLE silver_receipts
AS SELECT household_id, basket_id, product_id, quantity, sales_value, transaction_timestamp AS sold_at, source_file
FROM STREAM bronze_receipts WHERE household_id IS NOT NULL AND product_id IS NOT NULL;

CREATE OR REFRESH MATERIALIZED VIEW gold_revenue_by_day
AS SELECT CAST(sold_at AS DATE) AS day, count(*) AS lines, sum(sales_value) AS revenue
FROM silver_receipts GROUP BY CAST(sold_at AS DATE)
"""


@pytest.fixture(scope="module")
def lab(lab_for: Callable[[str], Lab]) -> Lab:
    return lab_for(NAME)


@pytest.fixture(scope="module")
def report(lab: Lab) -> UpdateReport:
    """Two days have arrived, each with an update of its own; this is the second."""
    retail = lab.pipeline("retail")
    retail.sql(PIPELINE)
    lab.arrive("2017-01-01")
    assert retail.update().error is None
    lab.arrive("2017-01-02")
    return retail.update()


class Shown:
    """The lab, in which some tables show other rows, and which keeps nothing of what it is asked."""

    def __init__(self, lab: Lab, **frames: Any) -> None:
        self._lab, self._frames = lab, frames
        self.spark = self.catalog = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lab, name)

    def tableExists(self, name: str) -> bool:
        return name in self._frames or self._lab.spark.catalog.tableExists(name)

    def table(self, name: str) -> Any:
        return self._frames.get(name, None) if name in self._frames else self._lab.spark.table(name)

    def sql(self, query: str) -> Any:
        return self._lab.spark.sql(query)


def check(lab: Any, number: int, answer: Any, **frames: Any) -> Verdict:
    verdict = judge(load_exercises(NAME)[f"10.{number}"], Shown(lab, **frames), answer)
    assert verdict.status != "broken", str(verdict)
    return verdict


def changed(report: UpdateReport, name: str, **values: Any) -> UpdateReport:
    datasets = tuple(replace(each, **values) if each.name == name else each for each in report.datasets)
    return replace(report, datasets=datasets)


@pytest.mark.parametrize("number", range(1, 10))
def test_the_untouched_scaffold_is_not_attempted(lab: Lab, number: int) -> None:
    assert lab.check(f"10.{number}", ...).status == "not attempted"


def test_bronze_is_complete_typed_and_a_streaming_table_or_the_verdict_says_why_not(
    lab: Lab, report: UpdateReport
) -> None:
    assert check(lab, 1, report).status == "correct"
    assert "is a str, expected what `retail.update()` gives back" in str(check(lab, 1, "done"))
    assert "The update failed: no such file" in str(check(lab, 1, replace(report, error="no such file")))
    batch = str(check(lab, 1, changed(report, "bronze_receipts", kind="MATERIALIZED_VIEW")))
    assert "is a materialized view, expected a streaming table" in batch
    assert "the word STREAM makes the difference" in batch
    assert "knows no `bronze_receipts`" in str(check(lab, 1, replace(report, datasets=())))
    rows = lab.spark.table("bronze_receipts")
    loose = rows.withColumn("sales_value", F.col("sales_value").cast("double"))
    loose = loose.where("source_file <> '2017-01-02.json'")
    said = check(lab, 1, report, bronze_receipts=loose)
    assert "`bronze_receipts.sales_value` is double, expected decimal(10,2)" in str(said)
    assert "has 0 rows of 2017-01-02.json, expected" in str(said)
    assert "has no column `source_file`" in str(check(lab, 1, report, bronze_receipts=rows.drop("source_file")))


def test_silver_reads_bronze_as_a_stream_and_keeps_what_can_be_used(lab: Lab, report: UpdateReport) -> None:
    assert check(lab, 2, report).status == "correct"
    batch = str(check(lab, 2, changed(report, "silver_receipts", kind="MATERIALIZED_VIEW")))
    assert "in Python the reader" in batch
    alone = changed(report, "silver_receipts", inputs=())
    assert "reads no table, expected `bronze_receipts`" in str(check(lab, 2, alone))
    rows = lab.spark.table("bronze_receipts")
    said = str(check(lab, 2, report, silver_receipts=rows))
    assert "has no column `sold_at`" in said
    assert "also has coupon_disc" in said
    assert "rows without a household_id" in said
    assert "too little is left out" in said
    later = lab.spark.table("silver_receipts").withColumn("discount", F.lit(None)).where(FORGET)
    assert check(lab, 2, report, silver_receipts=later).status == "correct"


def test_the_rows_of_the_newest_update_pass_and_those_of_all_updates_do_not(lab: Lab, report: UpdateReport) -> None:
    log = lab.pipeline("retail").event_log()
    number = "CAST(get_json_object(details, '$.flow_progress.metrics.num_output_rows') AS INT) AS rows"
    everything = log.where("level = 'METRICS'").selectExpr("origin.flow_name", number)
    newest = log.where(f"origin.update_id = '{report.update_id}'")
    right = check(lab, 3, newest.where("level = 'METRICS'").selectExpr("origin.flow_name", number))
    assert right.status == "correct"
    assert f"bronze_receipts {report.dataset('bronze_receipts').num_output_rows:,} rows" in str(right)
    assert "that is the sum over all updates" in str(check(lab, 3, everything))
    blanks = newest.where("event_type = 'flow_progress'").selectExpr("origin.flow_name", number)
    assert "Some rows of `written` have no number" in str(check(lab, 3, blanks))
    halves = everything.selectExpr("flow_name", "1 AS rows")
    assert "the event log of the newest update says" in str(check(lab, 3, halves))
    assert "expected a DataFrame" in str(check(lab, 3, 1201))
    assert "has no column `rows`" in str(check(lab, 3, newest.selectExpr("origin.flow_name")))


def test_an_update_that_wrote_nothing_asks_for_another_day(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    idle = [{"update_id": "u", "flow_name": "bronze_receipts", "details": {"flow_progress": {"status": "IDLE"}}}]
    monkeypatch.setattr(updates, "events", lambda *_: idle)
    nothing = lab.spark.createDataFrame([], "flow_name STRING, rows INT")
    assert "The newest update wrote nothing" in str(check(lab, 3, nothing))


def test_gold_is_a_view_with_one_row_a_day(lab: Lab, report: UpdateReport) -> None:
    assert check(lab, 4, report).status == "correct"
    streamed = str(check(lab, 4, changed(report, "gold_revenue_by_day", kind="STREAMING_TABLE")))
    assert "expected a materialized view. A sum changes with each new row" in streamed
    rows = lab.spark.table("gold_revenue_by_day")
    by_time = rows.withColumn("day", F.col("day").cast("timestamp"))
    assert "`gold_revenue_by_day.day` is timestamp, expected date" in str(
        check(lab, 4, report, gold_revenue_by_day=by_time))
    stale = rows.where("day < (SELECT max(day) FROM gold_revenue_by_day)")
    assert "different days, expected" in str(check(lab, 4, report, gold_revenue_by_day=stale))
    doubled = rows.withColumn("lines", F.col("lines") * 2)
    assert "Was it updated after silver?" in str(check(lab, 4, report, gold_revenue_by_day=doubled))


def test_the_rows_that_keep_their_old_shape_are_counted(lab: Lab, report: UpdateReport) -> None:
    silver = lab.spark.table("silver_receipts")
    new = F.when(F.col("source_file") == "2017-01-02.json", F.lit(0.5))
    half, total = silver.withColumn("discount", new), silver.count()
    old = half.where("discount IS NULL").count()
    assert check(lab, 5, old, silver_receipts=half).status == "correct"
    assert "rows **with** a discount" in str(check(lab, 5, total - old, silver_receipts=half))
    assert f"but in {old:,} rows" in str(check(lab, 5, total, silver_receipts=half))
    assert "expected a number of rows" in str(check(lab, 5, half, silver_receipts=half))
    assert "has no column `discount`" in str(check(lab, 5, old))
    full = silver.withColumn("discount", F.lit(0.5))
    assert "the table was made anew" in str(check(lab, 5, 0, silver_receipts=full))
    none = silver.withColumn("discount", F.lit(None))
    assert "the newest file had gone through the old query" in str(check(lab, 5, total, silver_receipts=none))


def test_a_full_refresh_makes_silver_anew_and_leaves_bronze_alone(lab: Lab, report: UpdateReport) -> None:
    silver = lab.spark.table("silver_receipts")
    new = F.when(F.col("source_file") == "2017-01-02.json", F.lit(0.5))
    said = str(check(lab, 6, report, silver_receipts=silver.withColumn("discount", new)))
    assert "does not have the property pipelines.reset.allowed" in said
    assert "This was no full refresh of everything" in said
    assert "are still without a discount" in said
    full = silver.withColumn("discount", F.lit(0.5))
    every = replace(report, full_refresh=True)
    lines = lab.spark.table("bronze_receipts").count()
    reread = changed(every, "bronze_receipts", rows_read=lines)
    lab.spark.sql("ALTER TABLE bronze_receipts SET TBLPROPERTIES ('pipelines.reset.allowed' = 'false')")
    assert f"was emptied and read all {lines:,} lines again" in str(check(lab, 6, reread, silver_receipts=full))
    assert check(lab, 6, changed(every, "bronze_receipts", rows_read=0), silver_receipts=full).status == "correct"
    assert check(lab, 5, 0, silver_receipts=full).status == "correct"


def test_a_forgotten_household_is_gone_from_both_tables_and_nobody_else_is(lab: Lab, report: UpdateReport) -> None:
    bronze, silver = (lab.spark.table(name) for name in ("bronze_receipts", "silver_receipts"))
    kept = {"bronze_receipts": bronze.where(FORGET), "silver_receipts": silver.where(FORGET)}
    assert check(lab, 7, report, **kept).status == "correct"
    below = check(lab, 7, report, **{**kept, "silver_receipts": silver})
    assert "`silver_receipts` still has" in str(below)
    assert "passing over a deletion above does not delete below" in str(below)
    too_many = {**kept, "bronze_receipts": bronze.where("household_id <> 1222")}
    assert "too much is left out" in str(check(lab, 7, report, **too_many))
    stopped = replace(report, error="DELTA_SOURCE_TABLE_IGNORE_CHANGES")
    assert "The update failed: DELTA_SOURCE" in str(check(lab, 7, stopped, **kept))


def test_two_flows_of_their_own_pass_and_one_query_over_both_does_not(
    lab: Lab, report: UpdateReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    households = lab.spark.read.json(lab.volume("landing/households")).selectExpr("household_id", "'changed' AS what")
    receipts = lab.spark.table("silver_receipts").selectExpr("household_id", "'bought' AS what")
    update = replace(report, datasets=(replace(report.dataset("bronze_receipts"), name="activity"),))

    def told(*flows: str) -> None:
        monkeypatch.setattr(updates, "events", lambda *_: [
            {"update_id": report.update_id, "flow_name": flow,
             "details": {"flow_definition": {"output_dataset": "activity"}}} for flow in flows])

    told("bought", "changed")
    assert check(lab, 8, update, activity=receipts.union(households)).status == "correct"
    assert "`activity, changed` has 0 rows, expected" in str(check(lab, 8, update, activity=receipts))
    twice = receipts.union(households).union(households)
    assert "Do two flows read the same?" in str(check(lab, 8, update, activity=twice))
    told("activity")
    other = receipts.union(households.selectExpr("household_id", "'changes' AS what"))
    said = str(check(lab, 8, update, activity=other))
    assert "These flows write into `activity`: activity. Expected: bought, changed" in said
    assert "`what` is also changes" in said
    assert "knows no `activity`" in str(check(lab, 8, report))


def test_the_cause_of_the_second_update_is_looked_for_in_the_log(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 'Run the cell with lab.break_it("schema drift") first' in str(check(lab, 9, "SCHEMA_CHANGE"))
    lab.break_it("schema drift")
    assert "has no column `loyalty_tier`" in str(check(lab, 9, "SCHEMA_CHANGE"))
    drifted = lab.spark.table("bronze_receipts").withColumn("loyalty_tier", F.lit("gold"))

    def told(*causes: str) -> None:
        log = [{"details": {"create_update": {"cause": each}}} for each in causes]
        monkeypatch.setattr(updates, "events", lambda *_: log)

    told("USER_ACTION", "USER_ACTION", "SCHEMA_CHANGE")
    assert check(lab, 9, "SCHEMA_CHANGE", bronze_receipts=drifted).status == "correct"
    assert "the one that you started" in str(check(lab, 9, "USER_ACTION", bronze_receipts=drifted))
    assert "which is no update's cause" in str(check(lab, 9, "NEW_COLUMN", bronze_receipts=drifted))
    told("USER_ACTION", "SCHEMA_CHANGE", "USER_ACTION")
    assert check(lab, 9, "USER_ACTION", bronze_receipts=drifted).status == "correct"
