"""Auto Loader's options beyond the modes: which files, how many at a time, folders, records over several lines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import IllegalArgumentException, StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from helpers.autoloader import MissingSchemaLocation, UnsupportedOption
from helpers.runtime import Places
from tests.spark.autoloader_lab import Lab, new_lab, types


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    return new_lab(spark, tmp_path)


def test_folders_become_columns_that_take_no_part_in_evolution(lab: Lab) -> None:
    lab.land("day=2026-01-01/kind=a%20+b/a.json", {"id": 1, "kind": "in the file"})
    lab.run()
    assert types(lab.read()) == {"id": "bigint", "day": "date", "kind": "string", "_rescued_data": "string"}
    lab.land("day=2026-01-02/kind=__HIVE_DEFAULT_PARTITION__/other=1/b.json", {"id": 2, "kind": "x"})
    lab.run()
    assert [(id, str(day), kind) for id, day, kind in lab.rows("id", "day", "kind")] == [
        (1, "2026-01-01", "a +b"), (2, "2026-01-02", None)]
    assert lab.rescued() == [{"kind": "in the file"}, {"kind": "x"}]
    lab.land("day=2026-01-02/kind=c/c.json", {"id": 3, "new": 1})
    assert "`new`" in lab.stops_at_new_fields()
    lab.run()
    assert lab.columns() == ["id", "day", "kind", "_rescued_data", "new"]
    given = lab.read("day STRING, id INT", reader={"pathGlobFilter": "c.json"})
    assert types(given) == {"day": "string", "id": "int"}


def test_files_that_were_there_before_are_left_out(lab: Lab) -> None:
    lab.land("old +1%.json", {"id": 1})
    lab.run(lab.read(includeExistingFiles="false"))
    lab.land("new.json", {"id": 2})
    lab.run(lab.read(includeExistingFiles="false"))
    assert lab.rows("id") == [(2,)]
    with pytest.raises(MissingSchemaLocation, match="includeExistingFiles"):
        lab.read("id INT", includeExistingFiles="false")


@pytest.mark.parametrize(("schema", "first", "loaded"), [
    (None, "true", [(1,), (2,)]), ("id INT", "true", [(1,), (2,)]), ("id INT", "false", [(2,)])])
def test_what_is_said_of_existing_files_counts_only_the_first_time(
    lab: Lab, schema: str | None, first: str, loaded: list[tuple[int]]
) -> None:
    def run(existing: str) -> None:
        lab.run(lab.read(schema, schemaLocation=str(lab.root / "schema"), includeExistingFiles=existing))

    lab.land("1.json", {"id": 1})
    run(first)
    lab.land("2.json", {"id": 2})
    run("false" if first == "true" else "true")
    assert lab.rows("id") == loaded


def test_a_stream_without_a_trigger_goes_on_with_the_files_that_the_filters_choose(lab: Lab) -> None:
    for name in ("a.json", "b.txt", "sub/c.json", "day=1/d.json"):
        lab.land(name, {"id": name})
    chosen = lab.read(reader={"pathGlobFilter": "*.json", "recursiveFileLookup": "true"})
    query = chosen.writeStream.option("checkpointLocation", str(lab.root / "state")).start(str(lab.root / "table"))
    try:
        query.processAllAvailable()
        assert lab.rows() == [("a.json", None), ("day=1/d.json", None), ("sub/c.json", None)]
        lab.land("e.json", {"id": "e.json"})
        query.processAllAvailable()
        assert query.isActive
    finally:
        query.stop()
    assert len(lab.rows()) == 4


def test_files_are_chosen_by_time(lab: Lab) -> None:
    for name, at in (("a.json", 1_700_000_000), ("b.json", 1_700_000_100), ("c.json", 1_700_000_200)):
        os.utime(lab.land(name, {"id": name}), (at, at))
    times = {"modifiedAfter": "2023-11-14T22:13:20", "modifiedBefore": "2023-11-14T22:16:40Z"}
    lab.run(lab.read(reader=times))
    assert lab.rows("id") == [("b.json",)]


def test_a_micro_batch_has_as_much_as_its_limit_allows_unless_there_is_to_be_only_one(lab: Lab) -> None:
    def batches(names: str, frame: Any, **trigger: Any) -> list[int]:
        """The rows of each micro-batch that reads these files, of one record each."""
        for name in names:
            lab.land(f"{name}.json", {"id": name})
        query = lab.start(frame, **trigger)
        assert query.awaitTermination(60)
        return [each.numInputRows for each in query.recentProgress if each.numInputRows]

    assert batches("abc", lab.read("id STRING", maxFilesPerTrigger="2")) == [2, 1]
    assert batches("de", lab.read("id STRING", maxBytesPerTrigger="1b")) == [1, 1]
    assert batches("fg", lab.read("id STRING", maxFilesPerTrigger="1"), once=True) == [2]
    landing = str(lab.landing / "h.json")

    @F.udf("string")
    def land_another(id):
        with open(landing, "w") as file:
            file.write('{"id": "h"}')
        return id

    # What comes while it runs is for the next run.
    assert batches("i", lab.read("id STRING", maxFilesPerTrigger="1").select(land_another("id").alias("id"))) == [1]
    assert batches("", lab.read("id STRING")) == [1]
    with pytest.raises(StreamingQueryException, match="ContinuousTrigger"):
        batches("", lab.read("id STRING"), continuous="1 second")
    with pytest.raises(IllegalArgumentException, match="REAL_TIME_MODE"):
        batches("", lab.read("id STRING"), realTime="5 seconds")
    assert len(lab.rows("id")) == 9


def test_a_record_may_go_over_several_lines(lab: Lab) -> None:
    lab.land("a.json", '{\n "id": 1,\n "n": {"p": "x"}\n}\n')
    several = {"multiLine": "true"}
    lab.run(lab.read(reader=several))
    lab.land("b.json", '[{"id": 2,\n "N": 1}, {"id": "two"}]\n')
    lab.land("empty.json", "")
    lab.land("half.json", '{"id": 3,\n "n": {')
    lab.run(lab.read(reader=several))
    assert lab.rows("id", "n.p") == [(1, "x"), (2, None), (None, None), (None, None)]
    assert {"N": 1} in lab.rescued()
    assert {"id": "two"} in lab.rescued()
    lab.land("c.json", '{\n"new": 1\n}')
    assert "c.json" in lab.stops_at_new_fields(lab.read(reader=several))


def test_a_quoted_csv_value_may_go_over_several_lines(spark: SparkSession, tmp_path: Path) -> None:
    lab = new_lab(spark, tmp_path, "csv")
    lab.land("a.csv", 'id,text\n1,"two\nlines, and ""quotes"""\n2,x\n')
    lab.run(lab.read(reader={"multiLine": "true", "escape": '"'}))
    assert lab.rows("id", "text", "_rescued_data") == [(1, 'two\nlines, and "quotes"', None), (2, "x", None)]


