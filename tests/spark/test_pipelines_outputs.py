"""Private tables, sinks, flows that run once, dry runs and the event log in SQL: one pipeline, updated a few times."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import runs
from helpers.pipelines.notebook import Pipeline, notebook_pipeline

SQL = """
CREATE PRIVATE STREAMING TABLE raw (CONSTRAINT known EXPECT (id IS NOT NULL) ON VIOLATION DROP ROW)
  CLUSTER BY AUTO AS SELECT * FROM STREAM arriving;
CREATE TEMPORARY VIEW arriving (CONSTRAINT no_c EXPECT (v <> 'c')) AS SELECT * FROM STREAM source;
CREATE FLOW backfill AS INSERT ONCE INTO raw BY NAME SELECT id + 100 AS id, v FROM source;
CREATE PRIVATE MATERIALIZED VIEW hidden AS SELECT id FROM raw;
CREATE MATERIALIZED VIEW total AS SELECT count(*) AS c FROM hidden;
CREATE MATERIALIZED VIEW landed AS SELECT id, _metadata.file_name AS file FROM read_files('${landing}');
"""
PYTHON = """
from pyspark import pipelines as dp
import dlt

dp.create_sink("copy", "delta", {{"tableName": "{schema}.copied"}})
dp.create_sink("files", "json", {{"path": "{folder}/files"}})

@dp.append_flow(target="copy")
def to_table():
    found = dlt.read_stream("LIVE.raw")
    assert found.columns
    return found

@dp.append_flow(target="files", name="to_files")
def any_name():
    return spark.readStream.table("raw").select("id")

@dp.on_event_hook
def hook(event):
    if event["event_type"] == "update_progress":
        with open("{folder}/hook.txt", "a") as file:
            file.write(event["details"]["update_progress"]["state"] + " ")
