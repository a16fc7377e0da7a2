"""Sinks of every format: what an append flow writes there, update by update."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from helpers.pipelines.notebook import notebook_pipeline

SINKS = """
from pyspark import pipelines as dp

FORMATS = {"delta": {}, "csv": {"header": "true"}, "parquet": {}, "text": {}}

def flow(name):
    @dp.append_flow(target=name, name=f"to_{name}")
    def rows():
        rows = spark.readStream.table("source")
        return rows.select("v") if name == "text" else rows

for name, options in FORMATS.items():
    dp.create_sink(name, name, {"path": f"FOLDER/{name}", **options})
    flow(name)
"""


def test_sinks_of_every_format_get_the_new_rows_of_each_update(spark: Any, schema: str, tmp_path: Path) -> None:
    spark.sql("CREATE TABLE source (id BIGINT, v STRING)")
    spark.sql("INSERT INTO source VALUES (1, 'a'), (2, 'b')")
    (tmp_path / "sinks.py").write_text(SINKS.replace("FOLDER", str(tmp_path)))
    pipeline = notebook_pipeline(spark, "sinks", schema=schema, checkpoints=tmp_path / "checkpoints", parameters={})
    pipeline.file(tmp_path / "sinks.py")
    assert pipeline.update().error is None
    spark.sql("INSERT INTO source VALUES (3, 'c')")
    second = pipeline.update()
    written = {each.name: each.num_output_rows for each in second.datasets if each.kind == "SINK"}
    assert written == {"delta": 1, "csv": 1, "parquet": 1, "text": 1}
    for name in ("delta", "csv", "parquet"):
        rows = spark.read.format(name).option("header", "true").load(f"{tmp_path}/{name}").collect()
        assert sorted((int(row.id), row.v) for row in rows) == [(1, "a"), (2, "b"), (3, "c")], name
    assert sorted(row.value for row in spark.read.text(f"{tmp_path}/text").collect()) == ["a", "b", "c"]
