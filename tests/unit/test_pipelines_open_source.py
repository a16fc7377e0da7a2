"""Our decorators beside those of open-source Spark: what is written for Spark's is understood by ours."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest

from helpers.pipelines import dp, open_source
from helpers.pipelines.dp import Registry, defining
from helpers.pipelines.errors import Unsupported

#: What every decorator and function there takes and ours refuses by name (differences.json says why).
REFUSED = {"spark_conf": {"a": "b"}, "format": "parquet"}
VALUES: dict[str, Any] = {
    "name": "t", "target": "t", "source": "s", "comment": "c", "table_properties": {"a": "b"}, "partition_cols": ["a"],
    "cluster_by": ["a"], "schema": "a INT", "keys": ["a"], "sequence_by": "b", "apply_as_deletes": "c",
    "column_list": ["a"], "except_column_list": ["a"], "stored_as_scd_type": 1, "options": {"tableName": "a.t"},
    "format": "delta",
}  # fmt: skip
FUNCTIONS = {name: getattr(open_source, name) for name in open_source.__all__}
ARGUMENTS = [
    (name, argument)
    for name, function in FUNCTIONS.items()
    for argument in inspect.signature(function).parameters
    if argument != "query_function"
]


def call(function: str, given: dict[str, Any]) -> Registry:
    """Call our function of that name as a source would, with what the original needs and with ``given``."""
    parameters = inspect.signature(FUNCTIONS[function]).parameters
    required = {key: VALUES[key] for key, each in parameters.items() if each.default is inspect.Parameter.empty}
    if function == "create_sink":
        required["options"] = VALUES["options"]  # a sink needs a place, in the original too
    with defining(Registry()) as registry:
        decorated = getattr(dp, function)(**{**required, **given})
        if callable(decorated):
            decorated(lambda: None)
    return registry


def test_ours_offer_everything_that_open_source_spark_offers() -> None:
    assert set(open_source.__all__) <= set(dp.__all__)


@pytest.mark.parametrize(("function", "argument"), ARGUMENTS)
def test_each_argument_of_the_original_is_taken_or_refused_by_name(function: str, argument: str) -> None:
    if argument in REFUSED and function != "create_sink":
        with pytest.raises(Unsupported, match=argument):
            call(function, {argument: REFUSED[argument]})
    else:
        registry = call(function, {argument: VALUES[argument]})
        assert registry.datasets or registry.flows


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_is_required_its_order_and_the_defaults_are_the_same(function: str) -> None:
    ours, theirs = (inspect.signature(each).parameters for each in (getattr(dp, function), FUNCTIONS[function]))
    # After the first four, Databricks itself has other arguments of create_auto_cdc_flow in between.
    positional = [key for key, each in theirs.items() if each.kind is not inspect.Parameter.KEYWORD_ONLY][:4]
    assert list(ours)[: len(positional)] == positional
    open_ended = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in ours.values())
    for key, each in theirs.items():
        if key not in ours:
            assert open_ended, key
            assert each.default is None, key
        elif key != "stored_as_scd_type":  # theirs says None for the type 1 that Databricks documents
            assert ours[key].default == each.default, key


#: What Databricks documents beside it, in the order in which its reference gives the arguments.
DOCUMENTED = {
    "create_auto_cdc_flow": (
        "target", "source", "keys", "sequence_by", "ignore_null_updates", "apply_as_deletes", "apply_as_truncates",
        "column_list", "except_column_list", "stored_as_scd_type", "track_history_column_list",
        "track_history_except_column_list", "name", "once"),
    "create_auto_cdc_from_snapshot_flow": (
        "target", "source", "keys", "stored_as_scd_type", "track_history_column_list",
        "track_history_except_column_list"),
    "create_sink": ("name", "format", "options"),
    **dict.fromkeys(("expect", "expect_or_drop", "expect_or_fail"), ("name", "inv")),
    **dict.fromkeys(("expect_all", "expect_all_or_drop", "expect_all_or_fail"), ("expectations",)),
}  # fmt: skip


@pytest.mark.parametrize("function", DOCUMENTED)
def test_arguments_by_position_have_the_order_of_databricks(function: str) -> None:
    parameters = inspect.signature(getattr(dp, function)).parameters
    by_position = [name for name, each in parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert tuple(by_position[: len(DOCUMENTED[function])]) == DOCUMENTED[function]


@pytest.mark.parametrize("function", ["append_flow", "create_streaming_table", "materialized_view", "table",
                                      "temporary_view"])
def test_what_the_original_takes_by_name_only_ours_does_too(function: str) -> None:
    kinds = [[each.name for each in inspect.signature(getattr(module, function)).parameters.values()
              if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)] for module in (dp, open_source)]
    assert kinds[0] == kinds[1]


def test_the_original_stays_importable_where_a_lesson_has_put_ours_in_its_place() -> None:
    script = (
        "import sys, pyspark\n"
        "from helpers.lab import opening\n"
        "opening._databricks_imports()\n"
        "from pyspark import pipelines as ours\n"
        "from helpers.pipelines import dp, open_source\n"
        "assert ours is dp\n"
        "assert open_source.table.__module__ == 'pyspark.pipelines.api', open_source.table.__module__\n"
        "assert dir(open_source) and not hasattr(open_source, 'expect')\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
