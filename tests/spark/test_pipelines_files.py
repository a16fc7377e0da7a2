"""Updates over landed files: Auto Loader inside a pipeline, a new column on the way, and an interrupted update."""

from __future__ import annotations

import _thread
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines.notebook import Pipeline, notebook_pipeline

SQL = """
CREATE OR REFRESH STREAMING TABLE bronze (CONSTRAINT readable EXPECT (_rescued_data IS NULL))
AS SELECT *, _metadata.file_name AS source_file
FROM STREAM read_files('${landing}', format => 'json', schemaHints => 'id BIGINT');
CREATE MATERIALIZED VIEW files AS SELECT source_file, count(*) AS c FROM bronze GROUP BY source_file;
"""
PYTHON = """
from pyspark import pipelines as dp

def landed():
    return spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").load(spark.conf.get("landing"))

@dp.temporary_view
@dp.expect_or_drop("known", "id IS NOT NULL")
def landing_view():
    return landed()

@dp.table
def from_view():
    return spark.readStream.table("landing_view").select("id")

@dp.table
def from_sql():
    return spark.sql("SELECT id FROM STREAM read_files('${landing}', format => 'json')")
"""


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    folder = tmp_path / "landing"
    folder.mkdir()
    land(folder, "a", {"id": 1, "v": "x"}, {"id": 2, "v": "y"}, {"id": None, "v": "z"})
    return folder


def land(folder: Path, name: str, *rows: dict[str, Any]) -> None:
    (folder / f"{name}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def pipeline(spark: Any, schema: str, landing: Path, tmp_path: Path) -> Iterator[Pipeline]:
    yield notebook_pipeline(
        spark, "files", schema=schema, checkpoints=tmp_path / "checkpoints", parameters={"landing": str(landing)}
    )
    assert not spark.streams.active
    assert not [row for row in spark.sql("SHOW VIEWS").collect() if row.isTemporary]


def test_files_are_read_once_and_a_new_column_restarts_the_update(
    pipeline: Pipeline, spark: Any, landing: Path
) -> None:
    pipeline.sql(SQL)
    first = pipeline.update()
    assert first.error is None
    assert first.dataset("bronze").rows_read == 3
    land(landing, "b", {"id": 4, "v": "w", "extra": 5})
    second = pipeline.update()
    assert (second.state, second.cause) == ("COMPLETED", "USER_ACTION")
    assert second.dataset("bronze").num_output_rows == 1
    assert [(count.passed_records, count.failed_records) for count in second.dataset("bronze").expectations] == [(1, 0)]
    rows = spark.sql("SELECT id, extra, source_file FROM bronze WHERE id = 4").collect()
    assert [tuple(row) for row in rows] == [(4, 5, "b.json")]
    assert {row.source_file: row.c for row in spark.table("files").collect()} == {"a.json": 3, "b.json": 1}
    causes = {
        row.cause
        for row in pipeline.event_log()
        .selectExpr("get_json_object(details, '$.create_update.cause') AS cause")
        .distinct()
        .collect()
    }
    assert causes == {None, "USER_ACTION", "SCHEMA_CHANGE"}


def test_python_sources_read_files_and_an_interrupted_update_loses_nothing(
    pipeline: Pipeline, spark: Any, tmp_path: Path
) -> None:
    (tmp_path / "landed.py").write_text(PYTHON)
    pipeline.file(tmp_path / "landed.py")

    def interrupt(report: Any) -> None:
        if report.state == "RUNNING" and any(
            each.status == "RUNNING" and each.name == "from_sql" for each in report.datasets
        ):
            interrupted.append(True)
            if len(interrupted) == 1:
                _thread.interrupt_main()

    interrupted: list[bool] = []
    with pytest.raises(KeyboardInterrupt):
        pipeline.update(on_change=interrupt)
    assert not spark.streams.active

    report = pipeline.update()
    assert report.error is None
    assert report.dataset("from_view").inputs == ("landing_view",)
    assert sorted(row.id for row in spark.table("from_view").collect()) == ["1", "2"]
    assert spark.table("from_sql").count() == 3
    told = pipeline.event_log().where("event_type = 'flow_progress'").selectExpr(
        "origin.*", "get_json_object(details, '$.flow_progress.status') AS status").collect()
    flows = {row.flow_name for row in told}
    # A flow that was quicker than the interrupt has completed.
    ends = [row for row in told if row.update_id != report.update_id and row.status in ("STOPPED", "COMPLETED")]
    ended = {row.flow_name for row in ends}
    assert {"from_sql", "from_view"} <= flows == ended
    states = pipeline.event_log().selectExpr("get_json_object(details, '$.update_progress.state') AS s").collect()
    assert [row.s for row in states if row.s in ("CANCELED", "COMPLETED")] == ["CANCELED", "COMPLETED"]
