"""AUTO CDC of SCD type 1 beside open-source Spark's own, from the same source file: the same rows after every update.

Spark's refuses Delta as a target, so it writes into the one table format that it knows to take its MERGE and that fits
Spark 4.2: the in-memory catalog of Spark's own tests, whose JAR (8 MB) is fetched. Ours writes into Delta as ever.
By hand: `.venv/bin/python -m pytest tests/soak/test_auto_cdc_beside_sdp.py -s`, some minutes. LAKEPREP_FEEDS says how
many random feeds (5), LAKEPREP_SEED which ones.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import run_update
from helpers.pipelines.settings import PipelineSettings
from helpers.runtime import Places, attach, detach, ivy
from helpers.runtime.jars import spark_home
from helpers.runtime.java import find_java
from helpers.runtime.jvm import Jvm
from helpers.runtime.preflight import free_port, prepare
from helpers.runtime.settings import Settings
from tests.soak import sdp

FEEDS = int(os.environ.get("LAKEPREP_FEEDS", "5"))
SEED = int(os.environ.get("LAKEPREP_SEED", "1"))
BATCHES = 4
CATALOG = "org.apache.spark.sql.connector.catalog.SharedTablesInMemoryRowLevelOperationTableCatalog"
JAR = """<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven">
<info organisation="lakeprep" module="tests"/><dependencies>
<dependency org="org.apache.spark" name="spark-catalyst_2.13" rev="4.2.0" conf="default->master" transitive="false">
<artifact name="spark-catalyst_2.13" type="jar" ext="jar" m:classifier="tests"/></dependency>
</dependencies></ivy-module>
"""
SOURCE = """
from pyspark import pipelines as dp

@dp.temporary_view
def changes():
    columns = "id BIGINT, seq BIGINT, op STRING, name STRING, amount DECIMAL(10,2)"
    return spark.readStream.format("json").schema(columns).load("{landing}/*.json")

dp.create_streaming_table("present")
dp.create_auto_cdc_flow(
    target="present", source="changes", keys=["id"], sequence_by="seq", apply_as_deletes="op = 'DELETE'",
    except_column_list=["op"], stored_as_scd_type=1)
"""


@pytest.fixture(scope="module")
def tested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A session on a server of its own that also has Spark's test catalog, as `mem`."""
    folder = tmp_path_factory.mktemp("beside_sdp")
    places, settings = Places(folder), Settings(heap_mb=1024)
    launch = prepare(places, settings)
    properties = {"spark.sql.catalog.mem": CATALOG, "spark.sql.catalog.mem.copyOnWrite": "false"}
    launch = replace(launch, jars=(*launch.jars, _test_jar(folder / "jar")), properties=properties)
    port, token = free_port(), secrets.token_hex(16)
    jvm = Jvm.start(launch, port=port, token=token, environ=os.environ)
    try:
        jvm.wait_for_port(port)
        spark = attach(places, environ={**os.environ, "SPARK_REMOTE": f"sc://localhost:{port}/;token={token}"})
        yield spark
        detach(spark)
    finally:
        jvm.end()


def _test_jar(folder: Path) -> Path:
    folder.mkdir()
    (folder / "ivy.xml").write_text(JAR, encoding="utf-8")
    own = [f"-Divy.default.ivy.user.dir={folder}", *ivy._proxy(os.environ), *ivy._trust(folder / "trust", os.environ)]
    jars = [*own, "-cp", str(spark_home() / "jars" / "*"), "org.apache.ivy.Main", "-ivy", str(folder / "ivy.xml")]
    kept = ["-cache", str(folder / "cache"), "-types", "jar", "-retrieve", str(folder / "[artifact]-tests.[ext]")]
    subprocess.run([str(find_java(None).binary), *jars, *kept], check=True, stdout=sys.stderr, timeout=300)
    return folder / "spark-catalyst_2.13-tests.jar"


def feed(chance: random.Random) -> list[list[dict[str, Any]]]:
    """Batches of changes of a few keys: late ones, deletes, older changes after a delete, and some that come twice.

    No two different changes have the same sequence: what then holds is not defined.
    """
    numbers = list(range(80))
    # Mostly in order, and some far too late.
    numbers.sort(key=lambda number: number + chance.choice([0, 0, 0, 40]) * chance.random())
    changes = [change(chance, number) for number in numbers]
    return [changes[at::BATCHES] if chance.random() < 0.2 else changes[at * 20 : at * 20 + 20] for at in range(BATCHES)]


def change(chance: random.Random, number: int) -> dict[str, Any]:
    row: dict[str, Any] = {"id": chance.randrange(8), "seq": number, "op": chance.choice(["PUT", "PUT", "DELETE"])}
    if row["op"] == "PUT" or chance.random() < 0.3:
        row |= {"name": chance.choice(["a", "b", None]), "amount": chance.choice([1, 2.5, None])}
    return row


@pytest.mark.parametrize("number", range(FEEDS))
def test_both_keep_the_same_rows_after_each_batch_of_a_random_feed(tested: Any, tmp_path: Path, number: int) -> None:
    landing, schema = tmp_path / "landing", f"feed_{SEED}_{number}"
    landing.mkdir()
    source = tmp_path / "source.py"
    source.write_text(SOURCE.format(landing=landing), encoding="utf-8")
    tested.sql(f"CREATE NAMESPACE mem.{schema}")
    settings = PipelineSettings(name="cdc", schema=schema, files=(source,))
    for place, batch in enumerate(feed(random.Random(f"{SEED}/{number}"))):
        (landing / f"{place}.json").write_text("".join(json.dumps(row) + "\n" for row in batch), encoding="utf-8")
        report = run_update(tested, settings, checkpoints=tmp_path / "checkpoints")
        assert report.error is None
        sdp.update(tested, [source], schema=schema, storage=tmp_path / "storage", catalog="mem")
        tested.catalog.setCurrentCatalog("spark_catalog")  # theirs leaves the session in its own
        ours, theirs = (rows(tested, f"{name}.present") for name in (schema, f"mem.{schema}"))
        assert ours == theirs
        print(f"feed {number}, batch {place}: {len(batch)} changes, {len(ours)} rows in both")


def rows(spark: Any, table: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in spark.sql(f"SELECT id, seq, name, amount FROM {table}").collect())
