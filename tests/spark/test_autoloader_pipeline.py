"""Files in the SQL of a pipeline: STREAM read_files(…), and cloud_files(…) as older sources write it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from helpers.pipelines.notebook import notebook_pipeline
from tests.spark.autoloader_lab import new_lab, types

SQL = """
CREATE STREAMING TABLE found AS SELECT * FROM STREAM read_files('${landing}', SCHEMA => 'id STRING');
CREATE STREAMING TABLE legacy AS SELECT * FROM cloud_files(
  '${landing}', 'json', map('cloudFiles.schemaHints', 'extra DATE', 'rescuedDataColumn', 'kept'));
CREATE STREAMING TABLE legacy_given AS SELECT * FROM cloud_files('${landing}', 'json', map('schema', 'id BIGINT'));
"""


def test_files_are_read_without_a_format_with_a_schema_and_in_the_old_way(
    spark: SparkSession, schema: str, tmp_path: Path
) -> None:
    lab = new_lab(spark, tmp_path)
    lab.land("a.json", {"id": 1, "price": 1.5})
    pipeline = notebook_pipeline(spark, "files", schema=schema, checkpoints=tmp_path / "checkpoints",
                                 parameters={"landing": str(lab.landing)})
    pipeline.sql(SQL)
    report = pipeline.update()
    assert report.error is None

    def table(name: str) -> tuple[dict[str, str], list[tuple[Any, ...]]]:
        return types(spark.table(name)), [tuple(row) for row in spark.table(name).collect()]

    assert table("found") == ({"id": "string"}, [("1",)])
    assert table("legacy") == ({"id": "string", "price": "string", "extra": "date", "kept": "string"},
                               [("1", "1.5", None, None)])
    assert table("legacy_given") == ({"id": "bigint"}, [(1,)])
