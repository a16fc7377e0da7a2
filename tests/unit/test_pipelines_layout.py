"""How a table's definition lays out its files and names its columns: all without Spark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.pipelines import dp, tables
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.graph import Dataset
from tests.unit.pipelines_defined import defined, from_sql


def only(text: str) -> Dataset:
    (dataset,) = from_sql(text).datasets.values()
    return dataset


@pytest.mark.parametrize("clustering", [{"cluster_by": ["b"]}, {"cluster_by_auto": True}])
@pytest.mark.parametrize("make", [dp.table, dp.materialized_view, dp.create_streaming_table])
def test_partitions_and_clusters_exclude_each_other(make: Callable[..., Any], clustering: dict[str, Any]) -> None:
    def define(**options: Any) -> None:
        made = make(name="t", **options)
        if made is None:
            dp.append_flow(target="t", name="f")(lambda: None)
        else:
            made(lambda: None)

    words = rf"test_pipelines_layout\.py:\d+: partition_cols and {next(iter(clustering))} exclude each other. Keep one"
    with pytest.raises(InvalidDataset, match=words):
        defined(lambda: define(partition_cols=["a"], **clustering))
    assert defined(lambda: define(partition_cols=["a"], cluster_by=[])).datasets["t"].partition_by == ("a",)


def test_a_flow_may_name_its_target_with_live_before_it() -> None:
    def define() -> None:
        dp.create_streaming_table("t")
        dp.append_flow(target="LIVE.T", name="f")(lambda: None)

    assert [flow.name for flow in defined(define).flows_into("t")] == ["f"]


@pytest.mark.parametrize(
    ("clause", "same"),
    [
        ("PARTITIONED BY (Day, `a-b`)", True),
        ("PARTITIONED BY (day)", False),
        ("PARTITIONED BY (`a-b`, day)", False),
        ("CLUSTER BY (day, `a-b`)", False),
        ("", False),
    ],
)
def test_a_table_lies_as_its_definition_says_only_with_the_same_columns_in_the_same_clause(
    clause: str, same: bool
) -> None:
    partitioned = tables.Stored({}, ("day", "a-b"), (), None, "/t")
    clustered = tables.Stored({}, (), ("day", "`a-b`"), None, "/t")
    view = f"CREATE MATERIALIZED VIEW v {clause} AS SELECT 1"
    assert partitioned.laid_out_as(only(view)) == same
    swapped = view.replace("PARTITIONED BY", "CLUSTER BY") if "PART" in view else view.replace("CLUSTER", "PARTITIONED")
    assert clustered.laid_out_as(only(swapped)) == same


class Frame(SimpleNamespace):
    """What has columns, and takes other names for them."""

    def toDF(self, *names: str) -> Frame:
        return Frame(columns=list(names))


def named(columns: str, given: Sequence[str]) -> list[str]:
    dataset = only(f"CREATE MATERIALIZED VIEW v {columns} AS SELECT 1")
    return tables.named(dataset, Frame(columns=list(given))).columns  # type: ignore[no-any-return]


def test_a_list_of_names_renames_the_querys_columns_by_position_and_one_with_types_does_not() -> None:
    assert named("(b, a COMMENT 'x')", ["a", "b"]) == ["b", "a"]
    assert named("(b INT, a INT)", ["a", "b"]) == ["a", "b"]
    assert named("", ["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("given", [["a"], ["a", "b", "c"]])
def test_a_list_of_names_is_as_long_as_the_querys_columns(given: list[str]) -> None:
    words = rf"s\.sql:1:1: 'v' lists 2 columns, its query gives {len(given)}: {', '.join(given)}\. List all of them or"
    with pytest.raises(InvalidDataset, match=words):
        named("(x, y)", given)
