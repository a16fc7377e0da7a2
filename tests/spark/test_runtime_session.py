from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import NumberFormatException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from helpers.autoloader import UnsupportedOption
from helpers.classic import is_classic
from helpers.runtime import attach, detach, on_databricks
from helpers.runtime.errors import BadSetting
from helpers.runtime.places import Places
from helpers.runtime.statements import LakeStatements


@pytest.mark.classic
def test_pyspark_gives_our_session_back_wherever_it_gives_one(spark: SparkSession) -> None:
    assert isinstance(spark, LakeStatements)
    assert SparkSession.active() is spark
    assert SparkSession.getActiveSession() is spark
    assert spark.range(1).sparkSession is spark
    assert spark.range(1).filter(F.col("id") > 0).sparkSession is spark


@pytest.mark.classic
def test_streams_are_read_through_auto_loaders_reader(spark: SparkSession) -> None:
    from helpers.autoloader import CloudStreamReader
    from helpers.autoloader.classic_reader import ClassicCloudStreamReader

    reader = ClassicCloudStreamReader if is_classic(spark) else CloudStreamReader
    assert isinstance(spark.readStream, reader)


@pytest.mark.classic
@pytest.mark.parametrize("ask", [
    lambda read: read.option("RescuedDataColumn", "lost"),
    lambda read: read.schema("id INT").options(rescuedDataColumn="lost"),
    lambda read: read.load("/nowhere", format="json", rescuedDataColumn="lost"),
])
def test_a_batch_reader_refuses_what_rescues_nothing_and_is_sparks_own_else(
    spark: SparkSession, tmp_path: Path, ask: Callable[[Any], Any]
) -> None:
    with pytest.raises(UnsupportedOption, match=r"option '[rR]escuedDataColumn'.*read_files\(.*rescuedDataColumn => "):
        ask(spark.read)
    with pytest.raises(UnsupportedOption, match=r"option 'rescuedDataColumn'.*cloudFiles"):
        spark.readStream.schema("id INT").option("rescuedDataColumn", "lost").json(str(tmp_path))
    (tmp_path / "a.csv").write_text("1;x\n")
    assert tuple(spark.read.option("sep", ";").options(header=False).csv(str(tmp_path)).first()) == ("1", "x")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.sql.session.timeZone", "UTC"),
        ("spark.sql.ansi.enabled", "true"),
        ("spark.sql.sources.default", "delta"),
        ("spark.sql.shuffle.partitions", "2"),
        ("spark.databricks.delta.snapshotPartitions", "1"),
        ("spark.sql.streaming.numRecentProgressUpdates", "10000"),
        ("spark.sql.catalogImplementation", "hive"),
        # Files are renamed without starting a process for each.
        ("spark.delta.logStore.file.impl", "io.delta.storage.LocalLogStore"),
    ],
)
def test_the_local_server_behaves_like_databricks(spark: SparkSession, key: str, value: str) -> None:
    assert spark.conf.get(key) == value


def test_sparks_sql_has_what_a_lesson_writes_in_databricks_sql(spark: SparkSession) -> None:
    rows = spark.sql("FROM range(4) |> WHERE id > 1 |> EXTEND id * 2 AS twice |> SELECT twice ORDER BY twice")
    assert [row.twice for row in rows.collect()] == [4, 6]
    one = spark.sql("""
        SELECT * EXCEPT (s), parse_json(s):a.b::int AS b, '7'::int AS seven
        FROM VALUES (1, '{"a": {"b": 5}}'), (2, '{}') AS t(id, s)
        QUALIFY row_number() OVER (ORDER BY id) = 1""")
    assert [row.asDict() for row in one.collect()] == [{"id": 1, "b": 5, "seven": 7}]


def test_a_table_without_a_format_is_delta_and_lies_in_the_home(
    spark: SparkSession, schema: str, places: Places
) -> None:
    spark.sql("CREATE TABLE t (id INT)")
    detail = spark.sql("DESCRIBE DETAIL t").first()
    assert detail.format == "delta"
    assert Path(detail.location.removeprefix("file:")).is_relative_to(places.warehouse)


