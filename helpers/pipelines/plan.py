"""INITIALIZING: from definitions to a checked graph; nothing is written and no data is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.pipelines import names
from helpers.pipelines.errors import InvalidDataset, UnknownTable, nearest
from helpers.pipelines.graph import Dataset, Definitions, Flow, execution_order, select, settled
from helpers.pipelines.problems import Problems
from helpers.pipelines.reads import Reads, ensure_kind


@dataclass(frozen=True)
class Selection:
    """The tables that an update refreshes, and those of them that it empties first."""

    chosen: frozenset[str]
    full: frozenset[str]


@dataclass(frozen=True)
class Plan:
    """A graph that is known to make sense. ``order``: datasets, inputs first; ``edges``: what each dataset reads."""

    schema: str
    definitions: Definitions
    reads: Mapping[str, Reads]
    edges: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, tuple[str, ...]]
    order: tuple[str, ...]
    selection: Selection

    @property
    def needed(self) -> tuple[str, ...]:
        """Chosen tables and the views that they read, in order."""
        wanted = set(self.selection.chosen)
        for name in reversed(self.order):
            if name in wanted:
                wanted.update(read for read in self.edges[name] if self.definitions.datasets[read].kind == "VIEW")
        return tuple(name for name in self.order if name in wanted)

    def inside(self, name: str) -> str | None:
        """The dataset that a name in a query means; None for a table from outside."""
        return _inside(name, self.schema, self.definitions)

    def views_below(self, name: str) -> tuple[str, ...]:
        """The views that a dataset reads, directly or through other views."""
        found: dict[str, None] = {}
        for read in self.edges[name]:
            if self.definitions.datasets[read].kind == "VIEW":
                found |= {read: None, **dict.fromkeys(self.views_below(read))}
        return tuple(found)

    def flows_below(self, flow: Flow) -> tuple[Flow, ...]:
        """The flow itself and the queries of the views that it reads, through any number of them."""
        found = {flow.name: flow}
        for read in self.reads[flow.name].inputs:
            bare = self.inside(read.name)
            if bare is not None and self.definitions.datasets[bare].kind == "VIEW":
                for view in self.definitions.flows_into(bare):
                    found |= {below.name: below for below in self.flows_below(view)}
        return tuple(found.values())

    def base_tables(self, flow: Flow) -> tuple[str, ...] | None:
        """The tables that a flow reads, looked for through views; None when it also reads what has no version."""
        if any(self.reads[below.name].unversioned for below in self.flows_below(flow)):
            return None
        return tuple(dict.fromkeys(name for name, _ in self._tables_read(flow)))

    def tables_read_whole(self, flow: Flow) -> tuple[str, ...]:
        """The tables that a flow reads from the first row to the last, through views; not those that it streams."""
        return tuple(dict.fromkeys(name for name, streaming in self._tables_read(flow) if not streaming))

    def _tables_read(self, flow: Flow) -> Iterator[tuple[str, bool]]:
        """Each table that a flow or a view below it reads, and whether it is read as a stream."""
        below = self.flows_below(flow)
        views = {each.name for each in below}
        for read in (read for each in below for read in self.reads[each.name].inputs):
            name = self.inside(read.name) or read.name
            if name not in views:
                yield name, read.streaming

    def definition(self, flow: Flow, may_change: Callable[[str], bool]) -> str | None:
        """A text that changes with the definition, views below included; None when it cannot tell the result."""
        found: list[str] = []
        for each in self.flows_below(flow):
            dataset, print_ = self.definitions.datasets[each.target], self.reads[each.name].fingerprint
            if print_ is None or any(may_change(rule.condition) for rule in dataset.expectations):
                return None
            found.append(repr((dataset.kind, dataset.columns, dataset.expectations, print_)))
        return "/".join(found)


def arrange(definitions: Definitions, reads: Mapping[str, Reads], *, schema: str, selection: Selection,
            exists: Callable[[str], bool], problems: Problems | None = None) -> Plan:
    """The graph that definitions and reads make, with every contradiction that needs no data to be seen."""
    problems = problems or Problems()
    for flow in definitions.flows:
        with problems.noted():
            ensure_kind(flow, definitions.datasets[flow.target].kind, reads[flow.name])
    definitions = settled(definitions, lambda flow: reads[flow.name].streaming or reads[flow.name].deferred)
    edges: dict[str, tuple[str, ...]] = {}
    outside: dict[str, tuple[str, ...]] = {}
    for name in definitions.datasets:
        inputs = [(flow, read) for flow in definitions.flows_into(name) for read in reads[flow.name].inputs]
        inner = [(flow, read, _inside(read.name, schema, definitions)) for flow, read in inputs]
        for flow, read, bare in inner:
            if bare is None and not exists(read.name):
                problems.tell(_unknown(read.name, flow, definitions))
            if bare is not None:
                with problems.noted():
                    _check_input(flow, read.streaming, definitions.datasets[bare], reads)
        edges[name] = tuple(dict.fromkeys(bare for *_, bare in inner if bare is not None))
        outside[name] = tuple(dict.fromkeys(read.name for _, read, bare in inner if bare is None))
    return Plan(schema, definitions, reads, edges, outside, execution_order(edges), selection)


def selected(definitions: Definitions, *, schema: str, refresh: Sequence[str], full_refresh: bool,
             full_refresh_selection: Sequence[str], half_reset: Sequence[str]) -> Selection:
    """What is asked for. A reset that was killed half-way (``half_reset``) is finished in any case."""
    stored = frozenset(name for name, dataset in definitions.datasets.items() if dataset.kind != "VIEW")
    if not stored:
        raise InvalidDataset("NO_TABLES_IN_PIPELINE: the pipeline defines no table. Define a streaming table or a "
                             "materialized view.")
    protected = {name for name in stored if _is_protected(definitions.datasets[name])}
    full = select(full_refresh_selection, definitions, schema=schema)
    if full & protected:
        raise _protected(definitions.datasets[min(full & protected)])
    chosen = select(refresh, definitions, schema=schema) | full
    unfinished = stored.intersection(half_reset)
    return Selection((chosen or stored) | unfinished, (stored - protected if full_refresh else full) | unfinished)


def _is_protected(dataset: Dataset) -> bool:
    return dataset.properties.get("pipelines.reset.allowed", "true").lower() == "false" or _holds_files(dataset)


def _holds_files(dataset: Dataset) -> bool:
    """A folder that a stream has written: Spark passes over the first batches of a stream that starts anew there."""
    sink = dataset.sink
    return sink is not None and sink.files and (Path(sink.options["path"]) / "_spark_metadata").exists()


def _protected(dataset: Dataset) -> InvalidDataset:
    if dataset.sink is not None:
        return InvalidDataset(f"The folder of the sink '{dataset.name}' holds files of earlier updates, so it takes no "
                              f"full refresh here. Remove {dataset.sink.options['path']} first, or leave it out.")
    return InvalidDataset(f"'{dataset.name}' has the property pipelines.reset.allowed=false, which forbids a full "
                          "refresh. Refresh it without, or remove the property.")


def with_reads(plan: Plan, flow: str, reads: Reads, *, exists: Callable[[str], bool]) -> Plan:
    """The plan again, now that it is known what a flow reads."""
    return arrange(plan.definitions, {**plan.reads, flow: reads}, schema=plan.schema, selection=plan.selection,
                   exists=exists)


def merged_reads(old: Reads, new: Reads) -> Reads:
    """A function that was called again looked at one more table; those that it looked at before it reads as well."""
    return replace(new, inputs=tuple(dict.fromkeys([*old.inputs, *new.inputs]))) if new.deferred else new


def _inside(name: str, schema: str, definitions: Definitions) -> str | None:
    bare = names.own(name, schema)
    return bare if bare in definitions.datasets else None


def _check_input(flow: Flow, streaming: bool, read: Dataset, reads: Mapping[str, Reads]) -> None:
    view = reads.get(read.name)
    if read.kind == "SINK":
        raise InvalidDataset(f"{flow.defined_at}: '{flow.name}' reads '{read.name}', which is a sink: rows go into it "
                             "and the pipeline does not read them. Read what the sink reads.")
    if read.kind == "MATERIALIZED_VIEW" and streaming:
        raise InvalidDataset(f"{flow.defined_at}: STREAMING_FROM_MATERIALIZED_VIEW: '{flow.name}' streams from the "
                             f"materialized view '{read.name}', whose refresh may change any row. Read it without "
                             "STREAM (with spark.read) in a materialized view, or stream from what it reads.")
    if read.kind != "VIEW" or view is None or view.deferred or reads[flow.name].deferred or view.streaming == streaming:
        return
    condition, is_one, read_as, how = (
        ("INCOMPATIBLE_STREAMING_VIEW_READ", "streaming", "a batch", "with STREAM") if view.streaming
        else ("INCOMPATIBLE_BATCH_VIEW_READ", "batch", "a stream", "without STREAM"))
    step = f"Read it {how}, or change how '{read.name}' reads its source."
    if flow.changes and not flow.changes.snapshots:
        step = f"AUTO CDC reads streams, with ONCE too: let '{read.name}' read its source with STREAM."
    raise InvalidDataset(f"{flow.defined_at}: {condition}: '{flow.name}' reads the {is_one} view '{read.name}' as "
                         f"{read_as}. {step}")


def _unknown(name: str, flow: Flow, definitions: Definitions) -> UnknownTable:
    return UnknownTable(
        f"{flow.defined_at}: TABLE_OR_VIEW_NOT_FOUND: '{flow.name}' reads '{name}', which neither this pipeline nor "
        f"the catalog has.{nearest(names.parts(name)[-1].lower(), definitions.datasets)} Define it, or mend the name.")
