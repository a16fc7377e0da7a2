"""A pipeline's definitions as plain data, and the order that they make; nothing here knows Spark."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal

from helpers.pipelines import names
from helpers.pipelines.errors import CyclicPipeline, InvalidDataset, UnknownDataset, nearest
from helpers.sql import AutoCdc, Column, Expectation, Query

Kind = Literal["STREAMING_TABLE", "MATERIALIZED_VIEW", "VIEW", "SINK"]
#: What flows append to.
STREAMED = ("STREAMING_TABLE", "SINK")
LAYERS = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Sink:
    """Where a sink's rows go: a table or a folder outside of the pipeline."""

    format: str
    options: Mapping[str, str]

    @property
    def files(self) -> bool:
        """Whether it writes plain files, which keep no record of who wrote them."""
        return self.format != "delta"


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A streaming table, materialized view, temporary view or sink; ``defined_at`` is ``file:line`` for messages.

    ``private``: a table that the catalog does not list; ``location`` is then the folder of its data.
    """

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
    private: bool = False
    location: str | None = None
    sink: Sink | None = None

    @property
    def layer(self) -> str | None:
        """The medallion layer that its name, or else its file's name, says."""
        words = [*re.split(r"[_\W]+", self.name.lower()), *re.split(r"[_\W]+", self.defined_at.lower())]
        return next((word for word in words if word in LAYERS), None)


@dataclass(frozen=True, kw_only=True)
class Flow:
    """A query that writes into ``target``; ``body`` is SQL or a function that returns a DataFrame.

    ``changes`` makes it an AUTO CDC flow: its rows are changes, to be applied and not appended. Where it takes
    snapshots, a function gives the next one, as (DataFrame, version), for the last version. ``once``: a batch query
    that is appended once, and again on full refresh only.
    """

    name: str
    target: str
    body: Query | Callable[..., Any]
    defined_at: str
    changes: AutoCdc | None = None
    once: bool = False

    @property
    def next_snapshot(self) -> Callable[[Any], Any] | None:
        """The function that gives the next snapshot; None for all other flows."""
        takes = self.changes is not None and self.changes.snapshots
        return self.body if takes and not isinstance(self.body, Query) else None


@dataclass(frozen=True)
class EventHook:
    """A function that gets every event; after so many failures in a row (None: never) it gets no more."""

    function: Callable[[dict[str, Any]], Any]
    most_failures: int | None = None


@dataclass(frozen=True)
class Definitions:
    """Everything that a pipeline's sources define, in any order."""

    datasets: Mapping[str, Dataset]
    flows: tuple[Flow, ...]
    hooks: tuple[EventHook, ...] = ()

    def flows_into(self, name: str) -> tuple[Flow, ...]:
        """The flows that write into a dataset."""
        return tuple(flow for flow in self.flows if flow.target == name)


def settled(definitions: Definitions, streaming: Callable[[Flow], bool]) -> Definitions:
    """`@dp.table` over a batch DataFrame is a materialized view; that shows only once the function's plan is known."""
    datasets = dict(definitions.datasets)
    for flow in definitions.flows:
        dataset = datasets[flow.target]
        own = flow.name == flow.target and flow.changes is None and not flow.once
        if dataset.kind == "STREAMING_TABLE" and own and not streaming(flow):
            datasets[flow.target] = replace(dataset, kind="MATERIALIZED_VIEW")
    for flow in definitions.flows:
        if datasets[flow.target].kind not in STREAMED and flow.name != flow.target:
            raise takes_no_flow(flow)
    return replace(definitions, datasets=datasets)


def takes_no_flow(flow: Flow) -> InvalidDataset:
    """The error for a flow into a view."""
    return InvalidDataset(f"Flow '{flow.name}' ({flow.defined_at}) writes into '{flow.target}', which is not a "
                          "streaming table. Only streaming tables and sinks take flows.")


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
