"""Expectations before anything runs: their actions in Python, and conditions that are no condition on one record."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql.types import BooleanType, DataType, IntegerType, NullType, StringType, StructType

from helpers.pipelines import dlt, dp, sources
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.expectations import not_boolean
from helpers.pipelines.graph import Definitions
from helpers.pipelines.problems import Problems
from helpers.sql import Expectation, PipelineSyntaxError
from tests.unit.pipelines_defined import defined

QUERY = "id IN (SELECT id FROM other)"


def actions(definitions: Definitions, dataset: str) -> list[tuple[str, str]]:
    return [(rule.name, rule.action) for rule in definitions.datasets[dataset].expectations]


def test_several_expectations_at_once_are_counted_each_on_its_own() -> None:
    def define() -> None:
        @dp.expect_all({"a": "x > 0", "b": "y > 0"})
        @dp.materialized_view
        def m() -> None: ...

        dp.create_streaming_table("t", expect_all={"c": "x > 0"}, expect_all_or_drop={"d": "x > 1", "e": "x > 2"},
                                  expect_all_or_fail={"f": "x > 3"})
        dp.append_flow(target="t", name="flow")(lambda: None)

    definitions = defined(define)
    assert actions(definitions, "m") == [("a", "warn"), ("b", "warn")]
    assert actions(definitions, "t") == [("c", "warn"), ("d", "drop"), ("e", "drop"), ("f", "fail")]


@pytest.mark.parametrize("module", [dp, dlt])
@pytest.mark.parametrize(
    "condition",
    [QUERY, "EXISTS (select 1 from o)", "x > (SELECT max(x) FROM o)", "x IN (TABLE o)", "exists(FROM o)",
     "x > 0 /* the most */ AND (\n(Select 1) = 1)"],
)
def test_a_subquery_in_a_condition_is_refused_at_registration_and_names_its_expectation(
    module: Any, condition: str
) -> None:
    def decorated() -> None:
        module.expect_or_drop("r", condition)(module.table(name="orders")(lambda: None))

    def in_a_table() -> None:
        module.create_streaming_table("orders", expect_all={"fine": "x > 0", "r": condition})

    for define in (decorated, in_a_table):
        with pytest.raises(InvalidDataset, match=r"test_pipelines_expectations\.py:\d+: the condition of the "
                           r"expectation 'r' of 'orders' may not contain a subquery\. Join the other table"):
            defined(define)


def test_sql_refuses_a_subquery_in_a_condition_too() -> None:
    text = f"CREATE MATERIALIZED VIEW m (CONSTRAINT r EXPECT ({QUERY})) AS SELECT 1 AS id"
    with pytest.raises(PipelineSyntaxError, match="the condition of `r` may not contain a subquery"):
        sources.add_sql(dp.Registry(), text, source="s.sql", parameters={})


@pytest.mark.parametrize("condition", ["v = 'SELECT'", "`select` > 0", "s.select > 1", "trim(FROM v) = 'a'", "x IN (1)",
                                        "selected", "x > 0 -- SELECT", "v = 'it"])
def test_the_word_of_a_query_elsewhere_is_none(condition: str) -> None:
    assert defined(lambda: dp.expect("r", condition)(dp.table(name="t")(lambda: None))).datasets["t"].expectations


def test_a_dry_run_hears_of_every_subquery() -> None:
    def define() -> None:
        for name in ("a", "b"):
            dp.expect("r", QUERY)(dp.table(name=name)(lambda: None))

    problems = Problems(gather=True)
    defined(define, problems)
    assert [str(each).count(f"'{name}'") > 0 for each, name in zip(problems.found, "ab", strict=True)] == [True] * 2


@pytest.mark.parametrize(
    ("kind", "refused"),
    [(BooleanType(), None), (NullType(), None), (IntegerType(), "INT"), (StringType(), "STRING")],
)
def test_a_condition_gives_true_or_false(kind: DataType, refused: str | None) -> None:
    rules = (Expectation("fine", "x > 0", "warn"), Expectation("r", "x", "drop"))
    schema = StructType().add("rows", "long").add("answer_0", "boolean").add("answer_1", kind)
    assert not_boolean(schema, rules) == (refused and (rules[1], refused))