def test_a_streams_state_and_a_batch_of_its_files_are_read_in_sql(
    lab: Lab, spark: SparkSession, schema: str, places: Places
) -> None:
    lab.land("day=1/a.json", {"id": 1, "price": 1.5})
    lab.run()
    (state,) = spark.sql(f"SELECT * FROM cloud_files_state('{lab.root / 'state'}')").collect()
    path, created = state.path, lab.landing / "day=1" / "a.json"
    assert path.endswith("/landing/day=1/a.json")
    assert (state.size, int(state.create_time.timestamp())) == (created.stat().st_size, int(created.stat().st_mtime))
    assert state.create_time < state.discovery_time < state.processed_time == state.commit_time
    assert state[6:] == (None, None, None, "0", None, "COMMITTED")
    # A pipeline keeps the checkpoint of each flow into a streaming table so.
    shutil.copytree(lab.root / "state", places.checkpoints / schema / "st" / "my_flow")
    spark.sql(f"CREATE TABLE st (id INT) TBLPROPERTIES ('pipelines.pipelineId' = '{schema}')")
    (of_table,) = spark.sql(f"SELECT path, flow_name, source_id FROM cloud_files_state(TABLE({schema}.st))").collect()
    assert tuple(of_table) == (path, "my_flow", "0")
    lab.land("sub/b.json", {"id": "x", "price": 2})
    lab.land("_hidden.json", {"no": 1})
    files = f"read_files('{lab.landing}', schemaHints => 'id BIGINT')"
    frame = spark.sql(f"SELECT *, '{{}}' AS braces FROM {files} AS f WHERE price > 1")
    assert types(frame) == {"id": "bigint", "price": "double", "day": "int", "_rescued_data": "string",
                            "braces": "string"}
    rows = sorted(map(tuple, frame.collect()), key=repr)
    assert rows[0] == (1, 1.5, 1, None, "{}")
    assert rows[1][:3] == (None, 2.0, None)
    assert rows[1][3].startswith('{"id":"x","_file_path":')
    spark.sql(f"CREATE TABLE t AS SELECT _metadata.file_name AS file, f.* FROM {files} f")
    assert sorted(spark.table("t").columns) == ["_rescued_data", "day", "file", "id", "price"]
    spark.sql(f"INSERT INTO t BY NAME SELECT id AS file FROM read_files('{lab.landing}', SCHEMA => 'id STRING')")
    assert spark.table("t").count() == 4
    asked = {"spark.databricks.sql.rescuedDataColumn.filePath.enabled": "false",
             "spark.databricks.cloudFiles.schemaInference.sampleSize.numFiles": "1"}
    assert types(spark.sql(f"SELECT * FROM read_files('{lab.landing}')"))["id"] == "string"
    for name, value in asked.items():
        spark.conf.set(name, value)
    frame = spark.sql(f"SELECT * FROM read_files('{lab.landing}')")
    for name in asked:
        spark.conf.unset(name)
    assert types(frame)["id"] == "bigint"
    assert sorted(map(tuple, frame.select("id", "_rescued_data").collect()), key=repr) == [
        (1, None), (None, '{"id":"x"}')]
    none = f"read_files('{lab.landing}/none*', format => 'json', schema => 'id INT')"
    assert spark.sql(f"SELECT id, _metadata.file_name FROM {none}").collect() == []
    plain = spark.sql(f"SELECT * FROM read_files('{lab.landing}', inferColumnTypes => false, "
                      "schemaEvolutionMode => 'none')")
    assert types(plain) == {"id": "string", "price": "string", "day": "string"}
    with pytest.raises(UnsupportedOption, match="args"):
        spark.sql(f"SELECT :x FROM {files}", {"x": 1})
    with pytest.raises(UnsupportedOption, match="maxFilesPerTrigger"):
        spark.sql(f"SELECT * FROM read_files('{lab.landing}', maxFilesPerTrigger => 1)")


