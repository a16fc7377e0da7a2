"""Actions in the functions of datasets: a function describes a query, and the pipeline runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines.notebook import notebook_pipeline

#: `session` is the one that a notebook's functions use; `spark` in a source file knows queries only.
HEAD = """
from pyspark import pipelines as dp
from pyspark.sql import SparkSession

session = SparkSession.active()

"""
ACTIONS = [
    ("collect", "spark.read.table('source').collect()"),
    ("count", "spark.read.table('source').count()"),
    ("toPandas", "spark.read.table('source').toPandas()"),
    ("save", "spark.range(3).write.save('/nowhere/at/all')"),
    ("parquet", "spark.range(3).write.parquet('/nowhere/at/all')"),
    ("sql", "session.sql('INSERT INTO source VALUES (1, 1)')"),
    ("sql", "session.sql(\"COPY INTO source FROM '{landing}' FILEFORMAT = JSON\")"),
]


@pytest.mark.classic
def test_every_kind_of_action_is_refused(spark: Any, schema: str, tmp_path: Path) -> None:
    spark.sql("CREATE TABLE source (id BIGINT, n INT)")
    functions = [f"@dp.materialized_view\ndef by_{place}():\n    {action}\n    return spark.range(1)\n"
                 for place, (_, action) in enumerate(ACTIONS)]
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "one.json").write_text('{"id": 1, "n": 1}')
    (tmp_path / "actions.py").write_text(HEAD + "".join(functions).replace("{landing}", str(tmp_path / "landing")))
    pipeline = notebook_pipeline(spark, "actions", schema=schema, checkpoints=tmp_path, parameters={})
    pipeline.file(tmp_path / "actions.py")
    error = str(pipeline.dry_run().error)
    for place, (name, _) in enumerate(ACTIONS):
        assert f"the function of 'by_{place}' runs an action ({name})" in error
    assert f"has {len(ACTIONS)} problems" in error
    assert spark.table("source").isEmpty()
