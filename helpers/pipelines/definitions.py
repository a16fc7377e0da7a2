"""Definitions put together under their names, and what contradicts itself in them without a look at any data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from helpers.pipelines import names
from helpers.pipelines.conditions import refuse_subqueries
from helpers.pipelines.errors import DuplicateDataset, InvalidDataset, UnknownDataset, Unsupported, nearest
from helpers.pipelines.graph import STREAMED, Dataset, Definitions, EventHook, Flow, takes_no_flow
from helpers.pipelines.problems import Problems
from helpers.sql import AutoCdc


def collect(datasets: Iterable[Dataset], flows: Iterable[Flow], *, schema: str, hooks: Sequence[EventHook] = (),
            problems: Problems | None = None) -> Definitions:
    """Put definitions together under their names in ``schema``; an equal name, or no source, is a problem."""
    problems = problems or Problems()
    known: dict[str, Dataset] = {}
    for dataset in datasets:
        with problems.noted():
            named = replace(dataset, name=names.dataset_name(dataset.name, schema=schema, where=dataset.defined_at))
            _check_name(named, known)
            known[named.name] = named
            _check_rules(named)
    kept: dict[str, Flow] = {}
    for flow in flows:
        with problems.noted():
            named_flow = _named(flow, schema)
            _check_flow(named_flow, kept, known)
            kept[named_flow.name] = named_flow
    definitions = Definitions(known, tuple(kept.values()), tuple(hooks))
    for dataset in known.values():
        with problems.noted():
            _check_target(dataset, definitions.flows_into(dataset.name), gathered=bool(problems.found))
    return definitions


def _named(flow: Flow, schema: str) -> Flow:
    return replace(flow, name=names.dataset_name(flow.name, schema=schema, where=flow.defined_at),
                   target=names.dataset_name(flow.target, schema=schema, where=flow.defined_at))


def _check_name(dataset: Dataset, known: dict[str, Dataset]) -> None:
    if dataset.name in known:
        raise DuplicateDataset(f"'{dataset.name}' is defined twice: at {known[dataset.name].defined_at} and at "
                               f"{dataset.defined_at}. Rename one of them.")


def _check_rules(dataset: Dataset) -> None:
    seen: set[str] = set()
    for rule in dataset.expectations:
        if rule.name in seen:
            raise DuplicateDataset(f"{dataset.defined_at}: '{dataset.name}' has two expectations named '{rule.name}'. "
                                   "Rename one of them.")
        seen.add(rule.name)
    refuse_subqueries(dataset)


def _check_flow(flow: Flow, kept: dict[str, Flow], known: dict[str, Dataset]) -> None:
    if flow.name in kept:
        raise DuplicateDataset(f"Flow '{flow.name}' is defined twice: at {kept[flow.name].defined_at} and at "
                               f"{flow.defined_at}. Rename one of them.")
    target = known.get(flow.target)
    if target is None:
        raise UnknownDataset(
            f"Flow '{flow.name}' ({flow.defined_at}) writes into '{flow.target}', which the pipeline does not "
            f"define.{nearest(flow.target, known)} Define it with CREATE STREAMING TABLE.")
    if target.kind not in STREAMED and flow.name != target.name:
        raise takes_no_flow(flow)
    if target.kind == "SINK" and (flow.changes or flow.once):
        what = "an AUTO CDC flow" if flow.changes else "a ONCE flow"
        raise Unsupported(f"{flow.defined_at}: '{flow.name}' is {what} into the sink '{target.name}'. Sinks take "
                          "append flows that stream: use one.")


def _check_target(dataset: Dataset, flows: Sequence[Flow], *, gathered: bool) -> None:
    if not flows and not gathered:  # else its flow may be one of those that were refused
        raise InvalidDataset(f"'{dataset.name}' ({dataset.defined_at}) has no query and no flow writes into it. "
                             "Give it a query, or a flow.")
    if dataset.sink and dataset.sink.files and len(flows) > 1:
        raise Unsupported(f"{dataset.defined_at}: the sink '{dataset.name}' to files has {len(flows)} flows, and a "
                          "folder of files takes one here. Give each its own sink, or one flow a UNION ALL.")
    _check_changes(dataset, flows)


def _check_changes(dataset: Dataset, flows: Sequence[Flow]) -> None:
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
                                 "NULL UPDATES, or only one reads snapshots. Make them equal.")
    if first.changes and first.changes.snapshots and dataset.expectations:
        raise InvalidDataset(f"{dataset.defined_at}: '{dataset.name}' has expectations and takes AUTO CDC from "
                             "snapshots, which does not go together. Put them on the view that gives the snapshots.")


def _applied_as(changes: AutoCdc | None) -> AutoCdc | None:
    return changes and replace(changes, sequence_by=None, apply_as_deletes=None, apply_as_truncates=None, once=False)
