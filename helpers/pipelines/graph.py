"""A pipeline's definitions and the graph that they make; nothing here knows Spark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from helpers.pipelines import names
from helpers.pipelines.errors import CyclicPipeline, DuplicateDataset, InvalidDataset, UnknownDataset, nearest
from helpers.sql import AutoCdc, Column, Expectation, Query

Kind = Literal["STREAMING_TABLE", "MATERIALIZED_VIEW", "VIEW"]
LAYERS = ("bronze", "silver", "gold")


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A streaming table, materialized view or temporary view; ``defined_at`` is ``file:line`` for messages."""

    name: str
    kind: Kind
    defined_at: str
    columns: tuple[Column, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    comment: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def layer(self) -> str | None:
        """The medallion layer that its name, or else its file's name, says."""
        words = [*re.split(r"[_\W]+", self.name.lower()), *re.split(r"[_\W]+", self.defined_at.lower())]
        return next((word for word in words if word in LAYERS), None)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A query that writes into ``target``; ``body`` is SQL or a function that returns a DataFrame.

    ``changes`` makes it an AUTO CDC flow: its rows are changes, to be applied and not appended.
    """

    name: str
    target: str
    body: Query | Callable[[], Any]
    defined_at: str
    changes: AutoCdc | None = None


@dataclass(frozen=True)
class Definitions:
    """Everything that a pipeline's sources define, in any order."""

    datasets: Mapping[str, Dataset]
    flows: tuple[Flow, ...]

    def flows_into(self, name: str) -> tuple[Flow, ...]:
        """The flows that write into a dataset."""
        return tuple(flow for flow in self.flows if flow.target == name)


def collect(datasets: Iterable[Dataset], flows: Iterable[Flow], *, schema: str) -> Definitions:
    """Put definitions together under their names in ``schema``; an equal name, or no source, is an error."""
    known: dict[str, Dataset] = {}
    for dataset in datasets:
        name = names.dataset_name(dataset.name, schema=schema, where=dataset.defined_at)
        if name in known:
            raise DuplicateDataset(f"'{name}' is defined twice: at {known[name].defined_at} and at "
                                   f"{dataset.defined_at}. Rename one of them.")
        _check_expectations(dataset)
        known[name] = replace(dataset, name=name)
    definitions = Definitions(known, tuple(_named(flow, schema) for flow in flows))
    _check_flows(definitions)
    return definitions


def _named(flow: Flow, schema: str) -> Flow:
    return replace(flow, name=names.dataset_name(flow.name, schema=schema, where=flow.defined_at),
                   target=names.dataset_name(flow.target, schema=schema, where=flow.defined_at))


def _check_expectations(dataset: Dataset) -> None:
    seen: set[str] = set()
    for rule in dataset.expectations:
        if rule.name in seen:
            raise DuplicateDataset(f"{dataset.defined_at}: '{dataset.name}' has two expectations named '{rule.name}'. "
                                   "Rename one of them.")
        seen.add(rule.name)


def _check_flows(definitions: Definitions) -> None:
    for name in definitions.datasets:
        _check_changes(definitions.flows_into(name))
    seen: dict[str, Flow] = {}
    for flow in definitions.flows:
        if flow.name in seen:
            raise DuplicateDataset(f"Flow '{flow.name}' is defined twice: at {seen[flow.name].defined_at} and at "
                                   f"{flow.defined_at}. Rename one of them.")
        seen[flow.name] = flow
        target = definitions.datasets.get(flow.target)
        if target is None:
            raise UnknownDataset(
                f"Flow '{flow.name}' ({flow.defined_at}) writes into '{flow.target}', which the pipeline does not "
                f"define.{nearest(flow.target, definitions.datasets)} Define it with CREATE STREAMING TABLE.")
        if target.kind != "STREAMING_TABLE" and flow.name != target.name:
            raise _takes_no_flow(flow)
    for dataset in definitions.datasets.values():
        if not definitions.flows_into(dataset.name):
            raise InvalidDataset(f"'{dataset.name}' ({dataset.defined_at}) has no query and no flow writes into it. "
                                 "Give it a query, or a flow.")


def _check_changes(flows: Sequence[Flow]) -> None:
    """An AUTO CDC target takes AUTO CDC flows only, and these must agree about its rows."""
    first = next((flow for flow in flows if flow.changes), None)
    if first is None:
        return
    for flow in flows:
        if flow.changes is None:
            raise InvalidDataset(f"{first.defined_at}: the AUTO CDC flow '{first.name}' writes into '{first.target}', "
                                 f"so '{flow.name}' ({flow.defined_at}) cannot append to it as well. Use two tables.")
        if _applied_as(flow.changes) != _applied_as(first.changes):
            raise InvalidDataset(f"{flow.defined_at}: the AUTO CDC flows '{first.name}' and '{flow.name}' write into "
                                 f"'{flow.target}' with different KEYS, COLUMNS, SCD TYPE, TRACK HISTORY or IGNORE "
                                 "NULL UPDATES. Make them equal.")


def _applied_as(changes: AutoCdc | None) -> AutoCdc | None:
    return changes and replace(changes, sequence_by=None, apply_as_deletes=None, apply_as_truncates=None, once=False)


def settled(definitions: Definitions, streaming: Callable[[Flow], bool]) -> Definitions:
    """`@dp.table` over a batch DataFrame is a materialized view; that shows only once the function's plan is known."""
    datasets = dict(definitions.datasets)
    for flow in definitions.flows:
        dataset = datasets[flow.target]
        own = flow.name == flow.target and flow.changes is None
        if dataset.kind == "STREAMING_TABLE" and own and not streaming(flow):
            datasets[flow.target] = replace(dataset, kind="MATERIALIZED_VIEW")
    for flow in definitions.flows:
        if datasets[flow.target].kind != "STREAMING_TABLE" and flow.name != flow.target:
            raise _takes_no_flow(flow)
    return Definitions(datasets, definitions.flows)


def _takes_no_flow(flow: Flow) -> InvalidDataset:
    return InvalidDataset(f"Flow '{flow.name}' ({flow.defined_at}) writes into '{flow.target}', which is not a "
                          "streaming table. Only streaming tables take flows.")


def execution_order(edges: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Datasets, inputs first. ``edges`` maps each dataset to the datasets that it reads."""
    try:
        return tuple(TopologicalSorter(edges).static_order())
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise CyclicPipeline(f"These datasets read each other in a circle: {circle}. Break one of the reads.") from None


def select(selection: Sequence[str], definitions: Definitions, *, schema: str) -> frozenset[str]:
    """Check a selection of tables; names may carry the catalog and schema in front."""
    chosen = set()
    for name in selection:
        bare = names.own(name, schema)
        dataset = definitions.datasets.get(bare or "")
        if bare is None or dataset is None:
            tables = sorted(n for n, d in definitions.datasets.items() if d.kind != "VIEW")
            raise UnknownDataset(f"The selection names '{name}', which the pipeline does not define."
                                 f"{nearest(names.canonical(name), tables)} It has: {', '.join(tables)}.")
        if dataset.kind == "VIEW":
            raise UnknownDataset(f"The selection names '{name}', a temporary view. Select tables: views store nothing.")
        chosen.add(bare)
    return frozenset(chosen)


def downstream(failed: Iterable[str], edges: Mapping[str, Sequence[str]]) -> frozenset[str]:
    """Everything that reads, directly or not, one of ``failed``."""
    start = frozenset(failed)
    reached = set(start)
    for name in execution_order(edges):
        if reached.intersection(edges.get(name, ())):
            reached.add(name)
    return frozenset(reached) - start
