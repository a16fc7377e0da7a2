"""What an update refuses, and the sentence that it says; almost nothing in here starts a stream."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import PipelineError, UpdateReport, run_update
from helpers.pipelines.errors import InvalidSource, UpdateInProgress
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.notebook import Pipeline, notebook_pipeline
from helpers.pipelines.settings import PipelineSettings

PYTHON = "from pyspark import pipelines as dp\n"


@pytest.fixture
def update(spark: Any, schema: str, tmp_path: Path) -> Iterator[Callable[..., UpdateReport]]:
    """Run an update over source files, given as name and text."""
    spark.sql("CREATE TABLE source (id BIGINT, n INT)")

    def run(files: Sequence[tuple[str, str]]) -> UpdateReport:
        paths = []
        for name, text in files:
            paths.append(tmp_path / name)
            paths[-1].write_text(text)
        settings = PipelineSettings(name="refused", schema=schema, files=tuple(paths), configuration={"limit": "3"})
        return run_update(spark, settings, checkpoints=tmp_path / "checkpoints")

    yield run
    assert not [row for row in spark.sql("SHOW VIEWS").collect() if row.isTemporary]


def said(report: UpdateReport) -> str:
    assert report.state == "FAILED"
    assert report.error
    return report.error


REFUSED = {
    "a cycle": (
        "CREATE MATERIALIZED VIEW a AS SELECT * FROM b; CREATE MATERIALIZED VIEW b AS SELECT * FROM a;",
        ["in a circle", "a → b → a", "Break one of the reads"],
    ),
    "an unknown table": (
        "CREATE MATERIALIZED VIEW orders AS SELECT 1 AS id; CREATE MATERIALIZED VIEW g AS SELECT * FROM oders;",
        ["TABLE_OR_VIEW_NOT_FOUND", "'g' reads 'oders'", "Did you mean 'orders'?"],
    ),
    "a table of another schema": (
        "CREATE MATERIALIZED VIEW elsewhere.a AS SELECT 1 AS id;",
        ["lies outside of the pipeline's schema", "Write 'a'"],
    ),
    "two datasets of a name": (
        "CREATE MATERIALIZED VIEW A AS SELECT 1 AS id;\nCREATE TEMPORARY VIEW `a` AS SELECT 2 AS id;",
        ["'a' is defined twice", "s.sql:1:1", "s.sql:2:1"],
    ),
    "a batch streaming table": (
        "CREATE STREAMING TABLE a AS SELECT * FROM source;",
        ["CREATE_APPEND_ONCE_FLOW_FROM_BATCH_QUERY_NOT_ALLOWED", "'a'", "STREAM"],
    ),
    "a streaming view": (
        "CREATE MATERIALIZED VIEW a AS SELECT * FROM STREAM source;",
        ["has a streaming query", "Remove STREAM"],
    ),
    "a batch read of a streaming view": (
        "CREATE TEMPORARY VIEW v AS SELECT * FROM STREAM source; CREATE MATERIALIZED VIEW a AS SELECT * FROM v;",
        ["INCOMPATIBLE_STREAMING_VIEW_READ", "'a' reads the streaming view 'v'"],
    ),
    "a stream from a batch view": (
        "CREATE TEMPORARY VIEW v AS SELECT * FROM source; CREATE STREAMING TABLE a AS SELECT * FROM STREAM v;",
        ["INCOMPATIBLE_BATCH_VIEW_READ", "'a' reads the batch view 'v'"],
    ),
    "a stream from a materialized view": (
        "CREATE MATERIALIZED VIEW v AS SELECT * FROM source; CREATE STREAMING TABLE a AS SELECT * FROM STREAM v;",
        ["s.sql:1:53: STREAMING_FROM_MATERIALIZED_VIEW", "'a' streams from the materialized view 'v'"],
    ),
    "a column that is not there": (
        "CREATE MATERIALIZED VIEW a AS SELECT nn FROM source;",
        ["s.sql:1:1: 'a' cannot be analysed: [UNRESOLVED_COLUMN"],
    ),
    "a rule that is not there": (
        "CREATE MATERIALIZED VIEW a (CONSTRAINT r EXPECT (nn > 0)) AS SELECT n FROM source;",
        ["'a' has an expectation that cannot be analysed", "UNRESOLVED_COLUMN"],
    ),
    "a rule that is no condition": (
        "CREATE MATERIALIZED VIEW a (CONSTRAINT fine EXPECT (n > 0), CONSTRAINT r EXPECT (n)) AS SELECT n FROM source;",
        ["s.sql:1:1: the condition of the expectation 'r' of 'a' gives INT, and must be true or false"],
    ),
    "other columns than declared": (
        "CREATE STREAMING TABLE a (id STRING, x INT) AS SELECT id, n FROM STREAM source;",
        [
            "USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE",
            "'x' is declared but",
            "the query gives 'n'",
            "'id' is declared STRING but the query gives BIGINT",
        ],
    ),
    "no table": ("CREATE TEMPORARY VIEW v AS SELECT 1 AS id;", ["NO_TABLES_IN_PIPELINE"]),
    "a flow into nothing": (
        "CREATE STREAMING TABLE orders AS SELECT * FROM STREAM source;"
        "CREATE FLOW f AS INSERT INTO order BY NAME SELECT * FROM STREAM source;",
        ["writes into 'order'", "Did you mean 'orders'?"],
    ),
    "a stream that runs once": (
        "CREATE STREAMING TABLE a; CREATE FLOW f AS INSERT INTO ONCE a BY NAME SELECT * FROM STREAM source;",
        ["INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_ONCE_FLOW", "'f'", "Remove STREAM"],
    ),
    "a setting of another engine": (
        "CREATE STREAMING TABLE a TBLPROPERTIES ('pipelines.autoOptimize.zOrderCols' = 'id') "
        "AS SELECT * FROM STREAM source;",
        ["'pipelines.autoOptimize.zOrderCols' is not supported"],
    ),
}
REFUSED_PYTHON = {
    "no DataFrame": ("@dp.table\ndef a():\n    return 3\n", ["p.py:2", "'a' must return a DataFrame, not int"]),
    "a syntax error": ("def a(:\n", ["p.py:2: invalid syntax"]),
    "an error while loading": ("x = 1\ny = x / 0\n", ["p.py:3: ZeroDivisionError"]),
    "an unknown argument": ("@dp.table(coment='x')\ndef a(): ...\n", ["'coment'", "Did you mean 'comment'?"]),
    "snapshots from a stream": (
        "dp.create_streaming_table('a')\n"
        "@dp.temporary_view\ndef v():\n    return spark.readStream.table('source')\n"
        "dp.create_auto_cdc_from_snapshot_flow(target='a', source='v', keys=['id'])\n",
        ["INCOMPATIBLE_STREAMING_VIEW_READ", "'a' reads the streaming view 'v'"],
    ),
    "a sink that is read": (
        "dp.create_sink('s', 'delta', {'path': '/nowhere'})\n"
        "@dp.append_flow(target='s')\ndef f():\n    return spark.readStream.table('source')\n"
        "@dp.materialized_view\ndef a():\n    return spark.read.table('s')\n",
        ["'a' reads 's', which is a sink"],
    ),
    "an action": (
        "@dp.materialized_view\ndef a():\n    rows = spark.read.table('source').collect()\n"
        "    return spark.createDataFrame(rows)\n",
        ["p.py:2: ATTEMPT_ANALYSIS_IN_PIPELINE_QUERY_FUNCTION", "'a' runs an action (collect)"],
    ),
    "a subquery in a rule": (
        "@dp.table\n@dp.expect('r', 'n IN (SELECT n FROM source)')\ndef a():\n    return spark.table('source')\n",
        ["p.py:2: the condition of the expectation 'r' of 'a' may not contain a subquery"],
    ),
    "a write": (
        "@dp.table\ndef a():\n    spark.range(3).write.saveAsTable('b')\n    return spark.table('b')\n",
        ["ATTEMPT_ANALYSIS_IN_PIPELINE_QUERY_FUNCTION", "(saveAsTable)"],
    ),
    "an unknown table": (
        "@dp.materialized_view\ndef a():\n    return spark.read.table('sorce')\n",
        ["p.py:2: TABLE_OR_VIEW_NOT_FOUND: 'a' reads 'sorce'"],
    ),
    "a batch flow": (
        "dp.create_streaming_table('a')\n@dp.append_flow(target='a')\ndef f():\n    return spark.table('source')\n",
        ["CREATE_APPEND_ONCE_FLOW_FROM_BATCH_QUERY_NOT_ALLOWED"],
    ),
    "a flow into a batch table": (
        "@dp.table\ndef a():\n    return spark.table('source')\n"
        "@dp.append_flow(target='a')\ndef f():\n    return spark.readStream.table('source')\n",
        ["Flow 'f'", "not a streaming table"],
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_sql_is_refused_with_one_sentence(update: Callable[..., UpdateReport], what: str) -> None:
    text, words = REFUSED[what]
    error = said(update([("s.sql", text)]))
    assert [word for word in words if word not in error] == []
    assert "\n" not in error


@pytest.mark.parametrize("what", REFUSED_PYTHON)
def test_python_is_refused_with_one_sentence(update: Callable[..., UpdateReport], what: str) -> None:
    text, words = REFUSED_PYTHON[what]
    error = said(update([("p.py", PYTHON + text)]))
    assert [word for word in words if word not in error] == []


def test_somebody_elses_table_is_left_alone(update: Callable[..., UpdateReport], spark: Any) -> None:
    spark.sql("CREATE TABLE mine USING delta AS SELECT 7 AS id")
    spark.sql("CREATE VIEW seen AS SELECT 7 AS id")
    for name in ("mine", "seen"):
        error = said(update([("s.sql", f"CREATE MATERIALIZED VIEW {name} AS SELECT 1 AS id;")]))
        assert f"The table '{name}' already exists and is not this pipeline's" in error
    assert [row.id for row in spark.table("mine").collect()] == [7]


def test_a_dataset_does_not_change_its_kind(update: Callable[..., UpdateReport]) -> None:
    assert update([("s.sql", "CREATE MATERIALIZED VIEW a AS SELECT id FROM source;")]).error is None
    error = said(update([("s.sql", "CREATE STREAMING TABLE a AS SELECT id FROM STREAM source;")]))
    assert "'a' was a MATERIALIZED_VIEW and is now a STREAMING_TABLE" in error


def test_a_view_left_in_the_session_cannot_hide_a_dataset(update: Callable[..., UpdateReport], spark: Any) -> None:
    spark.range(1).createOrReplaceTempView("a")
    try:
        assert "dropTempView('a')" in said(update([("s.sql", "CREATE MATERIALIZED VIEW A AS SELECT 1 AS id;")]))
    finally:
        spark.catalog.dropTempView("a")


def test_a_name_in_another_schema_is_another_table(
    update: Callable[..., UpdateReport], spark: Any, schema: str
) -> None:
    spark.sql(f"CREATE SCHEMA {schema}_raw")
    try:
        spark.sql(f"CREATE TABLE {schema}_raw.orders AS SELECT 5 AS id")
        text = (
            f"CREATE MATERIALIZED VIEW orders AS SELECT * FROM {schema}_raw.orders;"
            f"CREATE MATERIALIZED VIEW again AS SELECT * FROM spark_catalog.`{schema}`.ORDERS LIMIT ${{limit}};"
        )
        report = update([("s.sql", text)])
        assert report.error is None
        assert report.dataset("again").inputs == ("orders",)
        assert [row.id for row in spark.table("again").collect()] == [5]
    finally:
        spark.sql(f"DROP SCHEMA {schema}_raw CASCADE")


def test_a_second_update_at_once_names_the_process_of_the_first(
    update: Callable[..., UpdateReport], spark: Any, schema: str, tmp_path: Path
) -> None:
    settings = PipelineSettings(name="refused", schema=schema)
    home = PipelineHome(tmp_path / "checkpoints" / settings.pipeline_id)
    with home.exclusive(spark, name="refused"), pytest.raises(UpdateInProgress, match=f"in process {os.getpid()}"):
        update([("s.sql", "CREATE MATERIALIZED VIEW a AS SELECT 1 AS id;")])


def test_a_bad_configuration_leaves_the_session_as_it_was(spark: Any, schema: str, tmp_path: Path) -> None:
    configuration = {"fine": "1", "spark.sql.warehouse.dir": "/elsewhere"}
    settings = PipelineSettings(name="refused", schema=schema, configuration=configuration)
    with pytest.raises(PipelineError, match=r"'spark\.sql\.warehouse\.dir' cannot be set"):
        run_update(spark, settings, checkpoints=tmp_path)
    assert spark.conf.get("fine", None) is None


@pytest.fixture
def notebook(spark: Any, schema: str, tmp_path: Path) -> Pipeline:
    return notebook_pipeline(spark, "cells", schema=schema, checkpoints=tmp_path, parameters={"low": "1"})


def test_a_cell_that_runs_again_replaces_what_it_defined(notebook: Pipeline, spark: Any) -> None:
    notebook.sql("CREATE MATERIALIZED VIEW a AS SELECT id FROM range(9); CREATE TEMPORARY VIEW v AS SELECT 1 AS one;")
    for rows in (5, 3):
        with notebook:
            from pyspark import pipelines as dp

            @dp.materialized_view(name="A")
            def any_name() -> Any:
                return spark.range(rows)  # noqa: B023 - the last cell's value is meant

    notebook.sql("CREATE MATERIALIZED VIEW reads AS SELECT * FROM a WHERE id > ${low}")
    report = notebook.update()
    assert [dataset.name for dataset in report.datasets if dataset.status == "COMPLETED"] == ["a", "reads"]
    assert [row.id for row in spark.table("reads").collect()] == [2]


def test_a_notebooks_session_sql_is_understood(notebook: Pipeline, spark: Any) -> None:
    with notebook:
        from pyspark import pipelines as dp

        @dp.materialized_view
        def b() -> Any:
            return spark.sql("SELECT * FROM a").join(spark.sql("SELECT two FROM c"))

        @dp.table(name="C")
        def also_a_view() -> Any:
            return spark.sql("SELECT 2 AS two")

        @dp.materialized_view
        def a() -> Any:
            return spark.range(3)

    report = notebook.update()
    assert report.error is None
    assert report.dataset("b").inputs == ("a", "c")
    assert report.dataset("c").kind == "MATERIALIZED_VIEW"
    assert spark.table("b").count() == 3
    types = {row.event_type for row in notebook.event_log().collect()}
    assert types == {"create_update", "user_action", "update_progress", "dataset_definition", "flow_definition",
                     "planning_information", "flow_progress"}


def test_definitions_outside_of_a_pipeline_are_refused(notebook: Pipeline) -> None:
    with notebook:
        from pyspark import pipelines as dp
    with pytest.raises(InvalidSource, match="GRAPH_ELEMENT_DEFINED_OUTSIDE_OF_DECLARATIVE_PIPELINE"):
        dp.table(lambda: None)