def test_a_file_that_is_overwritten_is_read_again_only_where_that_is_allowed(lab: Lab, spark: SparkSession) -> None:
    def land(name: str, at: int, *records: dict[str, int]) -> None:
        os.utime(lab.land(name, *records), (at, at))

    anew = {"allowOverwrites": "true"}
    land("a.json", 1_700_000_000, {"id": 1})
    land("b.json", 1_700_000_001, {"id": 2})
    if not hasattr(spark, "_client"):  # a classic session has none that could look before a stream starts
        with pytest.raises(UnsupportedOption, match="allowOverwrites"):
            lab.read(**anew)
        return
    lab.run(lab.read(**anew))
    land("a.json", 1_700_000_002, {"id": 1}, {"id": 3})
    lab.run(lab.read())
    assert lab.rows("id") == [(1,), (2,)]
    # An older time is another time too; and a view in between is no hindrance.
    land("b.json", 1_600_000_000, {"id": 4})
    lab.read(**anew).createOrReplaceTempView("landed_anew")
    lab.run(spark.sql("SELECT * FROM landed_anew WHERE id > 0"))
    spark.catalog.dropTempView("landed_anew")
    assert lab.rows("id") == [(1,), (1,), (2,), (3,), (4,)]
    lab.run(lab.read(**anew))
    assert len(lab.rows("id")) == 5
    state = spark.sql(f"SELECT path, create_time FROM cloud_files_state('{lab.root / 'state'}')").collect()
    assert sorted((row.path[-6:], int(row.create_time.timestamp())) for row in state) == [
        ("a.json", 1_700_000_002), ("b.json", 1_600_000_000)]


def test_a_batch_of_csv_or_text_files_has_the_columns_that_are_there_now(lab: Lab, spark: SparkSession) -> None:
    lab.land("people.csv", "id,name", "1,Ann", "2,Bob")
    files = f"SELECT * FROM read_files('{lab.landing}', pathGlobFilter => '*.csv')"
    assert types(spark.sql(files)) == {"id": "int", "name": "string", "_rescued_data": "string"}
    assert sorted(map(tuple, spark.sql(files).collect())) == [(1, "Ann", None), (2, "Bob", None)]
    lab.land("more.csv", "id,born", "3.5,2001-02-03")
    frame = spark.sql(files)
    assert types(frame) == {"id": "double", "born": "date", "name": "string", "_rescued_data": "string"}
    assert sorted((id, str(born), name) for id, born, name, _ in frame.collect()) == [
        (1.0, "None", "Ann"), (2.0, "None", "Bob"), (3.5, "2001-02-03", None)]
    lab.land("notes.txt", "first line", "second, line")
    notes = spark.sql(f"SELECT * FROM read_files('{lab.landing}/notes.txt')")
    assert (notes.columns, sorted(map(tuple, notes.collect()))) == (["value"], [("first line",), ("second, line",)])
