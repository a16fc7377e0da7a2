"""RUNNING: datasets in the order of the graph, independent ones side by side; a failure skips only its dependents."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from graphlib import TopologicalSorter
from typing import Any

from helpers import autoloader
from helpers.errors import LakeprepError
from helpers.pipelines import changes, expectations, flows, frames
from helpers.pipelines.errors import FlowFailed, full_text
from helpers.pipelines.event_log import EventLog
from helpers.pipelines.flows import Batch, Stopped, StreamTask
from helpers.pipelines.graph import Dataset, Flow, downstream
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.plan import Plan
from helpers.pipelines.scope import TempViews
from helpers.pipelines.setup import flow_state
from helpers.pipelines.state import Board, quality
from helpers.pipelines.versions import Versions

#: Datasets at once; the engine below shares its cores fairly between them.
AT_ONCE = 4
#: What a dataset's status is when its flows ended differently.
_WORST_FIRST = ("STOPPED", "FAILED", "COMPLETED", "IDLE")


class Running:
    """One update's flows. ``ready``: each flow's DataFrame; ``number``: this update's transaction version."""

    def __init__(self, spark: Any, plan: Plan, ready: Mapping[str, Any], *, home: PipelineHome, board: Board,
                 log: EventLog, views: TempViews, versions: Versions, number: int) -> None:
        self.spark, self.plan, self.ready, self.home = spark, plan, dict(ready), home
        self.board, self.log, self.views, self.versions, self.number = board, log, views, versions, number
        self.failure: LakeprepError | None = None
        self.schema_changed = False
        self._stop, self._begun = threading.Event(), threading.Event()
        self._done = threading.Event()
        self._broken: BaseException | None = None
        self._interruptible_threads: set[int] = set()
        self._tag = f"lakeprep-update-{log.update_id}"
        self._told_views: dict[str, str] = {}
        self._view_lock = threading.Lock()

    def run(self) -> None:
        """Run everything that is needed; afterwards ``failure`` says whether something failed."""
        # Threads are started in a thread of their own: an interrupt reaches the main thread only, and one that
        # arrived while it started a thread would leave that thread behind, unknown to everybody.
        # An event says when it is done: an interrupted `join` makes Python 3.11 believe that the thread has ended.
        try:
            threading.Thread(target=self._schedule, name="flows", daemon=True).start()
            while not self._done.wait(0.2):
                pass
        except BaseException:
            self._stop.set()
            # Streams stop themselves. A stream's start is not interrupted: the server might go on with it alone.
            while self._begun.is_set() and not self._done.wait(0.2):
                if self._interruptible_threads:
                    self.spark.interruptTag(self._tag)
            raise
        if self._broken is not None:
            raise self._broken

    def _schedule(self) -> None:
        self._begun.set()
        needed = set(self.plan.needed)
        try:
            sorter = TopologicalSorter({name: [read for read in self.plan.edges[name] if read in needed]
                                        for name in self.plan.needed})
            sorter.prepare()
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="flow") as pool:
                self._loop(sorter, pool)
        except BaseException as error:
            self._broken = error
        finally:
            self._done.set()

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Let an interrupt of the update end what this thread asks of the server."""
        if self._stop.is_set():
            raise Stopped
        self._interruptible_threads.add(threading.get_ident())
        self.spark.addTag(self._tag)
        try:
            yield
        finally:
            self.spark.removeTag(self._tag)
            self._interruptible_threads.discard(threading.get_ident())

    def _loop(self, sorter: TopologicalSorter[str], pool: ThreadPoolExecutor) -> None:
        skipped: set[str] = set()
        running: dict[Future[bool], str] = {}
        while sorter.is_active() and not self._stop.is_set():
            for name in sorter.get_ready():
                if name in skipped:
                    self._skip(name)
                    sorter.done(name)
                else:
                    running[pool.submit(self._dataset, name)] = name
            if not running:
                continue
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                if not future.result():
                    skipped |= downstream([name], self.plan.edges)
                sorter.done(name)

    def _skip(self, name: str) -> None:
        self.board.set(name, status="SKIPPED", error="A dataset that it reads has failed.")
        self._progress(name, "SKIPPED", f"Flow '{name}' is SKIPPED: a dataset that it reads has failed.", level="WARN")

    def _dataset(self, name: str) -> bool:
        """Run one dataset's flows; False when one failed, after the others had their turn."""
        started = time.monotonic()
        dataset = self.plan.definitions.datasets[name]
        self.board.set(name, status="RUNNING")
        ends = [self._flow(dataset, flow) for flow in self.plan.definitions.flows_into(name)]
        status = min((status for status, _ in ends), key=_WORST_FIRST.index)
        values: dict[str, Any] = {"status": status, "seconds": round(time.monotonic() - started, 3)}
        values["error"] = next((str(failure) for _, failure in ends if failure is not None), None)
        if dataset.kind != "VIEW" and status in ("COMPLETED", "IDLE"):
            now = self.board.report.dataset(name)
            values |= {"rows_read": now.rows_read or 0, "num_output_rows": now.num_output_rows or 0}
            if self._applies(name):
                values |= {key: getattr(now, key) or 0 for key in ("num_upserted_rows", "num_deleted_rows")}
        if self._applies(name):  # its stream's output are changes, not rows of the table
            values["num_output_rows"] = None
        self.board.set(name, **values)
        return status in ("COMPLETED", "IDLE")

    def _flow(self, dataset: Dataset, flow: Flow) -> tuple[str, LakeprepError | None]:
        """Run one flow to its end, whatever that is."""
        runs = {"VIEW": self._view, "STREAMING_TABLE": self._stream, "MATERIALIZED_VIEW": self._materialized_view}
        self._progress(dataset.name, "RUNNING", f"Flow '{flow.name}' is RUNNING.", flow=flow.name)
        failure = None
        try:
            status = (self._auto_cdc if flow.changes else runs[dataset.kind])(dataset, flow)
        except Exception as error:
            stopped = self._stop.is_set() or isinstance(error, Stopped)
            status, failure = ("STOPPED", None) if stopped else ("FAILED", self._failed(flow, error))
        self._progress(dataset.name, status, f"Flow '{flow.name}' is {status}.", flow=flow.name,
                       level="ERROR" if failure else "INFO", error=failure,
                       details=self._final_metrics(dataset) if status == "COMPLETED" else {})
        return status, failure

    def _final_metrics(self, dataset: Dataset) -> dict[str, Any]:
        """A view tells its counts when it is complete; a stream has told them batch by batch."""
        report = self.board.report.dataset(dataset.name)
        streaming_view = dataset.kind == "VIEW" and report.num_output_rows is None
        if dataset.kind == "STREAMING_TABLE" or streaming_view:
            return {}
        return {"metrics": {"num_output_rows": report.num_output_rows},
                "data_quality": quality(report.expectations, report.dropped_records)}

    def _view(self, dataset: Dataset, flow: Flow) -> str:
        """Views are bound again here, since a table below may have new columns since the set-up."""
        frame = self.ready[flow.name]
        rules = dataset.expectations
        if rules and frame.isStreaming:
            frame = expectations.checked(frame, rules, flow=flow.name, observe=f"view:{dataset.name}")
        elif rules:
            # Nothing is written here, so a batch view's counts cost a pass of their own; it also finds a violation.
            fatal = [rule for rule in rules if rule.action == "fail"]
            passing = expectations.enforced(frame, fatal, flow=flow.name)
            with self._interruptible():
                counted = passing.agg(*expectations.metrics(rules)).collect()[0]
            counts = expectations.counts_from(counted.asDict(), rules)
            self.board.add(dataset.name, rows_read=None, counts=counts, rules=rules)
            frame = expectations.enforced(frame, rules, flow=flow.name)
        self.views.make(dataset.name, frame)
        return "COMPLETED"

    def _stream(self, dataset: Dataset, flow: Flow) -> str:
        checkpoint = flow_state(self.home, self.plan.definitions, flow)
        found = self.versions.read_by(flow)
        if found is not None and flows.remembered(checkpoint) == found:
            return "IDLE"
        task = StreamTask(flow.name, dataset.name, self.ready[flow.name], dataset.expectations, checkpoint,
                          self._views_to_tell(dataset.name))
        task = changes.redirected(task, flow) if flow.changes else task
        flows.run_stream(task, on_batch=lambda batch: self._batch(dataset, flow, batch), stop=self._stop)
        if found is not None:
            flows.remember(checkpoint, found)
        return "COMPLETED"

    def _applies(self, name: str) -> bool:
        return any(flow.changes for flow in self.plan.definitions.flows_into(name))

    def _auto_cdc(self, dataset: Dataset, flow: Flow) -> str:
        """Store the new changes, then apply all that are stored: those of an interrupted update too."""
        checkpoint = flow_state(self.home, self.plan.definitions, flow)
        once, status = flow.changes is not None and flow.changes.once, "IDLE"
        if not (once and changes.was_run(checkpoint)):
            try:
                status = self._stream(dataset, flow)
            except Exception:
                if not self._stop.is_set():  # the micro-batches before the failure stay
                    with suppress(Exception):
                        self._apply(dataset, flow)
                raise
            if once:
                changes.note_run(checkpoint)
        return "COMPLETED" if self._apply(dataset, flow) else status

    def _apply(self, dataset: Dataset, flow: Flow) -> bool:
        with self._interruptible():
            applied = changes.apply(self.spark, flow, schema=self.plan.schema, folder=self.home.root / dataset.name)
        if applied is None:
            return False
        before = self.board.report.dataset(dataset.name)
        self.board.set(dataset.name, num_upserted_rows=(before.num_upserted_rows or 0) + applied.upserted,
                       num_deleted_rows=(before.num_deleted_rows or 0) + applied.deleted)
        self._progress(
            dataset.name, "RUNNING", f"Flow '{flow.name}' upserted {applied.upserted} rows and deleted "
            f"{applied.deleted}.", flow=flow.name, level="METRICS",
            details={"metrics": {"num_upserted_rows": applied.upserted, "num_deleted_rows": applied.deleted}})
        return True

    def _views_to_tell(self, name: str) -> dict[str, Any]:
        """Streaming views below this dataset whose counts nobody else tells."""
        views: dict[str, Any] = {}
        with self._view_lock:
            for read in self.plan.views_below(name):
                rules = self.plan.definitions.datasets[read].expectations
                if rules and self._told_views.setdefault(read, name) == name:
                    views[read] = rules
        return views

    def _batch(self, dataset: Dataset, flow: Flow, batch: Batch) -> None:
        self.board.add(dataset.name, rows_read=batch.rows_read, counts=batch.counts, rules=dataset.expectations)
        told = batch.counts.by_expectation(dataset.expectations, dataset.name)
        for view, counts in batch.views.items():
            rules = self.plan.definitions.datasets[view].expectations
            self.board.add(view, rows_read=batch.rows_read, counts=counts, rules=rules)
            told += counts.by_expectation(rules, view)
        what, metrics = ("read", {}) if flow.changes else ("wrote", {"num_output_rows": batch.counts.kept})
        self._progress(
            dataset.name, "RUNNING", f"Flow '{flow.name}' {what} micro-batch {batch.number}: {batch.counts.kept} rows.",
            flow=flow.name, batch=batch.number, level="METRICS",
            details={"metrics": metrics,
                     "data_quality": quality(told, batch.counts.dropped)})

    def _materialized_view(self, dataset: Dataset, flow: Flow) -> str:
        found = self.versions.decisive(flow)
        asked_anew = dataset.name in self.plan.selection.full
        if found is not None and not asked_anew and self.versions.metadata(dataset.name) == found:
            return "IDLE"
        with self._interruptible():
            counts = flows.replace_view(
                self.spark, dataset.name, self.ready[flow.name], dataset.expectations,
                fingerprint=found or {}, transaction=(f"{self.log.pipeline_id}/{flow.name}", self.number))
        rows_read = self.versions.rows_read_by(flow)
        self.board.add(dataset.name, rows_read=rows_read, counts=counts, rules=dataset.expectations)
        return "COMPLETED"

    def _failed(self, flow: Flow, error: Exception) -> LakeprepError:
        if autoloader.is_unknown_field_error(error):
            self.schema_changed = True
        violated, new_column = expectations.violation(full_text(error)), autoloader.unknown_field_message(error)
        failure = frames.failure(error, flow, "failed")
        if new_column:
            failure = FlowFailed(f"{flow.defined_at}: '{flow.name}' failed: {new_column}")
        elif violated:
            failure = FlowFailed(f"{flow.defined_at}: {violated}. Nothing of this micro-batch or view was written. "
                                 "Mend the data or the rule, then update again.")
        self.failure = self.failure or failure
        return failure

    def _progress(self, dataset: str, status: str, message: str, *, flow: str | None = None, batch: int | None = None,
                  level: str = "INFO", error: BaseException | None = None,
                  details: Mapping[str, Any] | None = None) -> None:
        self.log.emit("flow_progress", message, {"status": status, **(details or {})}, level=level, error=error,
                      flow=flow or dataset, dataset=dataset, batch=batch)
