"""What runs something in a classic session: pyspark's and py4j's own objects, over a stand-in for the JVM."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from py4j.java_gateway import JavaObject
from pyspark.sql.readwriter import DataFrameReader, DataFrameWriter

from helpers.pipelines.classic_calls import watched
from helpers.sql.changes import changes


class Client:
    """py4j's client: takes every command, and answers with one more object of the JVM."""

    converters = ()
    gateway_property = SimpleNamespace(auto_field=False, enable_memory_management=False, pool=None)
    is_connected, address, port = True, "here", 0

    def __init__(self) -> None:
        self.commands: list[str] = []

    def send_command(self, command: str, *_: Any, **__: Any) -> str:
        self.commands.append(command)
        return "yro7"


class Refused(Exception):
    """What the guard raises in the place of an action."""


class Session:
    """What readers, writers and DataFrames hold of a classic session."""

    def __init__(self) -> None:
        self.client = Client()
        self.object = self._jdf = self._jsparkSession = JavaObject("o1", self.client)
        self._gateway = SimpleNamespace(_gateway_client=self.client)
        self._jvm = SimpleNamespace(PythonUtils=SimpleNamespace(toSeq=lambda paths: self.object))
        self.sparkContext = self._sc = self.sparkSession = self

    @property
    def write(self) -> DataFrameWriter:
        return DataFrameWriter(self)  # type: ignore[arg-type]

    @property
    def read(self) -> DataFrameReader:
        return DataFrameReader(self)  # type: ignore[arg-type]


def refuse() -> None:
    raise Refused


JDBC = ("jdbc:x", "t")
RUN: dict[str, Callable[[Session], Any]] = {
    **{method: lambda spark, method=method: getattr(spark.write, method)("/out")
       for method in ("csv", "json", "orc", "parquet", "text", "save", "saveAsTable", "insertInto")},
    "write.xml": lambda spark: spark.write.xml("/out", rowTag="r"),
    "write.jdbc": lambda spark: spark.write.jdbc(*JDBC),
    "options before": lambda spark: spark.write.mode("append").partitionBy("a").option("header", True).csv("/out"),
    "collect": lambda spark: spark.object.collectToPython(),
    "toPandas": lambda spark: spark.object.collectAsArrowToPython(),
    "count": lambda spark: spark.object.count(),
    "show": lambda spark: spark.object.showString(20, 20, False),
    "stream": lambda spark: spark.object.writeStream().toTable("t"),
    "INSERT": lambda spark: spark.object.sql("INSERT INTO t VALUES (1)", spark.object),
    "insert in lines": lambda spark: spark.object.sql("\n  insert\n  INTO t VALUES (1)"),
    "DROP": lambda spark: spark.object.sql("DROP TABLE t"),
}
PASS: dict[str, Callable[[Session], Any]] = {
    "read.json": lambda spark: spark.read.json("/in"),
    "read.parquet": lambda spark: spark.read.parquet("/in"),
    "read.csv": lambda spark: spark.read.option("header", True).csv("/in"),
    "read.jdbc": lambda spark: spark.read.jdbc(*JDBC),
    "select": lambda spark: spark.object.select("a").where("a > 0"),
    "SELECT": lambda spark: spark.object.sql("SELECT 'INSERT' AS word", spark.object),
    "SHOW": lambda spark: spark.object.sql("SHOW TABLES"),
    "writer": lambda spark: spark.write.format("csv").option("path", "save"),
}


@pytest.mark.parametrize("what", RUN)
def test_what_writes_or_runs_is_refused_before_the_jvm_hears_of_it(what: str) -> None:
    spark = Session()
    with watched(spark, refuse), pytest.raises(Refused):
        RUN[what](spark)
    methods = [command.split("\n")[2] for command in spark.client.commands if command.startswith("c\n")]
    assert not {"csv", "json", "orc", "parquet", "text", "xml", "jdbc", "save", "sql", "count"}.intersection(methods)


@pytest.mark.parametrize("what", PASS)
def test_what_only_describes_a_query_passes(what: str) -> None:
    spark = Session()
    with watched(spark, refuse):
        PASS[what](spark)
    assert spark.client.commands


def test_only_the_thread_that_builds_a_flow_is_watched_and_only_meanwhile() -> None:
    spark = Session()
    with watched(spark, refuse):
        other = Thread(target=lambda: spark.write.parquet("/out"))
        other.start()
        other.join()
    spark.write.parquet("/out")
    written = [command for command in spark.client.commands if command.startswith("c\no7\nparquet\n")]
    assert len(written) == 2
    assert "send_command" not in vars(spark.client)


@pytest.mark.parametrize(
    ("statement", "changing"),
    [("MERGE INTO t", True), (" create view v", True), ("WITH a AS (SELECT 1) SELECT * FROM a", False), ("", False),
     ("WITH a AS (SELECT 1 id) INSERT INTO t SELECT * FROM a", True), ("FROM s INSERT OVERWRITE t SELECT *", True),
     ("WITH a AS (SELECT 1) UPDATE t SET x = 1", True), ("-- c\nDROP TABLE t", True),
     ("FROM s SELECT 'INSERT INTO'", False),
     ("REPLACE TABLE t AS SELECT 'it", True)],
)
def test_a_statement_that_is_no_query_changes_something(statement: str, changing: bool) -> None:
    assert changes(statement) == changing
