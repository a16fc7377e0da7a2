"""COPY INTO: what is loaded, what is refused, and that each file is loaded once whatever happens."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from pyspark.sql import SparkSession

from helpers.autoloader import CopyTargetError, EmptyCopySource, FilesDisagree, UnsupportedOption
from helpers.autoloader.copy_target import Target


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    (tmp_path / "landing").mkdir()
    return tmp_path / "landing"


def copy(spark: SparkSession, text: str) -> tuple[int, ...]:
    """The statement's result row."""
    result = spark.sql(f"COPY INTO {text}")
    assert result.columns == ["num_affected_rows", "num_inserted_rows", "num_skipped_corrupt_files"]
    (row,) = result.collect()
    return tuple(row)


def rows(spark: SparkSession, table: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in spark.table(table).collect()), key=repr)


@pytest.mark.classic
def test_files_are_loaded_once_into_a_table_that_grows_from_nothing(
    spark: SparkSession, schema: str, landing: Path
) -> None:
    text = (f"t FROM '{landing}' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true', "
            "'mergeSchema' = 'true') COPY_OPTIONS ('mergeSchema' = 'true')")
    spark.sql("CREATE TABLE t")
    with pytest.raises(EmptyCopySource, match=r"COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED.*parsable files of type CSV"):
        copy(spark, text)
    spark.conf.set("spark.databricks.delta.copyInto.emptySourceCheck.enabled", "false")
    assert copy(spark, text) == (0, 0, 0)
    spark.conf.unset("spark.databricks.delta.copyInto.emptySourceCheck.enabled")
    (landing / "a.csv").write_text("id,name\n1,x\n2,y\n")
    (landing / "empty.csv").touch()
    assert copy(spark, text) == (2, 2, 0)
    assert copy(spark, text) == (0, 0, 0)
    # A file is known by its path: what is in it now does not matter.
    (landing / "a.csv").write_text("id,name\n3,z\n")
    (landing / "b.csv").write_text("price,id\n1.5,4\n")
    assert copy(spark, text) == (1, 1, 0)
    assert rows(spark, "t") == [(1, "x", None), (2, "y", None), (4, None, 1.5)]
    assert copy(spark, text.replace("COPY_OPTIONS (", "COPY_OPTIONS ('force' = 'true', ")) == (2, 2, 0)
    assert spark.table("t").count() == 5
    spark.sql("DELETE FROM t")
    assert copy(spark, text) == (0, 0, 0)
    # A table that is made anew has loaded nothing.
    spark.sql("CREATE OR REPLACE TABLE t (id INT)")
    assert copy(spark, text) == (2, 2, 0)


