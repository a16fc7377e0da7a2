"""The graph that definitions make, what a selection refreshes, and when a result may differ: all without Spark."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.pipelines import dp
from helpers.pipelines.definitions import collect
from helpers.pipelines.errors import CyclicPipeline, InvalidDataset, UnknownDataset, UnknownTable
from helpers.pipelines.graph import Definitions, downstream, execution_order, select, settled
from helpers.pipelines.plan import Plan, Selection, arrange, merged_reads, selected
from helpers.pipelines.reads import Discovery, Reads
from helpers.sql import Input
from tests.unit.pipelines_defined import from_sql


def test_inputs_come_first_and_a_circle_is_named() -> None:
    assert execution_order({"gold": ["silver"], "silver": ["bronze"], "bronze": []}) == ("bronze", "silver", "gold")
    with pytest.raises(CyclicPipeline, match=r"a → b → a|b → a → b"):
        execution_order({"a": ["b"], "b": ["a"]})


def test_only_what_depends_on_a_failure_is_downstream_of_it() -> None:
    edges = {"bronze": (), "silver": ("bronze",), "gold": ("silver", "apart"), "apart": ()}
    assert downstream(["bronze"], edges) == {"silver", "gold"}
    assert downstream(["gold"], edges) == frozenset()


CHAIN = (
    "CREATE MATERIALIZED VIEW gold AS SELECT * FROM some; CREATE TEMPORARY VIEW some AS SELECT * FROM v2;"
    "CREATE TEMPORARY VIEW v2 AS SELECT * FROM bronze JOIN raw.bronze; CREATE STREAMING TABLE bronze "
    "TBLPROPERTIES ('pipelines.reset.allowed' = 'false') AS SELECT * FROM STREAM src;"
)


def planned(text: str = CHAIN, **request: Any) -> Plan:
    definitions = from_sql(text)
    asked = {"refresh": (), "full_refresh": False, "full_refresh_selection": (), "half_reset": (), **request}
    discovery = Discovery(None, lambda name: None, lambda: frozenset({"my_udf"}))
    reads = {flow.name: discovery.of(flow, None) for flow in definitions.flows}  # type: ignore[arg-type]
    return arrange(
        definitions,
        reads,
        schema="shop",
        selection=selected(definitions, schema="shop", **asked),
        exists=lambda name: name in ("src", "raw.bronze"),
    )


def test_a_selection_brings_the_views_that_it_reads_and_no_table() -> None:
    assert planned(refresh=["gold"]).needed == ("v2", "some", "gold")
    assert planned(refresh=["shop.Bronze"]).needed == ("bronze",)
    assert planned().order == ("bronze", "v2", "some", "gold")
    assert planned().sources["v2"] == ("raw.bronze",)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"refresh": ["golt"]}, "Did you mean 'gold'"),
        ({"refresh": ["some"]}, "temporary view"),
        ({"refresh": ["raw.gold"]}, "does not define"),
    ],
)
def test_a_wrong_selection_is_named(request_: dict[str, Any], words: str) -> None:
    with pytest.raises(UnknownDataset, match=words):
        planned(**request_)


def test_a_protected_table_is_never_emptied() -> None:
    assert planned(full_refresh=True).selection == Selection(frozenset({"gold", "bronze"}), frozenset({"gold"}))
    with pytest.raises(InvalidDataset, match=r"'bronze' has the property pipelines\.reset\.allowed=false"):
        planned(full_refresh_selection=["bronze"])


def test_a_reset_that_was_killed_is_finished_whatever_is_selected() -> None:
    selection = planned(refresh=["gold"], half_reset=["bronze", "removed_since"]).selection
    assert selection == Selection(frozenset({"gold", "bronze"}), frozenset({"bronze"}))


def test_a_flows_tables_are_found_through_views() -> None:
    plan = planned()
    (gold,) = plan.definitions.flows_into("gold")
    assert set(plan.base_tables(gold) or ()) == {"bronze", "raw.bronze"}
    assert plan.views_below("gold") == ("some", "v2")


@pytest.mark.parametrize(
    "changing", ["current_date", "now()", "rand()", "my_udf(a)", "DATE 'today'", "uuid()", "current_timestamp()"]
)
def test_a_query_that_may_change_has_no_fingerprint(changing: str) -> None:
    plan = planned(
        f"CREATE TEMPORARY VIEW v AS SELECT {changing} AS x FROM src; CREATE MATERIALIZED VIEW m AS SELECT * FROM v"
    )
    discovery = Discovery(None, lambda name: None, lambda: frozenset({"my_udf"}))
    assert plan.definition(plan.definitions.flows_into("m")[0], discovery.may_change) is None


def test_a_streaming_query_needs_no_fingerprint_so_nobody_asks_for_functions() -> None:
    def functions() -> frozenset[str]:
        raise AssertionError("asked")

    discovery, flows = Discovery(None, lambda name: None, functions), from_sql(CHAIN).flows
    (streaming,) = (flow for flow in flows if flow.name == "bronze")
    assert discovery.of(streaming, None).fingerprint is None  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="asked"):
        discovery.of(flows[0], None)  # type: ignore[arg-type]


def test_a_definition_tells_changes_of_itself_its_rules_and_its_views() -> None:
    def definition(text: str) -> str | None:
        plan = planned(text)
        return plan.definition(
            plan.definitions.flows_into("m")[0], Discovery(None, lambda name: None, frozenset).may_change
        )

    view, rule = "CREATE TEMPORARY VIEW v AS SELECT {} FROM src;", "(CONSTRAINT r EXPECT ({}))"
    query = "CREATE MATERIALIZED VIEW m {} AS SELECT now, version FROM v"
    texts = [
        view.format(column) + query.format(rule.format(condition) if condition else "")
        for column in ("*", "a")
        for condition in ("", "a > 0", "a > 1")
    ]
    found = [definition(text) for text in texts]
    assert None not in found
    assert len(set(found)) == len(texts)
    assert definition(texts[0]) == found[0]
    assert definition(view.format("*") + query.format(rule.format("a > current_date()"))) is None


def test_a_view_is_read_as_it_reads() -> None:
    stream, batch = (
        "CREATE TEMPORARY VIEW v AS SELECT * FROM STREAM src;",
        "CREATE TEMPORARY VIEW v AS SELECT * FROM src;",
    )
    with pytest.raises(InvalidDataset, match="INCOMPATIBLE_STREAMING_VIEW_READ"):
        planned(stream + "CREATE MATERIALIZED VIEW m AS SELECT * FROM v")
    with pytest.raises(InvalidDataset, match="INCOMPATIBLE_BATCH_VIEW_READ"):
        planned(batch + "CREATE STREAMING TABLE t AS SELECT * FROM STREAM v")
    assert planned(stream + "CREATE STREAMING TABLE t AS SELECT * FROM STREAM v").needed == ("v", "t")


def test_changes_come_from_streaming_views_with_once_too() -> None:
    batch, flow = "CREATE TEMPORARY VIEW v AS SELECT * FROM src;", (
        "CREATE STREAMING TABLE t; CREATE FLOW f AS AUTO CDC ONCE INTO t FROM v KEYS (id) SEQUENCE BY ts;")
    with pytest.raises(InvalidDataset, match=r"INCOMPATIBLE_BATCH_VIEW_READ: 'f' .* let 'v' read .* with STREAM"):
        planned(batch + flow)
    assert planned(batch.replace("FROM", "FROM STREAM") + flow).needed == ("v", "t")


def test_a_batch_function_makes_a_table_a_materialized_view_and_a_flow_that_runs_once_does_not() -> None:
    def kind(definitions: Definitions) -> str:
        return settled(definitions, lambda flow: False).datasets["t"].kind

    with dp.defining(dp.Registry()) as registry:
        dp.table(name="t")(lambda: None)
    assert kind(collect(*registry.finished(), schema="shop")) == "MATERIALIZED_VIEW"
    once = planned("CREATE STREAMING TABLE t FLOW INSERT ONCE BY NAME SELECT * FROM src;")
    assert [flow.name for flow in once.definitions.flows_into("t")] == ["t"]
    assert (once.definitions.datasets["t"].kind, kind(once.definitions)) == ("STREAMING_TABLE", "STREAMING_TABLE")


def test_an_unknown_table_is_named_with_the_nearest() -> None:
    with pytest.raises(
        UnknownTable, match=r"s\.sql:1:48: TABLE_OR_VIEW_NOT_FOUND: 'm' reads 'god'.* Did you mean 'gold'"
    ):
        planned("CREATE MATERIALIZED VIEW gold AS SELECT 1 AS a;CREATE MATERIALIZED VIEW m AS SELECT * FROM god")


def test_what_a_function_looked_at_before_it_could_be_called_is_kept() -> None:
    first, second = Input(name="a", streaming=False), Input(name="b", streaming=False)
    old, new = Reads((first,), False, True, None, deferred=True), Reads((second,), False, True, None, deferred=True)
    assert merged_reads(old, new).inputs == (first, second)
    assert merged_reads(old, Reads((second,), True, False, "print")).inputs == (second,)


def test_only_tables_of_the_selection_are_given() -> None:
    assert select(["`GOLD`", "spark_catalog.shop.gold"], from_sql(CHAIN), schema="shop") == {"gold"}
