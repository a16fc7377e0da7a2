"""Definitions, the graph that they make, and what a selection of them refreshes: all without Spark."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.pipelines import dp, names, sources
from helpers.pipelines.conditions import refuse_python
from helpers.pipelines.definitions import collect
from helpers.pipelines.errors import (
    DuplicateDataset,
    InvalidDataset,
    InvalidSource,
    UnknownDataset,
    Unsupported,
)
from helpers.pipelines.problems import Problems
from tests.unit.pipelines_defined import defined, from_sql


def table(name: str) -> Any:
    def function() -> None: ...

    function.__name__ = name
    return dp.table(function)


def test_expectations_count_above_and_below_the_decorator_in_reading_order() -> None:
    def define() -> None:
        @dp.expect("first", "a > 0")
        @dp.table(
            comment="c", cluster_by=["a"], table_properties={"quality": "bronze"}, schema="a INT NOT NULL, b STRING"
        )
        @dp.expect_all_or_drop({"second": "b > 0", "third": "c > 0"})
        @dp.expect_or_fail("fourth", "d > 0")
        def orders() -> None: ...

    orders = defined(define).datasets["orders"]
    assert [(rule.name, rule.action) for rule in orders.expectations] == [
        ("first", "warn"),
        ("second", "drop"),
        ("third", "drop"),
        ("fourth", "fail"),
    ]
    assert (orders.kind, orders.comment, orders.cluster_by) == ("STREAMING_TABLE", "c", ("a",))
    assert [(column.name, column.type, column.not_null) for column in orders.columns] == [
        ("a", "INT", True),
        ("b", "STRING", False),
    ]
    assert orders.defined_at.startswith("test_pipelines_definitions.py:")


def test_a_table_without_a_query_takes_flows_by_their_own_names() -> None:
    def define() -> None:
        dp.create_streaming_table("Both", expect_all_or_drop={"r": "a > 0"})

        @dp.append_flow(target="both", name="one")
        def any_name() -> None: ...

        @dp.append_flow(target="`shop`.both")
        def two() -> None: ...

    definitions = defined(define)
    assert [flow.name for flow in definitions.flows_into("both")] == ["one", "two"]
    assert definitions.datasets["both"].expectations[0].action == "drop"


@pytest.mark.parametrize(
    ("define", "error", "words"),
    [
        (lambda: dp.table(coment="x")(lambda: None), InvalidDataset, "Did you mean 'comment'?"),
        (lambda: dp.temporary_view(table_properties={"a": "b"})(lambda: None), InvalidDataset, "'table_properties'"),
        (lambda: dp.table("orders"), InvalidDataset, "no function"),
        (lambda: dp.table(lambda day: None), InvalidDataset, "takes arguments"),
        (lambda: dp.append_flow(target="a")(lambda day: None), InvalidDataset, "takes arguments"),
        (
            lambda: dp.table(cluster_by="id")(lambda: None),
            InvalidDataset,
            "list of column names, for example \\['id'\\]",
        ),
        (lambda: dp.materialized_view(refresh_policy=1)(lambda: None), Unsupported, "refresh_policy is not supported"),
        (lambda: dp.table(row_filter="f")(lambda: None), Unsupported, "row_filter is not supported"),
        (lambda: dp.expect("r", dp), InvalidDataset, "condition in SQL text"),
        (lambda: dp.on_event_hook(lambda: None), InvalidDataset, "one argument, the event"),
        (lambda: dp.create_sink("s", "kafka", {"topic": "t"}), Unsupported, "'kafka', which is not supported"),
        (lambda: dp.create_sink("s", "delta"), InvalidDataset, "needs one of 'path' and 'tableName'"),
        (lambda: dp.create_sink("s", "delta", {"tableName": "t"}), InvalidDataset, "Qualify it: schema.t"),
        (lambda: dp.create_sink("s", "json", {"tableName": "a.t"}), InvalidDataset, "needs 'path'"),
        (lambda: dp.create_sink("s", "csv", {"path": "p", "heder": "1"}), Unsupported, "Did you mean 'header'"),
        (lambda: dp.create_sink("s", 3), InvalidDataset, "format of create_sink takes a text"),
        (lambda: dp.table(format="parquet")(lambda: None), Unsupported, "format='parquet'"),
        (lambda: dp.append_flow(target="a", spark_conf={"a": "b"}), Unsupported, "spark_conf"),
        (
            lambda: dp.table(table_properties={"pipelines.trigger.interval": "1"})(lambda: None),
            Unsupported,
            "trigger.interval",
        ),
        (lambda: dp.foreach_batch_sink, Unsupported, "foreach_batch_sink is not supported here yet"),
        (lambda: dp.tabel, AttributeError, "Did you mean 'table'?"),
    ],
)
def test_a_wrong_argument_is_named(define: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        defined(define)


def test_nothing_is_defined_outside_of_a_pipeline() -> None:
    with pytest.raises(InvalidSource, match="GRAPH_ELEMENT_DEFINED_OUTSIDE_OF_DECLARATIVE_PIPELINE: 'orders'"):
        table("orders")


def test_our_decorators_are_imported_as_pyspark_pipelines_only_while_sources_load() -> None:
    with sources.databricks_imports():
        from pyspark import pipelines as inside
    from pyspark import pipelines as outside

    assert inside is dp
    assert outside is not dp


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (
            "CREATE MATERIALIZED VIEW A AS SELECT 1; CREATE TEMPORARY VIEW shop.`a` AS SELECT 1",
            DuplicateDataset,
            "'a' is defined twice",
        ),
        (
            "CREATE STREAMING TABLE t; CREATE STREAMING TABLE u; CREATE FLOW f AS INSERT INTO t BY NAME SELECT 1;"
            "CREATE FLOW F AS INSERT INTO u BY NAME SELECT 1",
            DuplicateDataset,
            "Flow 'f' is defined twice",
        ),
        (
            "CREATE STREAMING TABLE orders; CREATE FLOW f AS INSERT INTO order BY NAME SELECT 1",
            UnknownDataset,
            "mean 'orders'",
        ),
        ("CREATE STREAMING TABLE t", InvalidDataset, "'t' .*has no query"),
        (
            "CREATE MATERIALIZED VIEW m AS SELECT 1; CREATE FLOW f AS INSERT INTO m BY NAME SELECT 1",
            InvalidDataset,
            "Only streaming",
        ),
        ("CREATE MATERIALIZED VIEW other.m AS SELECT 1", Unsupported, "outside of the pipeline's schema 'shop'"),
        ("CREATE MATERIALIZED VIEW `a/../b` AS SELECT 1", InvalidDataset, "cannot be a name"),
        ("CREATE MATERIALIZED VIEW _events AS SELECT 1", InvalidDataset, "cannot be a name"),
        ("CREATE MATERIALIZED VIEW m LOCATION '/x' AS SELECT 1", Unsupported, "LOCATION is not supported"),
    ],
)
def test_definitions_that_contradict_each_other_are_refused(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        from_sql(text)


def test_sql_and_python_say_alike_what_is_private_and_what_runs_once() -> None:
    def define() -> None:
        dp.create_streaming_table("t", private=True, cluster_by_auto=True)
        dp.append_flow(target="t", name="f", once=True)(lambda: None)

    python = defined(define)
    written = from_sql("CREATE PRIVATE STREAMING TABLE t CLUSTER BY AUTO; "
                       "CREATE FLOW f AS INSERT INTO ONCE t BY NAME SELECT 1 AS id")
    def from_columns() -> None:
        dp.create_streaming_table("t", cluster_by=["id"], cluster_by_auto=True)
        dp.append_flow(target="t", name="f")(lambda: None)

    clustered = defined(from_columns).datasets["t"]
    assert (clustered.cluster_by, clustered.notes) == (("id",), (dp.AUTO_CLUSTERING_FROM,))
    for each in (python, written):
        (flow,), t = each.flows, each.datasets["t"]
        assert (flow.once, t.private, t.notes) == (True, True, (dp.AUTO_CLUSTERING,))


@pytest.mark.parametrize(
    ("options", "flows", "error", "words"),
    [
        ({}, 1, None, ""),
        ({}, 2, Unsupported, "a folder of files takes one here"),
        ({"once": True}, 1, Unsupported, "is a ONCE flow into the sink 's'"),
    ],
)
def test_a_sink_takes_append_flows(
    options: dict[str, Any], flows: int, error: type[Exception] | None, words: str
) -> None:
    def define() -> None:
        dp.create_sink("S", "JSON", {"path": "/out"})
        for number in range(flows):
            dp.append_flow(target="s", name=f"f{number}", **options)(lambda: None)

    if error:
        with pytest.raises(error, match=words):
            defined(define)
    else:
        sink = defined(define).datasets["s"]
        assert (sink.kind, sink.sink.format, sink.sink.files) == ("SINK", "json", True)


def test_a_flow_takes_no_expectations() -> None:
    def define() -> None:
        dp.create_streaming_table("t")
        dp.expect("r", "a > 0")(dp.append_flow(target="t", name="f")(lambda: None))

    with pytest.raises(InvalidDataset, match="the flow 'f' has expectations, which belong to its target"):
        defined(define)


def test_a_dry_run_hears_of_every_problem() -> None:
    problems, registry = Problems(gather=True), dp.Registry()
    sources.add_sql(registry, "CREATE STREAMING TABLE a; CREATE MATERIALIZED VIEW other.m AS SELECT 1; "
                    "CREATE TEMPORARY VIEW v AS SELECT 1; CREATE TEMPORARY VIEW v AS SELECT 2; "
                    "CREATE FLOW f AS INSERT INTO b BY NAME SELECT * FROM STREAM s", source="s.sql", parameters={})
    definitions = collect(*registry.finished(), schema="shop", problems=problems)
    text = str(problems.as_error())
    for words in ("has 4 problems", "outside of the pipeline's schema", "'v' is defined twice", "writes into 'b'"):
        assert words in text
    assert sorted(definitions.datasets) == ["a", "v"]


class Functions:
    """A session that describes its functions as Spark does."""

    def sql(self, text: str) -> Any:
        lines = {"`in_python`": ["Function: in_python", "Class: x"], "`in_sql`": ["Function: in_sql", "Body:  v > 0"]}
        return SimpleNamespace(collect=lambda: [(line,) for line in lines[text.split()[-1]]])


@pytest.mark.parametrize(
    ("condition", "refused"),
    [("in_python(a)", True), ("a > 0 AND `In_Python` (b)", True), ("in_sql(a)", False), ("in_python > 0", False),
     ("abs(a) > 0", False)],
)  # fmt: skip
def test_a_condition_calls_no_function_in_python(condition: str, refused: bool) -> None:
    problems = Problems(gather=True)
    datasets = from_sql(f"CREATE MATERIALIZED VIEW m (CONSTRAINT r EXPECT ({condition})) AS SELECT 1 AS a").datasets
    refuse_python(Functions(), datasets.values(), lambda: frozenset({"in_python", "in_sql"}), problems)
    told = "s.sql:1:1: the expectation 'r' of 'm' calls 'in_python', a function that is not written in SQL"
    assert [str(problem).startswith(told) for problem in problems.found] == ([True] if refused else [])


def test_two_rules_of_one_dataset_need_two_names() -> None:
    def define() -> None:
        dp.expect("r", "b > 0")(dp.expect("r", "a > 0")(table("t")))

    with pytest.raises(DuplicateDataset, match="'t' has two expectations named 'r'"):
        defined(define)


def test_a_python_source_that_fails_names_its_line(tmp_path: Path) -> None:
    for text, words in (
        ("import os\nimport nothing_here\n", "s.py:2: ModuleNotFoundError"),
        ("x = (\n", "s.py:1: "),
        ("raise SystemExit(3)", "s.py:1: SystemExit"),
    ):
        path = tmp_path / "s.py"
        path.write_text(text)
        with pytest.raises(InvalidSource, match=words):
            sources.add_file(dp.Registry(), path, spark=None, parameters={})
    with pytest.raises(InvalidSource, match=r"gone\.sql cannot be read"):
        sources.add_file(dp.Registry(), tmp_path / "gone.sql", spark=None, parameters={})


def test_names_are_compared_by_their_parts() -> None:
    assert names.parts("a.`b.c`.`d``e`") == ("a", "b.c", "d`e")
    assert names.quoted("a.`b.c`") == "`a`.`b.c`"
    assert names.own("Shop.`Orders`", "shop") == "orders"
    assert names.own("spark_catalog.shop.orders", "shop") == "orders"
    assert names.own("raw.orders", "shop") is None
    assert names.own("delta.`/data/shop.orders`", "shop") is None