def test_what_a_killed_client_left_is_complete_or_was_never_there(
    spark: SparkSession, schema: str, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"t FROM '{landing}' FILEFORMAT = JSON"
    spark.sql("CREATE TABLE t (id BIGINT)")
    (landing / "a.json").touch()
    with pytest.raises(EmptyCopySource, match="JSON"):
        copy(spark, text)
    (landing / "a.json").write_text('{"id": 1}\n')
    append = Target.append

    def killed_before(self: Target, *_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    def killed_after(self: Target, *given: Any, **named: Any) -> None:
        append(self, *given, **named)
        raise KeyboardInterrupt

    for killed, count in ((killed_before, 0), (killed_after, 1)):
        monkeypatch.setattr(Target, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            copy(spark, text)
        assert spark.table("t").count() == count
    monkeypatch.setattr(Target, "append", append)
    (landing / "b.json").write_text('{"id": 2}\n')
    assert copy(spark, text) == (1, 1, 0)
    assert rows(spark, "t") == [(1,), (2,)]
    # The server goes on for a client that was killed: its load comes while another one is under way.
    (landing / "c.json").write_text('{"id": 3}\n')
    late: list[tuple[Any, ...]] = []

    def overtaken(self: Target, *given: Any, **named: Any) -> None:
        if not late:
            late.append((given, named))
            copy(spark, text)
        append(self, *given, **named)

    monkeypatch.setattr(Target, "append", overtaken)
    assert copy(spark, text) == (0, 0, 0)
    assert rows(spark, "t") == [(1,), (2,), (3,)]


def test_two_clients_at_once_load_each_file_once(spark: SparkSession, schema: str, landing: Path) -> None:
    spark.sql("CREATE TABLE t (id BIGINT)")
    for number in range(3):
        (landing / f"{number}.json").write_text(json.dumps({"id": number}))
    counts: list[int] = []

    def client() -> None:
        counts.append(copy(spark, f"{schema}.t FROM '{landing}' FILEFORMAT = JSON")[0])

    clients = [threading.Thread(target=client) for _ in range(2)]
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    assert sorted(counts) == [0, 3]
    assert rows(spark, "t") == [(0,), (1,), (2,)]


def test_a_select_names_files_patterns_and_partitions(spark: SparkSession, schema: str, landing: Path) -> None:
    for day, number in (("2026-01-01", 1), ("2026-01-02", 2)):
        (landing / f"day={day}").mkdir()
        (landing / f"day={day}" / "a.json").write_text(json.dumps({"id": str(number), "more": {"x": number}}))
    spark.sql("CREATE TABLE t (id INT, x BIGINT, day DATE, file STRING)")
    select = f"t FROM (SELECT id::int, more.x, day, _metadata.file_name AS file FROM '{landing}') FILEFORMAT = JSON"
    assert copy(spark, f"{select} PATTERN = 'day=*-01/*.json'") == (1, 1, 0)
    assert copy(spark, f"{select} FILES = ('day=2026-01-01/a.json', 'day=2026-01-02/a.json')") == (1, 1, 0)
    assert [(id, x, str(day), file) for id, x, day, file in rows(spark, "t")] == [
        (1, 1, "2026-01-01", "a.json"), (2, 2, "2026-01-02", "a.json")]
    location = spark.sql("DESCRIBE DETAIL t").first().location.removeprefix("file:")
    (landing / "b.json").write_text('{"id": "3"}')
    by_path = f"delta.`{location}` FROM (SELECT *, 'here' AS file FROM '{landing}/b.json') FILEFORMAT = JSON"
    with pytest.raises(Exception, match=r"(?i)merge|type"):
        copy(spark, by_path)
    assert copy(spark, by_path.replace("*", "id::int")) == (1, 1, 0)
    assert spark.table("t").filter("id = 3").first().file == "here"


def test_validate_checks_and_writes_nothing(spark: SparkSession, schema: str, landing: Path) -> None:
    spark.sql("CREATE TABLE t (id BIGINT NOT NULL, name STRING)")
    spark.sql("ALTER TABLE t ADD CONSTRAINT small CHECK (id < 100)")
    (landing / "a.json").write_text('{"id": 1, "name": "x"}\n{"id": 2, "name": "y"}\n')
    text = f"COPY INTO t FROM '{landing}' FILEFORMAT = JSON VALIDATE"
    assert [tuple(row) for row in spark.sql(text).collect()] == [(1, "x"), (2, "y")]
    assert spark.sql(f"{text} 1 ROWS").count() == 1
    (landing / "b.json").write_text('{"id": 100}\n{"name": "z"}\n')
    with pytest.raises(CopyTargetError, match=r"id NOT NULL \(1 rows\), CHECK .*100.* \(1 rows\)"):
        spark.sql(f"{text} ALL")
    (landing / "b.json").write_text('{"id": 1, "new": 1}\n')
    with pytest.raises(CopyTargetError, match=r"'new'.*mergeSchema"):
        spark.sql(text)
    load = f"t FROM '{landing}' FILEFORMAT = JSON"
    with pytest.raises(Exception, match=r"(?i)schema mismatch|mergeSchema"):
        copy(spark, load)
    assert (spark.table("t").columns, spark.table("t").count()) == (["id", "name"], 0)
    assert copy(spark, f"t FROM '{landing}/a.json' FILEFORMAT = JSON") == (2, 2, 0)
    # What was refused is not known as loaded.
    assert copy(spark, f"{load} COPY_OPTIONS ('mergeSchema' = 'true')") == (1, 1, 0)
    assert rows(spark, "t") == [(1, "x", None), (1, None, 1), (2, "y", None)]


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_files_with_different_columns_are_merged_in_the_read_and_then_into_the_table(
    spark: SparkSession, schema: str, landing: Path, format: str
) -> None:
    write = pq.write_table if format == "parquet" else orc.write_table
    write(pa.table({"id": [1], "name": ["x"]}), landing / f"a.{format}")
    write(pa.table({"id": [2], "price": [1.5]}), landing / f"b.{format}")
    spark.sql("CREATE TABLE t")
    merged = "('mergeSchema' = 'true')"
    assert copy(spark, f"t FROM '{landing}' FILEFORMAT = {format} FORMAT_OPTIONS {merged} COPY_OPTIONS {merged}") == (
        2, 2, 0)
    found = [(row.id, row.name, row.price) for row in spark.table("t").collect()]
    assert sorted(found) == [(1, "x", None), (2, None, 1.5)]


def test_corrupt_files_are_skipped_only_when_asked_and_loaded_once_repaired(
    spark: SparkSession, schema: str, landing: Path
) -> None:
    pq.write_table(pa.table({"id": [1]}), landing / "a.parquet")
    whole = (landing / "a.parquet").read_bytes()
    (landing / "b.parquet").write_bytes(whole[:-20])
    spark.sql("CREATE TABLE t")
    text = f"t FROM '{landing}' FILEFORMAT = PARQUET"
    merged = " COPY_OPTIONS ('mergeSchema' = 'true')"
    with pytest.raises(Exception, match=r"b\.parquet"):
        copy(spark, text + " FORMAT_OPTIONS ('mergeSchema' = 'true')" + merged)
    skipping = f"{text} FORMAT_OPTIONS ('ignoreCorruptFiles' = 'true'){merged}"
    assert copy(spark, skipping) == (1, 1, 1)
    assert copy(spark, skipping) == (0, 0, 1)
    (landing / "b.parquet").write_bytes(whole)
    assert copy(spark, skipping) == (1, 1, 0)


def test_columns_are_filled_by_position_and_other_formats_are_read(
    spark: SparkSession, schema: str, landing: Path
) -> None:
    spark.sql("CREATE TABLE t (id BIGINT, day DATE)")
    (landing / "a.csv").write_text("2026-01-01,7\n")
    assert copy(spark, f"t (day, id) FROM '{landing}' FILEFORMAT = CSV") == (1, 1, 0)
    assert [(row.id, str(row.day)) for row in spark.table("t").collect()] == [(7, "2026-01-01")]
    (landing / "b.csv").write_text("1,2,3\n")
    with pytest.raises(FilesDisagree, match="3 columns, and 2"):
        copy(spark, f"t BY POSITION FROM '{landing}/b.csv' FILEFORMAT = CSV")
    with pytest.raises(UnsupportedOption, match="without a header"):
        copy(spark, f"t BY POSITION FROM '{landing}' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')")
    (landing / "c.csv").write_text("id\n1\n")
    (landing / "d.csv").write_text("no\n1\n")
    with pytest.raises(FilesDisagree, match=r"c\.csv has id.*d\.csv has no.*mergeSchema"):
        copy(spark, f"t FROM '{landing}/[cd].csv' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true')")
    read = f"t FROM '{landing}/c.csv' FILEFORMAT = CSV FORMAT_OPTIONS ('header' = 'true', 'inferSchema' = 'true')"
    assert copy(spark, read) == (1, 1, 0)
    (landing / "e.xml").write_text("<all><r><id>1</id></r><r><id>2</id></r></all>")
    spark.sql("CREATE TABLE x")
    read = f"x FROM '{landing}/e.xml' FILEFORMAT"
    assert copy(spark, f"{read} = XML FORMAT_OPTIONS ('rowTag' = 'r') COPY_OPTIONS ('mergeSchema' = 'true')")[0] == 2
    (landing / "f.txt").write_text("one\ntwo\n")
    spark.sql("CREATE TABLE l (value STRING)")
    assert copy(spark, f"l FROM '{landing}/f.txt' FILEFORMAT = TEXT") == (2, 2, 0)
    assert rows(spark, "l") == [("one",), ("two",)]
    spark.sql("CREATE TABLE b")
    assert copy(spark, f"b FROM '{landing}' FILEFORMAT = BINARYFILE COPY_OPTIONS ('mergeSchema' = 'true')")[0] == 6
    assert sorted(spark.table("b").columns) == ["content", "length", "modificationTime", "path"]
