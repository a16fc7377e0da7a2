"""``import dlt``: old sources define what they always did, by the names and the order of ``databricks-dlt`` 0.3.0."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.pipelines import dlt, dp, sources
from helpers.pipelines.building import Building, PipelineSession, while_building
from helpers.pipelines.errors import InvalidDataset, InvalidSource, Unsupported
from tests.unit.pipelines_defined import defined

#: The arguments of each function there, in order.
TABLE = ("comment", "spark_conf", "table_properties", "partition_cols", "path", "schema")
HISTORY = ("track_history_column_list", "track_history_except_column_list")
SIGNATURES = {
    "append_flow": ("name", "target", "comment", "spark_conf", "once"),
    "table": ("query_function", "name", *TABLE, "temporary", "cluster_by", "row_filter"),
    "view": ("query_function", "name", "comment", "spark_conf"),
    "on_event_hook": ("user_event_hook_fn", "max_allowable_consecutive_failures"),
    "create_streaming_table": ("name", *TABLE, "expect_all", "expect_all_or_drop", "expect_all_or_fail", "cluster_by",
                               "row_filter"),
    "apply_changes": ("target", "source", "keys", "sequence_by", "where", "ignore_null_updates", "apply_as_deletes",
                      "apply_as_truncates", "column_list", "except_column_list", "stored_as_scd_type", *HISTORY,
                      "flow_name", "once", "ignore_null_updates_column_list",
                      "ignore_null_updates_except_column_list", "columns_to_update"),
    "apply_changes_from_snapshot": ("target", "source", "keys", "stored_as_scd_type", "snapshot_and_version",
                                    *HISTORY),
    **dict.fromkeys(("expect", "expect_or_drop", "expect_or_fail"), ("name", "inv")),
    **dict.fromkeys(("expect_all", "expect_all_or_drop", "expect_all_or_fail"), ("expectations",)),
    **dict.fromkeys(("read", "read_stream", "readStream"), ("name",)),
}  # fmt: skip
VALUES: dict[str, Any] = {
    "name": "t", "target": "t", "source": "s", "keys": ["id"], "sequence_by": "ts", "comment": "c", "once": True,
    "table_properties": {"a": "b"}, "partition_cols": ["a"], "schema": "a INT", "temporary": True, "cluster_by": ["a"],
    "expect_all": {"r": "a > 0"}, "expect_all_or_drop": {"r": "a > 0"}, "expect_all_or_fail": {"r": "a > 0"},
    "max_allowable_consecutive_failures": 3, "ignore_null_updates": True, "apply_as_deletes": "d",
    "apply_as_truncates": "d", "column_list": ["id"], "except_column_list": ["b"], "flow_name": "f",
    "stored_as_scd_type": "2", "track_history_column_list": ["a"], "track_history_except_column_list": ["a"],
    "snapshot_and_version": lambda version: None,
}  # fmt: skip
NEEDED = {"apply_changes": ("target", "source", "keys", "sequence_by"), "create_streaming_table": ("name",),
          "apply_changes_from_snapshot": ("target", "source", "keys"), "append_flow": ("target",)}  # fmt: skip
#: The arguments that a source gives by name; a decorator's function comes from Python, and these need a session.
ARGUMENTS = [(function, argument) for function, arguments in SIGNATURES.items()
             if not function.startswith(("expect", "read"))
             for argument in arguments if argument not in ("query_function", "user_event_hook_fn")]


def call(function: str, **given: Any) -> dp.Registry:
    """Call a function of dlt as a source would, with what it needs and with what is given."""
    needed = {key: VALUES[key] for key in NEEDED.get(function, ()) if key not in given}
    if "snapshot_and_version" in given:
        del needed["source"]
    if any(key.startswith("track_history") for key in given):
        given["stored_as_scd_type"] = 2
    with dp.defining(dp.Registry()) as registry:
        decorated = getattr(dlt, function)(**needed, **given)
        if callable(decorated):
            decorated((lambda event: None) if function == "on_event_hook" else (lambda: None))
    return registry


@pytest.mark.parametrize(("function", "argument"), ARGUMENTS)
def test_each_argument_is_taken_or_refused_by_name(function: str, argument: str) -> None:
    if argument in VALUES:
        registry = call(function, **{argument: VALUES[argument]})
        assert registry.datasets or registry.flows or registry.hooks
    else:
        with pytest.raises(Unsupported, match=argument):
            call(function, **{argument: ["a"]})


@pytest.mark.parametrize("name", dp._OFFERED)
def test_what_pipelines_offer_dlt_offers_too_or_has_under_its_old_name(name: str) -> None:
    old = {"materialized_view": "table", "temporary_view": "view"}
    assert callable(getattr(dlt, old.get(name, name)))


def test_the_kind_of_a_table_is_left_to_what_its_function_returns() -> None:
    def define(module: Any) -> dp.Registry:
        with dp.defining(dp.Registry()) as registry:
            module.table(table)
            (module.view if module is dlt else module.temporary_view)(name="v")(table)
        return registry

    def table() -> None: ...

    assert define(dlt) == define(dp)


@pytest.mark.parametrize("function", SIGNATURES)
def test_arguments_have_the_names_and_the_order_of_the_original(function: str) -> None:
    parameters = inspect.signature(getattr(dlt, function)).parameters
    by_position = [name for name, each in parameters.items() if each.kind is each.POSITIONAL_OR_KEYWORD]
    assert tuple(by_position) == SIGNATURES[function]


def test_a_table_without_a_query_takes_its_arguments_by_position() -> None:
    def define() -> None:
        rules = ({"w": "a > 0"}, {"d": "a > 1"}, {"f": "a > 2"})
        dlt.create_streaming_table("t", "c", None, {"k": "v"}, None, None, "a INT", *rules, ["a"])
        dlt.append_flow("f", "t")(lambda: None)

    t = defined(define).datasets["t"]
    assert (t.comment, t.properties, t.columns[0].name, t.cluster_by) == ("c", {"k": "v"}, "a", ("a",))
    assert [(rule.name, rule.action) for rule in t.expectations] == [("w", "warn"), ("d", "drop"), ("f", "fail")]


@pytest.mark.parametrize("module", [dlt, dp])
def test_expectations_take_their_arguments_by_name_too(module: Any) -> None:
    def define() -> None:
        @module.expect(name="a", inv="x > 0")
        @module.expect_or_drop(inv="x > 1", name="b")
        @module.expect_or_fail("c", inv="x > 2")
        @module.expect_all(expectations={"d": "x > 3"})
        @module.expect_all_or_drop(expectations={"e": "x > 4"})
        @module.expect_all_or_fail(expectations={"f": "x > 5"})
        @module.table
        def t() -> None: ...

    found = [(rule.name, rule.condition, rule.action) for rule in defined(define).datasets["t"].expectations]
    assert found == [("a", "x > 0", "warn"), ("b", "x > 1", "drop"), ("c", "x > 2", "fail"), ("d", "x > 3", "warn"),
                     ("e", "x > 4", "drop"), ("f", "x > 5", "fail")]


def test_a_flow_of_changes_has_its_own_arguments() -> None:
    def define() -> None:
        dlt.create_streaming_table("t")
        dlt.apply_changes("t", "s", ["id"], "ts", flow_name="f", stored_as_scd_type=2)

    (flow,) = defined(define).flows
    assert (flow.name, flow.changes.scd_type) == ("f", 2)
    assert flow.defined_at.startswith("test_pipelines_dlt.py:")
    with pytest.raises(Unsupported, match=r"\(where=…\) is not supported"):
        call("apply_changes", where="id > 0")
    with pytest.raises(InvalidDataset, match=r"^test_pipelines_dlt\.py:.* give flow_name or name, not both"):
        dlt.apply_changes("t", "s", ["id"], "ts", flow_name="f", name="g")


def test_a_snapshot_function_goes_by_its_older_name() -> None:
    def following(version: Any) -> None: ...

    def define() -> None:
        dlt.create_streaming_table("t")
        dlt.apply_changes_from_snapshot("t", snapshot_and_version=following, keys=["id"], stored_as_scd_type=2)

    (flow,) = defined(define).flows
    assert (flow.next_snapshot, flow.changes.scd_type) == (following, 2)
    with pytest.raises(InvalidDataset, match="source or snapshot_and_version, not both"):
        dlt.apply_changes_from_snapshot("t", "s", ["id"], snapshot_and_version=following)


def test_an_append_flow_takes_its_name_first_and_needs_a_target() -> None:
    def define() -> None:
        dlt.create_streaming_table("t")
        dlt.append_flow("f", "t")(lambda: None)

    assert [(flow.name, flow.target) for flow in defined(define).flows] == [("f", "t")]
    with pytest.raises(InvalidDataset, match=r"test_pipelines_dlt\.py:\d+: append_flow needs a target"):
        dlt.append_flow(name="f")


@pytest.mark.parametrize(
    ("old", "successor"),
    [("create_table", "table"), ("create_view", "view"), ("create_target_table", "create_streaming_table"),
     ("create_streaming_live_table", "create_streaming_table")],
)  # fmt: skip
def test_an_older_name_works_and_says_its_successor(old: str, successor: str) -> None:
    def define() -> None:
        made = getattr(dlt, old)(name="t")
        if made is not None:
            made(lambda: None)

    with pytest.warns(UserWarning, match=rf"dlt\.{old} is deprecated. Write {successor} instead"), dp.defining(
            dp.Registry()) as registry:
        define()
    assert registry.datasets[0][0].defined_at.startswith("test_pipelines_dlt.py:")


def test_datasets_are_read_inside_of_functions_only() -> None:
    for read in (dlt.read, dlt.read_stream, dlt.readStream):
        with pytest.raises(InvalidSource, match=r"dlt\.read\w* is for the functions of datasets"):
            read("t")
    with sources.databricks_imports():
        import dlt as inside
    assert inside is dlt


def test_a_dataset_function_reads_a_dataset_as_a_whole_or_as_a_stream(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole, new = Session("whole"), Session("new")
    session = SimpleNamespace(read=whole, readStream=new)
    monkeypatch.setattr("pyspark.sql.SparkSession.active", lambda: session)
    with while_building(Building(tmp_path, {}, views=None)):  # type: ignore[arg-type]
        assert dlt.read("LIVE.t") == "whole t"
        assert [read("`live`.t") for read in (dlt.read_stream, dlt.readStream)] == ["new t"] * 2


class Session:
    """A session, and a reader of it, that only say which table they are asked for."""

    def __init__(self, kind: str = "") -> None:
        self._kind = kind

    @property
    def read(self) -> Session:
        return self

    readStream = read

    def option(self, key: str, value: str) -> Session:
        return self

    def table(self, name: str) -> str:
        return f"{self._kind} {name}".strip()


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("LIVE.t", "t"), ("live . `t`", "`t`"), ("`live`.t", "t"), ("olive.t", "olive.t"), ("live", "live")],
)
def test_python_sources_may_write_live_before_a_table(name: str, wanted: str) -> None:
    spark = PipelineSession(Session())
    assert (spark.table(name), spark.read.table(name)) == (wanted, wanted)
    assert spark.readStream.option("skipChangeCommits", "true").table(name) == wanted


def test_no_argument_is_passed_over() -> None:
    with pytest.raises(TypeError, match="coment"):
        dlt.append_flow("f", "t", coment="x")
    for function in ("table", "view", "create_streaming_table", "apply_changes"):
        with pytest.raises(InvalidDataset, match="coment"):
            call(function, coment="x")
