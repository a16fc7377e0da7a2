"""Updates: what is read, written, skipped and computed anew, over Delta tables that stand in for landed files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import Request, UpdateReport, effort, run_update
from helpers.pipelines.definitions import collect
from helpers.pipelines.dp import Registry
from helpers.pipelines.event_log import table_name
from helpers.pipelines.settings import PipelineSettings
from helpers.pipelines.sources import add_file, add_sql
from helpers.pipelines.table_log import local_path

SOURCE = "CREATE TABLE {schema}.source (id BIGINT, v STRING, n INT) USING delta"
ROWS = "INSERT INTO {schema}.source VALUES (1, 'a', 1), (2, NULL, 2), (3, 'c', -1), (4, 'd', NULL)"

GOLD = "CREATE OR REFRESH MATERIALIZED VIEW gold AS SELECT v, count(*) AS c FROM doubled GROUP BY v;"
VIEW = "CREATE TEMPORARY VIEW doubled (CONSTRAINT small EXPECT (id < 3)) AS SELECT *, n * 2 AS d FROM LIVE.bronze;"
BRONZE = """CREATE OR REFRESH STREAMING TABLE bronze (
  CONSTRAINT positive EXPECT (n > 0),
  CONSTRAINT has_v EXPECT (v IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT known EXPECT (id IS NOT NULL) ON VIOLATION FAIL UPDATE
) AS SELECT * FROM STREAM source;"""
SILVER = """
from pyspark import pipelines as dp

@dp.expect_or_drop("above", "d >= 0")
@dp.table
@dp.expect("even", "d % 2 = 0")
def silver():
    tag = spark.conf.get("tag")
    return spark.sql("SELECT id, n * 2 AS d, '" + tag + "' AS tag FROM STREAM bronze")

@dp.materialized_view(comment="looks at a schema that the first update has not made yet")
def silver_columns():
    frame = spark.read.table("silver")
    return frame.select(*[name for name in frame.columns if name != "tag"])
"""


class Lake:
    """One schema with a source table, and pipelines over it."""

    def __init__(self, spark: Any, schema: str, folder: Path) -> None:
        self.spark, self.schema, self.folder = spark, schema, folder

    def update(self, *texts: str, parameters: dict[str, str] | None = None, **request: Any) -> UpdateReport:
        """Run an update of the pipeline that the texts define; a text with ``import`` is Python."""
        settings = PipelineSettings(name="p", schema=self.schema, configuration=parameters or {})

        def definitions(session: Any, problems: Any) -> Any:
            registry = Registry()
            for place, text in enumerate(texts):
                if "import" in text:
                    path = self.folder / f"part_{place}.py"
                    path.write_text(text)
                    add_file(registry, path, spark=session, parameters=settings.configuration)
                else:
                    add_sql(registry, text, source=f"part_{place}.sql", parameters=settings.configuration)
            return collect(*registry.finished(), schema=self.schema, hooks=registry.hooks, problems=problems)

        return run_update(
            self.spark, settings, Request(**request), checkpoints=self.folder / "checkpoints", definitions=definitions
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self.spark.sql(query.format(schema=self.schema)).collect()]

    def version(self, table: str) -> int:
        return int(self.rows(f"DESCRIBE HISTORY {self.schema}.{table} LIMIT 1")[0][0])

    def events(self) -> str:
        return f"{self.schema}.{table_name(PipelineSettings(name='p', schema=self.schema).pipeline_id)}"


@pytest.fixture
def lake(spark: Any, schema: str, tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(spark, schema, tmp_path)
    lake.rows(SOURCE)
    lake.rows(ROWS)
    yield lake
    assert not spark.streams.active
    assert spark.catalog.currentDatabase() == schema
    assert not [row for row in spark.sql("SHOW VIEWS").collect() if row.isTemporary]


def counts(report: UpdateReport, dataset: str) -> dict[str, tuple[int, int]]:
    return {count.name: (count.passed_records, count.failed_records) for count in report.dataset(dataset).expectations}


def statuses(report: UpdateReport) -> dict[str, str]:
    return {dataset.name: dataset.status for dataset in report.datasets if dataset.kind != "SOURCE"}


def test_a_pipeline_in_any_order_counts_drops_skips_and_reads_only_new_rows(lake: Lake) -> None:
    texts = (SILVER, GOLD + VIEW, BRONZE)
    first = lake.update(*texts, parameters={"tag": "t1"})
    assert first.error is None
    assert set(statuses(first).values()) == {"COMPLETED"}
    assert any("LIVE" in note for note in first.notes)

    # Three actions on four rows: NULL breaks `n > 0`, one row breaks no drop rule but a warning, one is dropped.
    assert counts(first, "bronze") == {"positive": (2, 2), "has_v": (3, 1), "known": (4, 0)}
    bronze = first.dataset("bronze")
    assert (bronze.rows_read, bronze.num_output_rows, bronze.dropped_records) == (4, 3, 1)
    assert counts(first, "doubled") == {"small": (1, 2)}
    assert lake.rows("SELECT id FROM {schema}.bronze ORDER BY id") == [(1,), (3,), (4,)]
    # d is 2, -2 and NULL: the NULL row breaks both rules at once.
    assert counts(first, "silver") == {"above": (1, 2), "even": (2, 1)}
    assert lake.rows("SELECT * FROM {schema}.silver") == [(1, 2, "t1")]
    assert lake.rows("SELECT * FROM {schema}.silver_columns") == [(1, 2)]
    assert lake.rows("SELECT * FROM {schema}.gold ORDER BY v") == [("a", 1), ("c", 1), ("d", 1)]
    assert first.dataset("silver_columns").inputs == ("silver",)

    tables = ("source", "bronze", "silver", "silver_columns", "gold")
    before = {table: lake.version(table) for table in tables}
    second = lake.update(*texts, parameters={"tag": "t1"})
    assert statuses(second) == {
        "bronze": "IDLE",
        "silver": "IDLE",
        "gold": "IDLE",
        "doubled": "COMPLETED",
        "silver_columns": "IDLE",
    }
    assert {table: lake.version(table) for table in tables} == before
    assert second.dataset("bronze").num_output_rows == 0
    last = "max_by(get_json_object(details, '$.flow_progress.status'), sequence.data_plane_id.seq_no)"
    ended = lake.rows(f"SELECT origin.flow_name, {last} FROM {lake.events()} WHERE event_type = 'flow_progress' AND "
                      f"origin.update_id = '{second.update_id}' GROUP BY 1")
    assert dict(ended) == statuses(second)

    lake.rows("INSERT INTO {schema}.source VALUES (9, 'z', 5)")
    third = lake.update(*texts, parameters={"tag": "t2"})
    assert third.dataset("bronze").rows_read == 1
    assert counts(third, "bronze") == {"positive": (1, 0), "has_v": (1, 0), "known": (1, 0)}
    assert lake.rows("SELECT * FROM {schema}.silver ORDER BY id") == [(1, 2, "t1"), (9, 10, "t2")]

    log = lake.events()
    exam_query = f"""
        SELECT e.dataset, e.name, sum(e.passed_records), sum(e.failed_records)
        FROM (SELECT explode(from_json(get_json_object(details, '$.flow_progress.data_quality.expectations'),
                'array<struct<name:string,dataset:string,passed_records:int,failed_records:int>>')) AS e
              FROM {log} WHERE event_type = 'flow_progress' AND origin.update_id = '{first.update_id}')
        WHERE e.dataset IN ('bronze', 'silver') GROUP BY ALL ORDER BY 1, 2"""
    assert lake.rows(exam_query) == [
        ("bronze", "has_v", 3, 1),
        ("bronze", "known", 4, 0),
        ("bronze", "positive", 2, 2),
        ("silver", "above", 1, 2),
        ("silver", "even", 2, 1),
    ]
    # A batch has one event with its counts, dropped rows among them; a view's rows are counted by who reads it.
    path = "$.flow_progress.data_quality.dropped_records"
    dropped = lake.rows(
        f"SELECT origin.flow_name, level, sum(get_json_object(details, '{path}')) FROM {log} "
        f"WHERE origin.update_id = '{first.update_id}' AND origin.dataset_name IN ('bronze', 'silver') "
        "AND details LIKE '%dropped_records%' GROUP BY ALL ORDER BY 1"
    )
    assert dropped == [("bronze", "METRICS", 1.0), ("silver", "METRICS", 2.0)]
    columns = [field.name for field in lake.spark.table(log).schema.fields]
    assert columns == [
        "id",
        "sequence",
        "origin",
        "timestamp",
        "message",
        "level",
        "maturity_level",
        "error",
        "details",
        "event_type",
    ]
    states = lake.rows(
        f"SELECT get_json_object(details, '$.update_progress.state') FROM {log} "
        f"WHERE event_type = 'update_progress' AND origin.update_id = '{first.update_id}' "
        "ORDER BY sequence.data_plane_id.seq_no"
    )
    assert [state for (state,) in states] == ["INITIALIZING", "SETTING_UP_TABLES", "RUNNING", "COMPLETED"]
    defined = lake.rows(
        f"SELECT get_json_object(details, '$.flow_definition.schema[*].name'), "
        f"get_json_object(details, '$.flow_definition.schema[1].data_type') FROM {log} WHERE event_type = "
        f"'flow_definition' AND origin.flow_name = 'silver' AND origin.update_id = '{first.update_id}'"
    )
    assert defined == [('["id","d","tag"]', "int")]
    assert lake.rows(f"SELECT count(*) - count(DISTINCT id) FROM {log}") == [(0,)]


@pytest.mark.classic
def test_a_failing_rule_writes_nothing_and_stops_only_its_dependents(lake: Lake) -> None:
    strict = """CREATE STREAMING TABLE strict (CONSTRAINT positive EXPECT (n > 0) ON VIOLATION FAIL UPDATE,
                CONSTRAINT any EXPECT (id > 0)) AS SELECT * FROM STREAM source;
                CREATE MATERIALIZED VIEW after AS SELECT count(*) AS c FROM strict;
                CREATE MATERIALIZED VIEW strict_view (CONSTRAINT few EXPECT (n < 2) ON VIOLATION FAIL UPDATE)
                  AS SELECT * FROM source;
                CREATE MATERIALIZED VIEW sibling AS SELECT count(*) AS c FROM source;"""
    report = lake.update(strict)
    assert report.state == "FAILED"
    assert statuses(report) == {"strict": "FAILED", "after": "SKIPPED", "strict_view": "FAILED", "sibling": "COMPLETED"}
    error = report.dataset("strict").error or ""
    for word in ("EXPECTATION_VIOLATION.VERBOSITY_ALL", "Flow 'strict'", "'positive'", '"n":-1', "part_0.sql:1:1"):
        assert word in error
    assert "'few'" in (report.dataset("strict_view").error or "")
    assert report.dataset("strict").expectations == ()
    assert lake.rows("SELECT count(*) FROM {schema}.strict UNION ALL SELECT count(*) FROM {schema}.strict_view") == [
        (0,),
        (0,),
    ]
    assert lake.rows("SELECT c FROM {schema}.sibling") == [(4,)]
    events = lake.rows(
        f"SELECT origin.flow_name, level FROM {lake.events()} WHERE event_type = 'flow_progress' "
        "AND get_json_object(details, '$.flow_progress.status') IN ('FAILED', 'SKIPPED') ORDER BY 1"
    )
    assert events == [("after", "WARN"), ("strict", "ERROR"), ("strict_view", "ERROR")]
    counted = lake.rows(f"SELECT DISTINCT origin.flow_name FROM {lake.events()} WHERE details LIKE '%data_quality%'")
    assert counted == [("sibling",)]


def test_refresh_and_full_refresh_of_a_selection(lake: Lake) -> None:
    texts = (BRONZE, VIEW + GOLD, "CREATE MATERIALIZED VIEW apart AS SELECT max(id) AS m FROM source;")
    missing = lake.update(*texts, refresh=["gold"])
    assert "'doubled' reads 'bronze', which no update has made yet" in (missing.error or "")
    for selection, word in ((["golt"], "Did you mean 'gold'?"), (["doubled"], "temporary view")):
        assert word in (lake.update(*texts, refresh=selection).error or "")

    report = lake.update(*texts, refresh=[f"`{lake.schema}`.BRONZE"])
    assert statuses(report) == {"bronze": "COMPLETED", "doubled": "EXCLUDED", "gold": "EXCLUDED", "apart": "EXCLUDED"}
    told = lake.rows(
        f"SELECT origin.flow_name, get_json_object(details, '$.flow_progress.status') FROM {lake.events()} WHERE "
        f"event_type = 'flow_progress' AND origin.update_id = '{report.update_id}' AND level = 'INFO' "
        "ORDER BY origin.flow_name, sequence.data_plane_id.seq_no"
    )
    steps = [("bronze", step) for step in ("QUEUED", "STARTING", "RUNNING", "COMPLETED")]
    assert told == [("apart", "EXCLUDED"), *steps, ("doubled", "EXCLUDED"), ("gold", "EXCLUDED")]
    lake.rows("DELETE FROM {schema}.bronze WHERE id = 1")  # a full refresh brings it back, a refresh does not
    lake.update(*texts)
    assert lake.rows("SELECT count(*) FROM {schema}.bronze") == [(2,)]
    reset = lake.update(*texts, full_refresh_selection=["bronze"], refresh=["gold"])
    assert statuses(reset)["apart"] == "EXCLUDED"
    assert reset.dataset("bronze").rows_read == 4
    assert lake.rows("SELECT sum(c) FROM {schema}.gold") == [(3,)]

    # A mistake anywhere must not cost the data of a full refresh.
    broken = lake.update(*texts, "CREATE MATERIALIZED VIEW wrong AS SELECT nothing FROM bronze;", full_refresh=True)
    assert "part_3.sql:1:1: 'wrong' cannot be analysed" in (broken.error or "")
    assert lake.rows("SELECT count(*) FROM {schema}.bronze") == [(3,)]
    everything = lake.update(*texts, full_refresh=True)
    assert statuses(everything)["apart"] == "COMPLETED"
    assert everything.dataset("bronze").num_output_rows == 3
    phases = [" ".join(state for (state,) in lake.rows(
        f"SELECT get_json_object(details, '$.update_progress.state') FROM {lake.events()} WHERE event_type = "
        f"'update_progress' AND origin.update_id = '{each.update_id}' ORDER BY sequence.data_plane_id.seq_no"
    )) for each in (broken, everything)]
    assert phases == ["INITIALIZING FAILED", "INITIALIZING RESETTING SETTING_UP_TABLES RUNNING COMPLETED"]


def test_a_materialized_view_is_computed_exactly_when_it_may_differ(lake: Lake) -> None:
    def run(condition: str = "true", value: str = "count(*)") -> dict[str, str]:
        return statuses(
            lake.update(
                f"CREATE TEMPORARY VIEW some AS SELECT * FROM source WHERE {condition};"
                f"CREATE MATERIALIZED VIEW total AS SELECT {value} AS c FROM some;"
                "CREATE MATERIALIZED VIEW moment AS SELECT current_timestamp() AS now, * FROM source;"
            )
        )

    assert run()["total"] == "COMPLETED"
    assert run() == {"some": "COMPLETED", "total": "IDLE", "moment": "COMPLETED"}
    assert run(condition="id > 1")["total"] == "COMPLETED"
    assert lake.rows("SELECT c FROM {schema}.total") == [(3,)]
    lake.rows("DELETE FROM {schema}.total")
    assert run(condition="id > 1")["total"] == "COMPLETED"
    lake.rows("INSERT INTO {schema}.source VALUES (7, 'g', 7)")
    assert run(condition="id > 1")["total"] == "COMPLETED"
    assert run(condition="id > 1")["total"] == "IDLE"
    lake.spark.udf.register("my_label", lambda value: "one", "string")
    assert run(condition="id > 1", value="max(my_label(v))")["total"] == "COMPLETED"  # its type changed, too
    assert run(condition="id > 1", value="max(my_label(v))")["total"] == "COMPLETED"
    assert lake.rows("SELECT c FROM {schema}.total") == [("one",)]


def test_state_on_disk_may_be_lost_without_losing_rows(lake: Lake) -> None:
    texts = (BRONZE, "CREATE MATERIALIZED VIEW total AS SELECT count(*) AS c FROM bronze;")
    lake.update(*texts)
    home = next(path for path in (lake.folder / "checkpoints").iterdir())
    (home / "bronze" / "bronze" / "_flow.json").write_text("{damaged")
    assert statuses(lake.update(*texts)) == {"bronze": "COMPLETED", "total": "IDLE"}
    assert lake.rows("SELECT count(*) FROM {schema}.bronze") == [(3,)]

    # An update that was killed in its reset: the next one finishes it, whatever it selects.
    (home / "_resets").mkdir(exist_ok=True)
    (home / "_resets" / "bronze").touch()
    (home / "_number").unlink()
    report = lake.update(*texts, refresh=["total"])
    assert report.dataset("bronze").rows_read == 4
    assert lake.rows("SELECT count(*), (SELECT c FROM {schema}.total) FROM {schema}.bronze") == [(3, 3)]
    assert not list((home / "_resets").iterdir())

    lake.rows("DROP TABLE {schema}.bronze")  # with its checkpoint left behind
    assert lake.update(*texts).dataset("bronze").num_output_rows == 3

    # A server that was killed while it made tables: their folders have a log without a commit, and Delta refuses them.
    for table in ("total", lake.events().split(".")[1]):
        leave_behind(lake, table)
    assert lake.update(*texts).error is None
    assert lake.rows("SELECT c FROM {schema}.total") == [(3,)]
    assert lake.rows(f"SELECT count(DISTINCT origin.update_id) FROM {lake.events()}") == [(1,)]


def test_a_stream_that_was_killed_in_its_very_first_write_starts_anew(lake: Lake) -> None:
    lake.update(BRONZE)
    (checkpoint,) = (lake.folder / "checkpoints").glob("*/bronze/bronze")
    lake.rows("DROP TABLE {schema}.bronze")
    shutil.rmtree(checkpoint)
    for name in ("offsets/.0.5d1e.tmp", "offsets/..0.5d1e.tmp.crc", "commits/.0.crc"):
        (checkpoint / name).parent.mkdir(parents=True, exist_ok=True)
        (checkpoint / name).touch()
    assert lake.update(BRONZE).error is None
    assert lake.rows("SELECT count(*) FROM {schema}.bronze") == [(3,)]
    assert (checkpoint / "offsets" / "0").exists()


def leave_behind(lake: Lake, table: str) -> None:
    """What is left of a table whose making was cut off long ago."""
    lake.rows(f"DROP TABLE {{schema}}.{table}")
    described = lake.rows("DESCRIBE SCHEMA EXTENDED {schema}")
    log = Path(next(row[1] for row in described if row[0] == "Location").removeprefix("file:"), table, "_delta_log")
    log.mkdir(parents=True)
    (log / ".00000000000000000000.json.5d1e.tmp").touch()
    for path in (*log.iterdir(), log, log.parent):
        os.utime(path, (1_700_000_000, 1_700_000_000))


COMPILED = """
from pyspark import pipelines as dp
from pyspark.sql import functions as F

@dp.materialized_view
def gold():
    settings = [spark.conf.get(f"spark.sql.{name}") for name in ("codegen.wholeStage", "adaptive.enabled")]
    return spark.read.table("source").agg(F.count("*").alias("n"), F.lit("/".join(settings)).alias("settings"))
"""


def test_an_update_like_one_of_few_rows_compiles_nothing_and_leaves_the_session_as_it_was(lake: Lake) -> None:
    before = {name: lake.spark.conf.get(name) for name in (*effort.FOR_FEW, "spark.sql.adaptive.enabled")}
    lake.spark.conf.set("spark.sql.codegen.wholeStage", "true")
    try:
        for rows, settings in ((4, "true/false"), (8, "false/false")):
            assert lake.update(COMPILED).error is None
            assert lake.rows("SELECT * FROM {schema}.gold") == [(rows, settings)]
            lake.rows(ROWS)
            assert lake.spark.conf.get("spark.sql.codegen.wholeStage") == "true"
        own = {"spark.sql.codegen.wholeStage": "true", "spark.sql.adaptive.enabled": "true"}
        lake.update(COMPILED, parameters=own)
        assert lake.rows("SELECT * FROM {schema}.gold") == [(12, "true/true")]
    finally:
        lake.spark.conf.set("spark.sql.codegen.wholeStage", before["spark.sql.codegen.wholeStage"])
    assert {name: lake.spark.conf.get(name) for name in before} == before


def test_tables_of_which_the_catalog_never_learnt_are_made_anew(lake: Lake) -> None:
    """The server died between a table's first commit and its entry in the catalog."""
    lake.rows("CREATE TABLE {schema}.empty (id BIGINT) USING delta")
    folder = Path(local_path(lake.rows("DESCRIBE DETAIL {schema}.empty")[0][4]))
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    for name in ("bronze", lake.events().split(".")[1]):
        shutil.copytree(folder, folder.parent / name)
    assert lake.update(BRONZE).error is None
    assert lake.rows("SELECT count(*) FROM {schema}.bronze")[0][0] > 0
    assert lake.rows(f"SELECT count(*) FROM {lake.events()}")[0][0] > 0


def test_a_view_with_other_columns_keeps_its_rows_until_it_can_be_filled(lake: Lake) -> None:
    def run(value: str, condition: str) -> UpdateReport:
        return lake.update(f"CREATE MATERIALIZED VIEW one AS SELECT id, {value} AS a FROM source WHERE {condition};"
                           f"CREATE MATERIALIZED VIEW two AS SELECT a, count(*) AS c FROM one GROUP BY a;")

    assert run("1", "true").error is None
    before = lake.rows("SELECT * FROM {schema}.two")
    report = run("'x'", "raise_error('late') IS NULL")
    assert "late" in str(report.error)
    assert statuses(report) == {"one": "FAILED", "two": "SKIPPED"}
    assert lake.rows("SELECT * FROM {schema}.two") == before
    assert lake.rows("SELECT DISTINCT a FROM {schema}.one") == [(1,)]
    assert run("'x'", "true").error is None
    assert lake.rows("SELECT a FROM {schema}.two") == [("x",)]


def test_events_come_into_their_table_without_spark_where_it_has_no_feature_that_needs_spark(lake: Lake) -> None:
    def engine() -> str:
        newest = lake.spark.sql(f"DESCRIBE HISTORY {lake.events()} LIMIT 1").collect()[0]
        return str(newest.engineInfo)

    def ends() -> list[tuple[Any, ...]]:
        return lake.rows(f"SELECT count(*), count(DISTINCT id), max(timestamp) <= now() FROM {lake.events()} "
                         "WHERE message LIKE 'Update % is COMPLETED.'")

    def begun(report: UpdateReport) -> bool:
        first = lake.rows(f"SELECT unix_millis(min(timestamp)), min(origin.pipeline_name) FROM {lake.events()} "
                          f"WHERE origin.update_id = '{report.update_id}'")[0]
        return report.started_ms <= first[0] <= (report.ended_ms or 0) and first[1] == "p"

    reports = []
    for _ in range(2):
        reports.append(lake.update(BRONZE))
        assert reports[-1].error is None
        assert "delta-rs" in engine()
    assert [begun(report) for report in reports] == [True, True]
    assert ends() == [(2, 2, True)]
    lake.rows(f"ALTER TABLE {lake.events()} SET TBLPROPERTIES ('delta.enableInCommitTimestamps' = 'true')")
    assert lake.update(BRONZE).error is None
    assert "delta-rs" not in engine()
    assert ends() == [(3, 3, True)]


def test_two_flows_write_into_one_table_and_one_failure_leaves_the_other(lake: Lake) -> None:
    lake.rows("CREATE TABLE {schema}.other (id BIGINT, extra STRING)")
    lake.rows("INSERT INTO {schema}.other VALUES (100, 'x')")
    target = "CREATE STREAMING TABLE both (CONSTRAINT low EXPECT (id < 50));"
    one = "CREATE FLOW from_source AS INSERT INTO both BY NAME SELECT id, v FROM STREAM source;"
    two = "CREATE FLOW from_other AS INSERT INTO both BY NAME SELECT id, extra FROM STREAM other;"
    reads = "CREATE MATERIALIZED VIEW all_of_it AS SELECT id, v, extra FROM both;"
    report = lake.update(target + one + two + reads)
    assert report.error is None
    assert counts(report, "both") == {"low": (4, 1)}
    assert lake.rows("SELECT * FROM {schema}.all_of_it WHERE id IN (1, 100) ORDER BY id") == [
        (1, "a", None),
        (100, None, "x"),
    ]

    lake.rows("UPDATE {schema}.source SET v = 'changed' WHERE id = 1")
    lake.rows("INSERT INTO {schema}.other VALUES (101, 'y')")
    failed = lake.update(target + one + two + reads)
    assert statuses(failed) == {"both": "FAILED", "all_of_it": "SKIPPED"}
    error = failed.error or ""
    assert "'from_source' failed: [DELTA_SOURCE_TABLE_IGNORE_CHANGES]" in error
    assert "SKIPCHANGECOMMITS" in error
    assert "full refresh of 'both'" in error
    assert lake.rows("SELECT count(*) FROM {schema}.both") == [(6,)]
    # A flow's name is its checkpoint: under another name it reads all of its source again.
    skipping = one.replace("STREAM source", "STREAM source WITH (SKIPCHANGECOMMITS)")
    assert lake.update(target + skipping + two.replace("from_other", "renamed") + reads).state == "COMPLETED"
    assert lake.rows("SELECT id FROM {schema}.both WHERE id >= 100 ORDER BY id") == [(100,), (100,), (101,), (101,)]


def test_new_columns_reach_every_table_and_changed_types_ask_for_a_full_refresh(lake: Lake) -> None:
    def texts(columns: str, read: str) -> str:
        return (
            f"CREATE STREAMING TABLE t AS SELECT {columns} FROM STREAM source;"
            f"CREATE MATERIALIZED VIEW m AS SELECT {read} FROM t;"
        )

    assert lake.update(texts("id, n", "n")).error is None
    lake.rows("INSERT INTO {schema}.source VALUES (8, 'h', 8)")
    assert lake.update(texts("id, n, v", "v, n")).error is None
    assert lake.rows("SELECT v FROM {schema}.m WHERE v IS NOT NULL") == [("h",)]
    lake.rows("INSERT INTO {schema}.source VALUES (10, 'j', 10)")
    wrong = lake.update(texts("id, named_struct('x', n) AS n, v", "v, n"))
    assert "or run a full refresh of 't'" in (wrong.error or "")
    mended = lake.update(texts("id, named_struct('x', n) AS n, v", "v, n.x AS x"), full_refresh=True)
    assert mended.error is None
    assert lake.rows("SELECT x FROM {schema}.m WHERE v = 'j'") == [(10,)]
    owner = lake.rows("SHOW TBLPROPERTIES {schema}.m ('pipelines.pipelineId')")
    assert owner[0][1] == mended.pipeline_id
    retyped = texts("id, named_struct('x', n) AS n, v", "v, string(n.x) AS x")
    failed = lake.update(retyped + "CREATE MATERIALIZED VIEW below AS SELECT nope FROM m;")
    assert "nope" in (failed.error or "")
    assert lake.rows("SELECT x FROM {schema}.m WHERE v = 'j'") == [(10,)]
    assert lake.update(retyped).error is None
    assert lake.rows("SELECT x FROM {schema}.m WHERE v = 'j'") == [("10",)]
