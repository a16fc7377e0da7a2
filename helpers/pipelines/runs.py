"""What running one flow means, kind by kind; each function gives the flow's last status."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any

from helpers.pipelines import changes, expectations, flows, once, snapshots
from helpers.pipelines.event_log import EventLog
from helpers.pipelines.flows import Batch, StreamTask
from helpers.pipelines.graph import Dataset, Flow
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.plan import Plan
from helpers.pipelines.scope import TempViews
from helpers.pipelines.setup import SetUp, flow_state
from helpers.pipelines.state import Board, quality
from helpers.pipelines.versions import Versions


@dataclass(frozen=True)
class Context:
    """One update, as its flows see it. ``number``: its transaction version; ``stop`` is set when it is interrupted."""

    setup: SetUp
    home: PipelineHome
    board: Board
    log: EventLog
    views: TempViews
    versions: Versions
    number: int
    stop: threading.Event
    interruptible: Callable[[], AbstractContextManager[None]]
    told_views: dict[str, str] = field(default_factory=dict)
    view_lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def spark(self) -> Any:
        """The session."""
        return self.setup.spark

    @property
    def plan(self) -> Plan:
        """The graph."""
        return self.setup.plan

    def frame(self, flow: Flow) -> Any:
        """The flow's DataFrame."""
        return self.setup.frame(flow)

    def progress(self, dataset: str, status: str, message: str, *, flow: str, batch: int | None = None,
                 level: str = "INFO", error: BaseException | None = None,
                 details: Mapping[str, Any] | None = None) -> None:
        """Tell the event log how far a flow is."""
        self.log.emit("flow_progress", message, {"status": status, **(details or {})}, level=level, error=error,
                      flow=flow, dataset=dataset, batch=batch)

    def transaction(self, flow: Flow) -> str:
        """The name under which Delta knows the flow's writes."""
        return f"{self.log.pipeline_id}/{flow.name}"


def run(context: Context, dataset: Dataset, flow: Flow) -> str:
    """Run one flow to its end; raises what ended it."""
    if flow.changes:
        return (_snapshots if flow.changes.snapshots else _auto_cdc)(context, dataset, flow)
    if flow.once:
        return _once(context, dataset, flow)
    kinds = {"VIEW": _view, "STREAMING_TABLE": _stream, "SINK": _stream, "MATERIALIZED_VIEW": _materialized_view}
    return kinds[dataset.kind](context, dataset, flow)


def _view(context: Context, dataset: Dataset, flow: Flow) -> str:
    """Views are bound again here, since a table below may have new columns since the set-up."""
    frame = context.frame(flow)
    rules = dataset.expectations
    if rules and frame.isStreaming:
        frame = expectations.checked(frame, rules, flow=flow.name, observe=f"view:{dataset.name}")
    elif rules:
        # Nothing is written here, so a batch view's counts cost a pass of their own; it also finds a violation.
        fatal = [rule for rule in rules if rule.action == "fail"]
        passing = expectations.enforced(frame, fatal, flow=flow.name)
        with context.interruptible():
            counted = passing.agg(*expectations.metrics(rules)).collect()[0]
        counts = expectations.counts_from(counted.asDict(), rules)
        context.board.add(dataset.name, rows_read=None, counts=counts, rules=rules)
        frame = expectations.enforced(frame, rules, flow=flow.name)
    context.views.make(dataset.name, frame)
    return "COMPLETED"


def _stream(context: Context, dataset: Dataset, flow: Flow) -> str:
    checkpoint = flow_state(context.home, context.plan.definitions, flow)
    found = context.versions.read_by(flow)
    if found is not None and flows.remembered(checkpoint) == found:
        return "IDLE"
    task = StreamTask(flow.name, dataset.name, context.frame(flow), dataset.expectations, checkpoint,
                      _views_to_tell(context, dataset.name), sink=dataset.sink)
    task = changes.redirected(task, flow) if flow.changes else task
    flows.run_stream(task, on_batch=lambda batch: _batch(context, dataset, flow, batch), stop=context.stop)
    if found is not None:
        flows.remember(checkpoint, found)
    return "COMPLETED"


def _once(context: Context, dataset: Dataset, flow: Flow) -> str:
    """Append a batch query's rows in one commit, which Delta takes once, however often the update is cut off."""
    checkpoint = flow_state(context.home, context.plan.definitions, flow)
    if once.was_run(checkpoint):
        return "IDLE"
    number = once.turn(checkpoint, context.number)
    with context.interruptible():
        counts = flows.append_once(dataset.name, context.frame(flow), dataset.expectations, flow=flow.name,
                                   transaction=(f"{context.transaction(flow)}/once", number))
    if counts is not None:
        _batch(context, dataset, flow, Batch(0, context.versions.rows_read_by(flow) or counts.rows, counts, {}))
    once.note_run(checkpoint, number)
    return "COMPLETED"