"""
WRONG = """
CREATE MATERIALIZED VIEW a AS SELECT nothing FROM total;
CREATE MATERIALIZED VIEW b AS SELECT * FROM STREAM raw;
CREATE MATERIALIZED VIEW c AS SELECT c + 1 AS d FROM totals;
CREATE MATERIALIZED VIEW fine AS SELECT id, v FROM raw JOIN total ON id = c;
CREATE STREAMING TABLE also_fine (id BIGINT) AS SELECT id FROM STREAM raw;
"""


def defined(spark: Any, schema: str, folder: Path) -> Pipeline:
    pipeline = notebook_pipeline(spark, "outputs", schema=schema, checkpoints=folder / "checkpoints",
                                 parameters={"landing": str(folder / "landing")})
    pipeline.sql(SQL)
    pipeline.file(folder / "outputs.py")
    return pipeline


@pytest.fixture
def pipeline(spark: Any, schema: str, tmp_path: Path) -> Iterator[Pipeline]:
    spark.sql("CREATE TABLE source (id BIGINT, v STRING)")
    spark.sql("INSERT INTO source VALUES (1, 'a'), (2, 'b'), (NULL, 'c')")
    (tmp_path / "outputs.py").write_text(PYTHON.format(schema=schema, folder=tmp_path))
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "one.json").write_text('{"id": 9}')
    yield defined(spark, schema, tmp_path)
    assert not spark.streams.active
    assert not [row for row in spark.sql("SHOW VIEWS").collect() if row.isTemporary]


def tables(spark: Any) -> set[str]:
    return {row.tableName for row in spark.sql("SHOW TABLES").collect() if not row.tableName.startswith("event_log")}


def ids(spark: Any, query: str) -> list[Any]:
    return sorted(row.id for row in spark.sql(query).collect())


def test_outputs_of_every_kind(pipeline: Pipeline, spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A dry run tells every problem, finds none in the good part, and makes no table and no checkpoint.
    assert pipeline.dry_run().error is None
    pipeline.sql(WRONG)
    wrong = pipeline.dry_run()
    assert (wrong.state, wrong.validate_only) == ("FAILED", True)
    assert [word for word in ("has 3 problems", "'a' cannot be analysed", "'b' has a streaming query", "reads 'totals'")
            if word not in str(wrong.error)] == []
    assert tables(spark) == {"source"}
    assert not list((tmp_path / "checkpoints").glob("*/raw"))
    pipeline = defined(spark, str(spark.catalog.currentDatabase()), tmp_path)  # without what is wrong

    # Cut off between the one-time rows' commit and its note: the next update does not append them again.
    with monkeypatch.context() as broken:
        broken.setattr(runs.once, "note_run", _interrupted)
        assert "cut off" in str(pipeline.update().error)
    first = pipeline.update()
    assert first.error is None
    assert any("CLUSTER BY AUTO" in note for note in first.notes)
    # The private table and view are read by all, and listed by none.
    assert tables(spark) == {"source", "total", "landed", "copied"}
    assert [tuple(row) for row in spark.table("landed").collect()] == [(9, "one.json")]
    assert [row.c for row in spark.sql("SELECT c FROM total").collect()] == [4]
    assert ids(spark, "SELECT id FROM copied") == [1, 2, 101, 102]
    assert ids(spark, f"SELECT id FROM json.`{tmp_path}/files`") == [1, 2, 101, 102]
    assert [first.dataset(name).kind for name in ("raw", "copy", "files")] == ["STREAMING_TABLE", "SINK", "SINK"]

    spark.sql("INSERT INTO source VALUES (3, 'd')")
    second = pipeline.update()
    assert [second.dataset(name).num_output_rows for name in ("raw", "copy", "files")] == [1, 1, 1]
    assert [row.c for row in spark.sql("SELECT c FROM total").collect()] == [5]
    assert tables(spark) == {"source", "total", "landed", "copied"}

    # A full refresh runs the one-time flow again; a sink keeps its rows and gets all of them once more.
    assert "takes no full refresh here" in str(pipeline.update(full_refresh=["files"]).error)
    (tmp_path / "files").rename(tmp_path / "moved")
    assert pipeline.update(full_refresh=True).error is None
    assert ids(spark, "SELECT id FROM copied") == sorted([1, 2, 3, 101, 102, 1, 2, 3, 101, 102, 103])
    assert ids(spark, f"SELECT id FROM json.`{tmp_path}/files`") == [1, 2, 3, 101, 102, 103]

    # What the exam asks of the event log.
    for log in ("TABLE(total)", f"'{pipeline.pipeline_id}'"):
        rows = spark.sql(f"""
            WITH newest AS (SELECT origin.update_id AS id FROM event_log({log})
                            WHERE event_type = 'create_update' ORDER BY timestamp DESC LIMIT 1)
            SELECT e.dataset, e.name, sum(e.passed_records) AS passed, sum(e.failed_records) AS failed
            FROM (SELECT explode(from_json(details:flow_progress.data_quality.expectations,
                    'array<struct<name: string, dataset: string, passed_records: int, failed_records: int>>')) AS e
                  FROM event_log({log}), newest WHERE event_type = 'flow_progress' AND origin.update_id = newest.id)
            GROUP BY e.dataset, e.name ORDER BY ALL""").collect()
        assert [tuple(row) for row in rows] == [("arriving", "no_c", 3, 1), ("raw", "known", 6, 2)]
    kinds = {row.event_type for row in pipeline.event_log().collect()}
    assert {"user_action", "dataset_definition", "sink_definition", "planning_information"} <= kinds
    assert (tmp_path / "hook.txt").read_text().split()[-1] == "COMPLETED"

    # A stream does not read on where its source lost rows.
    spark.sql("DELETE FROM source WHERE id = 3")
    error = str(pipeline.update(refresh=["raw"]).error)
    assert "'raw' failed: [DELTA_SOURCE_IGNORE_DELETE]" in error
    assert "Pass over such commits with WITH (SKIPCHANGECOMMITS)" in error
    assert "run a full refresh of 'raw'" in error


def _interrupted(*_: Any, **__: Any) -> None:
    raise RuntimeError("cut off")
