"""Expectations on every kind of dataset: what is written, what is counted, and what the event log says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import UpdateReport
from helpers.pipelines.notebook import Pipeline, notebook_pipeline

DROPPING = """
CREATE MATERIALIZED VIEW kept (CONSTRAINT positive EXPECT (n > 0) ON VIOLATION DROP ROW,
                               CONSTRAINT low EXPECT (id < 2)) AS SELECT * FROM source;
CREATE TEMPORARY VIEW some (CONSTRAINT positive EXPECT (n > 0) ON VIOLATION DROP ROW) AS SELECT * FROM source;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS c FROM some;
"""
FAILING = """
CREATE TEMPORARY VIEW strict (CONSTRAINT batch EXPECT (n > 0) ON VIOLATION FAIL UPDATE) AS SELECT * FROM source;
CREATE MATERIALIZED VIEW of_strict AS SELECT * FROM strict;
CREATE TEMPORARY VIEW arriving (CONSTRAINT stream EXPECT (n > 0) ON VIOLATION FAIL UPDATE)
  AS SELECT * FROM STREAM source;
CREATE STREAMING TABLE of_arriving AS SELECT * FROM STREAM arriving;
CREATE STREAMING TABLE latest (CONSTRAINT change EXPECT (n > 0) ON VIOLATION FAIL UPDATE);
CREATE FLOW changed AS AUTO CDC INTO latest FROM STREAM source KEYS (id) SEQUENCE BY id;
CREATE STREAMING TABLE both;
CREATE FLOW one AS INSERT INTO both BY NAME SELECT * FROM STREAM latest;
CREATE FLOW two AS INSERT INTO both BY NAME SELECT * FROM STREAM of_arriving;
"""


@pytest.fixture
def pipeline(spark: Any, schema: str, tmp_path: Path) -> Pipeline:
    spark.sql("CREATE TABLE source (id BIGINT, n INT)")
    spark.sql("INSERT INTO source VALUES (1, 1), (2, 2), (3, -1), (4, NULL)")
    return notebook_pipeline(spark, "rules", schema=schema, checkpoints=tmp_path, parameters={})


def counts(report: UpdateReport, dataset: str) -> dict[str, tuple[int, int]]:
    return {count.name: (count.passed_records, count.failed_records) for count in report.dataset(dataset).expectations}


def test_rules_count_drop_and_fail_on_datasets_of_every_kind(pipeline: Pipeline, spark: Any) -> None:
    pipeline.sql(DROPPING)
    pipeline.sql(FAILING)
    report = pipeline.update()
    assert {each.name: each.status for each in report.datasets if each.kind != "SOURCE"} == {
        "kept": "COMPLETED", "some": "COMPLETED", "counted": "COMPLETED", "strict": "FAILED", "of_strict": "SKIPPED",
        "arriving": "COMPLETED", "of_arriving": "FAILED", "latest": "FAILED", "both": "SKIPPED",
    }  # fmt: skip

    assert counts(report, "kept") == {"positive": (2, 2), "low": (1, 3)}
    kept = report.dataset("kept")
    assert (kept.rows_read, kept.num_output_rows, kept.dropped_records) == (4, 2, 2)
    assert sorted(row.id for row in spark.table("kept").collect()) == [1, 2]
    assert counts(report, "some") == {"positive": (2, 2)}
    assert report.dataset("some").dropped_records == 2
    assert [row.c for row in spark.table("counted").collect()] == [2]

    for name, rule in (("strict", "batch"), ("of_arriving", "stream"), ("latest", "change")):
        error = str(report.dataset(name).error)
        assert "EXPECTATION_VIOLATION.VERBOSITY_ALL" in error
        assert f"'{rule}'" in error
        assert report.dataset(name).expectations == ()
    assert spark.table("of_arriving").isEmpty()
    assert spark.table("latest").isEmpty()

    events = [(row.flow_name, json.loads(row.details)["flow_progress"]) for row in pipeline.event_log().where(
        "event_type = 'flow_progress'").select("origin.flow_name", "details").collect()]
    quality = {flow: told["data_quality"] for flow, told in events if "data_quality" in told}
    assert quality["kept"] == {"dropped_records": 2, "expectations": [
        {"name": "positive", "dataset": "kept", "passed_records": 2, "failed_records": 2},
        {"name": "low", "dataset": "kept", "passed_records": 1, "failed_records": 3},
    ]}  # fmt: skip
    assert quality["some"]["dropped_records"] == 2
    assert set(quality) == {"kept", "some", "counted"}  # of a flow that failed nothing is recorded
    last = {flow: told["status"] for flow, told in events}
    assert (last["changed"], last["one"], last["two"]) == ("FAILED", "SKIPPED", "SKIPPED")