def _materialized_view(context: Context, dataset: Dataset, flow: Flow) -> str:
    found = context.versions.decisive(flow)
    asked_anew = dataset.name in context.plan.selection.full
    same = found is not None and not asked_anew and context.versions.metadata(dataset.name) == found
    context.log.emit(
        "planning_information", f"Flow '{flow.name}' is planned: {'nothing has changed' if same else 'computed anew'}.",
        {"technique_information": [{"maintenance_type": "MAINTENANCE_TYPE_NO_OP" if same else
                                    "MAINTENANCE_TYPE_COMPLETE_RECOMPUTE", "is_chosen": True}]},
        flow=flow.name, dataset=dataset.name)
    if same:
        return "IDLE"
    with context.interruptible():
        counts = flows.replace_view(
            context.spark, dataset.name, context.frame(flow), dataset.expectations,
            fingerprint=found or {}, location=context.setup.catalog.location(dataset.name),
            clustered=bool(dataset.cluster_by))
    rows_read = context.versions.rows_read_by(flow)
    context.board.add(dataset.name, rows_read=rows_read, counts=counts, rules=dataset.expectations)
    return "COMPLETED"


def _auto_cdc(context: Context, dataset: Dataset, flow: Flow) -> str:
    """Store the new changes, then apply all that are stored: those of an interrupted update too."""
    checkpoint = flow_state(context.home, context.plan.definitions, flow)
    only_once, status = flow.changes is not None and flow.changes.once, "IDLE"
    if not (only_once and once.was_run(checkpoint)):
        try:
            status = _stream(context, dataset, flow)
        except Exception:
            if not context.stop.is_set():  # the micro-batches before the failure stay
                with suppress(Exception):
                    _apply(context, dataset, flow)
            raise
        if only_once:
            once.note_run(checkpoint)
    return "COMPLETED" if _apply(context, dataset, flow) else status


def _snapshots(context: Context, dataset: Dataset, flow: Flow) -> str:
    """Store what each new snapshot changes, in order, and apply it before the next is compared."""
    checkpoint = flow_state(context.home, context.plan.definitions, flow)
    applied = _apply(context, dataset, flow)  # an update may have been cut off between the two
    found = None if flow.next_snapshot else context.versions.decisive(flow)
    seen = found is not None and flows.remembered(checkpoint) == found
    if seen or (flow.changes and flow.changes.once and once.was_run(checkpoint)):
        return "COMPLETED" if applied else "IDLE"
    target = snapshots.Target(context.setup, flow, context.transaction(flow))
    for snapshot in target.snapshots():
        with context.interruptible():
            rows = target.store(snapshot)
        context.board.set(dataset.name, rows_read=(context.board.report.dataset(dataset.name).rows_read or 0) + rows)
        applied = _apply(context, dataset, flow) or applied
    if found is not None:
        flows.remember(checkpoint, found)
    if flow.changes and flow.changes.once:
        once.note_run(checkpoint)
    return "COMPLETED" if applied else "IDLE"


def _apply(context: Context, dataset: Dataset, flow: Flow) -> bool:
    with context.interruptible():
        applied = changes.apply(context.spark, flow, schema=context.plan.schema,
                                folder=context.home.root / dataset.name, catalog=context.setup.catalog)
    if applied is None:
        return False
    before = context.board.report.dataset(dataset.name)
    context.board.set(dataset.name, num_upserted_rows=(before.num_upserted_rows or 0) + applied.upserted,
                      num_deleted_rows=(before.num_deleted_rows or 0) + applied.deleted)
    context.progress(
        dataset.name, "RUNNING", f"Flow '{flow.name}' upserted {applied.upserted} rows and deleted "
        f"{applied.deleted}.", flow=flow.name, level="METRICS",
        details={"metrics": {"num_upserted_rows": applied.upserted, "num_deleted_rows": applied.deleted}})
    return True


def _views_to_tell(context: Context, name: str) -> dict[str, Any]:
    """Streaming views below this dataset whose counts nobody else tells."""
    views: dict[str, Any] = {}
    with context.view_lock:
        for read in context.plan.views_below(name):
            rules = context.plan.definitions.datasets[read].expectations
            if rules and context.told_views.setdefault(read, name) == name:
                views[read] = rules
    return views


def _batch(context: Context, dataset: Dataset, flow: Flow, batch: Batch) -> None:
    context.board.add(dataset.name, rows_read=batch.rows_read, counts=batch.counts, rules=dataset.expectations)
    told = batch.counts.by_expectation(dataset.expectations, dataset.name)
    for view, counts in batch.views.items():
        rules = context.plan.definitions.datasets[view].expectations
        context.board.add(view, rows_read=batch.rows_read, counts=counts, rules=rules)
        told += counts.by_expectation(rules, view)
    what, metrics = ("read", {}) if flow.changes else ("wrote", {"num_output_rows": batch.counts.kept})
    context.progress(
        dataset.name, "RUNNING", f"Flow '{flow.name}' {what} micro-batch {batch.number}: {batch.counts.kept} rows.",
        flow=flow.name, batch=batch.number, level="METRICS",
        details={"metrics": metrics, "data_quality": quality(told, batch.counts.dropped)})
