"""AUTO CDC flows: how they are defined, what they may not be, and the statement that applies changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from helpers.pipelines import cdc, dp
from helpers.pipelines.cdc import Field, Span, Target
from helpers.pipelines.errors import DuplicateDataset, InvalidDataset, Unsupported
from helpers.pipelines.graph import Definitions
from helpers.pipelines.report import DatasetReport, UpdateReport, from_dict, merged
from helpers.sql import AutoCdc, ColumnChoice
from tests.unit.pipelines_defined import defined, from_sql

PLAIN = {"target": "t", "source": "s", "keys": ["id"], "sequence_by": "ts"}
FLOW = "CREATE FLOW {} AS AUTO CDC INTO t FROM STREAM s KEYS (id) SEQUENCE BY ts;"


def python_flow(**arguments: Any) -> Definitions:
    def define() -> None:
        dp.create_streaming_table("t")
        dp.create_auto_cdc_flow(**{**PLAIN, **arguments})

    return defined(define)


def test_sql_and_python_define_the_same_flow() -> None:
    python = python_flow(
        name="f", target="T", keys=["id", "k"], apply_as_deletes="op = 'D'", except_column_list=["op"],
        stored_as_scd_type="2", track_history_except_column_list=["b"], ignore_null_updates=True)
    written = from_sql(
        "CREATE STREAMING TABLE t; CREATE FLOW f AS AUTO CDC INTO t FROM STREAM s KEYS (id, k) IGNORE NULL UPDATES "
        "APPLY AS DELETE WHEN op = 'D' SEQUENCE BY ts COLUMNS * EXCEPT (op) STORED AS SCD TYPE 2 "
        "TRACK HISTORY ON * EXCEPT (b);")
    one, other = python.flows[0], written.flows[0]
    assert (one.name, one.target, one.changes) == (other.name, other.target, other.changes)
    assert [(read.name, read.streaming) for read in one.body.inputs] == [("s", True)]
    assert one.defined_at.startswith("test_pipelines_cdc.py:")


def test_each_argument_of_python_reaches_the_clause_that_it_names() -> None:
    (latest,) = python_flow(apply_as_deletes="op = 'D'", apply_as_truncates="op = 'T'", column_list=["id", "a"]).flows
    assert latest.changes == AutoCdc(
        keys=("id",), sequence_by="ts", apply_as_deletes="op = 'D'", apply_as_truncates="op = 'T'",
        columns=ColumnChoice(("id", "a")), scd_type=1)
    (history,) = python_flow(
        except_column_list=["op"], stored_as_scd_type=2, track_history_column_list=["a", "b"], once=True).flows
    assert history.changes == AutoCdc(
        keys=("id",), sequence_by="ts", columns=ColumnChoice(("op",), all_but=True), scd_type=2,
        track_history=ColumnChoice(("a", "b")), once=True)


def test_a_python_flow_has_its_targets_name_where_it_is_given_none() -> None:
    assert python_flow().flows[0].name == "t"
    assert python_flow(target="LIVE.t").flows[0].name == "t"
    assert python_flow(name="changes").flows[0].name == "changes"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"keys": []}, "AUTOCDC_EMPTY_KEYS"),
        ({"keys": "id"}, "keys takes a list"),
        ({"keys": ["id", "ID"]}, "names a column twice"),
        ({"keys": [3]}, "AUTOCDC_NON_COLUMN_IDENTIFIER: keys"),
        ({"sequence_by": None}, "sequence_by takes SQL text or a Column"),
        ({"apply_as_deletes": True}, "apply_as_deletes takes SQL text or a Column"),
        ({"apply_as_deletes": "id IN (SELECT id FROM gone)"}, "apply_as_deletes may not contain a subquery"),
        ({"apply_as_truncates": "EXISTS (TABLE gone)"}, "apply_as_truncates may not contain a subquery"),
        ({"source": ["s"]}, "source takes the name of a table"),
        ({"stored_as_scd_type": 3}, "stored_as_scd_type is 1 or 2, not 3"),
        ({"stored_as_scd_type": 2, "apply_as_truncates": "a"}, "apply_as_truncates is for stored_as_scd_type=1 only"),
        ({"track_history_column_list": ["a"]}, "need stored_as_scd_type=2"),
        ({"column_list": ["id"], "except_column_list": ["b"]}, "give column_list or except_column_list, not both"),
        ({"except_columns_list": ["b"]}, "'except_columns_list' is no argument .* mean 'except_column_list'"),
    ],
)
def test_a_wrong_argument_is_named_with_its_line(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidDataset, match=words) as caught:
        python_flow(**arguments)
    assert str(caught.value).startswith("test_pipelines_cdc.py:")


@pytest.mark.parametrize("argument", ["system_sequence_by", "columns_to_update", "ignore_null_updates_column_list"])
def test_what_databricks_alone_can_do_is_refused_by_name(argument: str) -> None:
    assert python_flow(**{argument: None}).flows
    with pytest.raises(Unsupported, match=rf"create_auto_cdc_flow\({argument}=…\) is not supported"):
        python_flow(**{argument: ["a"]})


def snapshot_flow(**arguments: Any) -> Definitions:
    def define() -> None:
        dp.create_streaming_table("t", expect_all=arguments.pop("expect_all", None))
        dp.create_auto_cdc_from_snapshot_flow(**{"target": "t", "source": "s", "keys": ["id"], **arguments})

    return defined(define)


@pytest.mark.parametrize("flow", [python_flow, snapshot_flow])
def test_live_before_a_source_or_target_is_ignored_in_arguments_as_it_is_in_sql(flow: Callable[..., Any]) -> None:
    (old,) = flow(target="LIVE.T", source="live.`s`").flows
    assert (old.name, old.target) == ("t", "t")
    assert old == flow(target="t", source="`s`").flows[0]
    assert [read.name for read in flow(source="raw.live").flows[0].body.inputs] == ["raw.live"]


def test_a_flow_from_snapshots_takes_a_table_or_a_function() -> None:
    def following(version: Any) -> None: ...

    (named,) = snapshot_flow(stored_as_scd_type="2", track_history_except_column_list=["a"]).flows
    assert [(read.name, read.streaming) for read in named.body.inputs] == [("s", False)]
    assert (named.name, named.changes.scd_type, named.changes.snapshots) == ("t", 2, True)
    (called,) = snapshot_flow(source=following).flows
    assert (named.next_snapshot, called.next_snapshot, called.changes.scd_type) == (None, following, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"source": 3}, "source takes the name of a table or view, or a function, not 3"),
        ({"keys": []}, "AUTOCDC_EMPTY_KEYS"),
        ({"stored_as_scd_type": 3}, "stored_as_scd_type is 1 or 2"),
        ({"track_history_column_list": ["a"]}, "need stored_as_scd_type=2"),
        ({"expect_all": {"r": "a > 0"}}, "'t' has expectations and takes AUTO CDC from snapshots"),
    ],
)
def test_a_wrong_argument_for_snapshots_is_named(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidDataset, match=words):
        snapshot_flow(**arguments)


def test_a_table_may_hold_its_flow() -> None:
    inline = from_sql("CREATE STREAMING TABLE t FLOW AUTO CDC FROM STREAM s KEYS (id) SEQUENCE BY ts;").flows[0]
    apart = from_sql("CREATE STREAMING TABLE t;" + FLOW.format("t")).flows[0]
    assert (inline.name, inline.target, inline.changes) == (apart.name, apart.target, apart.changes)
    once = from_sql("CREATE STREAMING TABLE t COMMENT 'c' FLOW INSERT ONCE BY NAME SELECT 1 AS id;").flows[0]
    assert (once.name, once.once, once.changes) == ("t", True, None)


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (
            "CREATE STREAMING TABLE t; CREATE FLOW g AS INSERT INTO t BY NAME SELECT * FROM STREAM s;"
            + FLOW.format("f"),
            InvalidDataset,
            "'g' .* cannot append to it as well",
        ),
        ("CREATE STREAMING TABLE t AS SELECT * FROM STREAM s;" + FLOW.format("f"), InvalidDataset, "cannot append"),
        ("CREATE STREAMING TABLE t;" + FLOW.format("f") * 2, DuplicateDataset, "Flow 'f' is defined twice"),
        (
            "CREATE STREAMING TABLE t;" + FLOW.format("f") + FLOW.format("g").replace("(id)", "(id, k)"),
            InvalidDataset,
            "'f' and 'g' write into 't' with different KEYS",
        ),
        (
            "CREATE STREAMING TABLE t TBLPROPERTIES ('pipelines.cdc.tombstoneGCThresholdInSeconds' = '3600');",
            Unsupported,
            "tombstoneGCThresholdInSeconds",
        ),
    ],
)
def test_a_contradiction_is_found_before_anything_runs(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        from_sql(text)


def test_two_flows_of_changes_may_share_a_target_when_they_agree_about_its_rows() -> None:
    once = "CREATE FLOW g AS AUTO CDC ONCE INTO t FROM s2 KEYS (id) APPLY AS DELETE WHEN d SEQUENCE BY loaded_at;"
    definitions = from_sql("CREATE STREAMING TABLE t;" + FLOW.format("f") + once)
    assert [flow.name for flow in definitions.flows_into("t")] == ["f", "g"]


def test_updates_that_belong_together_add_up_what_was_upserted_and_deleted() -> None:
    def update(upserted: int | None, deleted: int | None) -> UpdateReport:
        counts = {"num_upserted_rows": upserted, "num_deleted_rows": deleted}
        target = DatasetReport("t", "STREAMING_TABLE", rows_read=5, **counts)
        return UpdateReport("i", "p", "u", "COMPLETED", "USER_ACTION", False, 0, datasets=(target,))

    both = merged([update(2, 1), update(3, 0), update(None, None)])
    assert from_dict(both.as_dict()) == both
    found = both.dataset("t")
    assert (found.num_upserted_rows, found.num_deleted_rows, found.num_output_rows) == (5, 1, None)


FIELDS = (Field("Id"), Field("a b"), Field("m", comparable=False))


def target(**rules: Any) -> Target:
    found = AutoCdc(**{"keys": ("id",), "sequence_by": "ts", **rules})
    return Target("shop.t", "shop.c", FIELDS, cdc.tracked_columns(FIELDS, found), found)


def test_only_the_keys_that_were_touched_since_the_last_time_are_read_again() -> None:
    later = cdc.merge(target(), Span(4, 9))
    assert "table_changes('`shop`.`c`', 5, 9)" in later
    assert "VERSION AS OF 9" in later
    assert "table_changes" not in cdc.merge(target(), Span(None, 9))


def test_names_are_quoted_and_what_has_no_order_is_compared_as_text() -> None:
    text = cdc.merge(target(), Span(None, 0))
    assert "row.`a b` AS `a b`" in text
    assert "to_json(wanted.`m`) <=> to_json(present.`m`)" in text
    assert "ON target.`Id` = source.`Id`\n" in text


def test_the_columns_of_a_history_are_there_for_type_2_only() -> None:
    assert "__START_AT" not in cdc.merge(target(), Span(None, 0))
    assert "target.`__START_AT` = source.`__START_AT`" in cdc.merge(target(scd_type=2), Span(None, 0))


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ("Id", "a b", "m")),
        (ColumnChoice(("A B",)), ("a b",)),
        (ColumnChoice(("M",), all_but=True), ("Id", "a b")),
    ],
)
def test_history_is_tracked_on_every_column_or_on_those_chosen(
    choice: ColumnChoice | None, expected: tuple[str, ...]
) -> None:
    rules = AutoCdc(keys=("id",), sequence_by="ts", scd_type=2, track_history=choice)
    assert cdc.tracked_columns(FIELDS, rules) == expected