@pytest.mark.parametrize(
    "statement",
    [
        "MERGE INTO t USING (SELECT 2 AS id) s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *",
        "UPDATE t SET id = 7 WHERE id = 1",
        "DELETE FROM t WHERE id = 1",
        "OPTIMIZE t",
        "VACUUM t DRY RUN",
        "ALTER TABLE t SET TBLPROPERTIES (delta.enableChangeDataFeed = true)",
        "ALTER TABLE t CLUSTER BY (id)",
        "CREATE TABLE c SHALLOW CLONE t",
        "RESTORE TABLE t TO VERSION AS OF 0",
        "SELECT * FROM t VERSION AS OF 1",
        "DESCRIBE HISTORY t",
    ],
)
def test_delta_works_with_the_jars_that_are_fetched(spark: SparkSession, schema: str, statement: str) -> None:
    spark.sql("CREATE TABLE t (id INT) USING delta")
    spark.sql("INSERT INTO t VALUES (1)")
    assert spark.sql(statement).collect() is not None
    assert spark.sql("DESCRIBE HISTORY t").first().version >= 1


def test_a_python_function_runs_on_the_server_and_can_import_helpers(spark: SparkSession) -> None:
    @F.udf("string")
    def where(_):
        import helpers

        return str(helpers.__doc__)

    import helpers

    assert spark.range(1).select(where("id")).first()[0] == helpers.__doc__


def test_a_batch_function_of_a_stream_reaches_the_server_in_spite_of_its_token(
    spark: SparkSession, schema: str, tmp_path: Path
) -> None:
    spark.sql("CREATE TABLE source AS SELECT 1 AS id")

    def append(batch, batch_id: int) -> None:
        batch.write.mode("append").saveAsTable(f"{schema}.target")

    stream = spark.readStream.table("source").writeStream.foreachBatch(append)
    stream.option("checkpointLocation", str(tmp_path / "checkpoint")).trigger(availableNow=True)
    stream.start().awaitTermination()
    assert spark.table("target").count() == 1


def test_an_error_is_said_once_and_without_the_servers_stack(
    spark: SparkSession, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NumberFormatException) as caught:
        spark.sql("SELECT CAST('a' AS INT)").collect()
    assert "CAST_INVALID_INPUT" in str(caught.value)
    assert "org.apache.spark" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_on_databricks_the_ambient_session_is_given_untouched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ambient = object()
    monkeypatch.setattr(SparkSession, "getActiveSession", classmethod(lambda cls: ambient))
    before = dict(os.environ)
    assert attach(Places(tmp_path / "new"), environ={"DATABRICKS_RUNTIME_VERSION": "17.3"}) is ambient
    monkeypatch.setenv("DATABRICKS_RUNTIME_VERSION", "client.4.1")
    assert on_databricks()
    detach(ambient)
    monkeypatch.undo()
    assert dict(os.environ) == before
    assert not (tmp_path / "new").exists()


def test_on_databricks_a_session_is_asked_for_where_none_is_active_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Builder:
        def getOrCreate(self) -> str:
            return "created"

    monkeypatch.setattr(SparkSession, "getActiveSession", classmethod(lambda cls: None))
    monkeypatch.setattr(SparkSession, "builder", Builder())
    assert attach(Places(tmp_path), environ={"DATABRICKS_RUNTIME_VERSION": "17.3"}) == "created"


@pytest.mark.parametrize("remote", ["local[2]", "https://host", "sc://"])
def test_a_spark_remote_that_is_no_address_names_itself(spark: SparkSession, tmp_path: Path, remote: str) -> None:
    from helpers.runtime.session import _check_reachable

    with pytest.raises(BadSetting, match=r"^SPARK_REMOTE is .*give sc://HOST:PORT"):
        _check_reachable(remote)
