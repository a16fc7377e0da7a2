"""RUNNING: datasets in the order of the graph, independent ones side by side; a failure skips only its dependents."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from typing import Any

from helpers import autoloader
from helpers.classic import use_in_this_thread
from helpers.errors import LakeprepError
from helpers.pipelines import event_log, expectations, frames
from helpers.pipelines.errors import FlowFailed, full_text, may_recover
from helpers.pipelines.event_log import EventLog
from helpers.pipelines.flows import Stopped
from helpers.pipelines.graph import STREAMED, Dataset, Flow, downstream
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.runs import Context, run
from helpers.pipelines.scope import TempViews
from helpers.pipelines.setup import SetUp
from helpers.pipelines.state import Board, quality
from helpers.pipelines.versions import Versions

#: Datasets at once; the engine below shares its cores fairly between them.
AT_ONCE = 4
#: What a dataset's status is when its flows ended differently.
_WORST_FIRST = ("STOPPED", "FAILED", "COMPLETED", "IDLE")


class Running:
    """One update's flows. ``number``: this update's transaction version; ``retries``: of a flow that may recover."""

    def __init__(self, setup: SetUp, *, home: PipelineHome, board: Board, log: EventLog, views: TempViews,
                 versions: Versions, number: int, retries: int) -> None:
        self.spark, self.plan, self.board, self._retries = setup.spark, setup.plan, board, retries
        self.failure: LakeprepError | None = None
        self.schema_changed = False
        #: Whether everything that failed could go well another time.
        self.recoverable = True
        self._stop, self._begun = threading.Event(), threading.Event()
        self._done = threading.Event()
        self._broken: BaseException | None = None
        self._interruptible_threads: set[int] = set()
        self._tag = f"lakeprep-update-{log.update_id}"
        self._context = Context(setup, home, board, log, views, versions, number, self._stop, self._interruptible)

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
            with ThreadPoolExecutor(1) as other, ThreadPoolExecutor(AT_ONCE, thread_name_prefix="flow") as pool:
                other.submit(self._prepare_event_log)
                self._loop(sorter, pool)
            if self._stop.is_set():
                self._leave()
        except BaseException as error:
            self._broken = error
        finally:
            self._done.set()

    def _prepare_event_log(self) -> None:
        use_in_this_thread(self.spark)
        event_log.prepare(self.spark, self._context.log.pipeline_id, self._context.setup.catalog)

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
        for flow in self.plan.definitions.flows_into(name):
            self._context.progress(name, "SKIPPED", f"Flow '{flow.name}' is SKIPPED: a dataset that it reads has "
                                   "failed.", flow=flow.name, level="WARN")

    def _leave(self) -> None:
        """Say of the flows that an interrupt has left no time for that they have ended too."""
        for name in self.plan.needed:
            if self.board.report.dataset(name).status == "QUEUED":
                for flow in self.plan.definitions.flows_into(name):
                    self._context.progress(name, "STOPPED", f"Flow '{flow.name}' is STOPPED.", flow=flow.name)

    def _dataset(self, name: str) -> bool:
        """Run one dataset's flows; False when one failed, after the others had their turn."""
        started = time.monotonic()
        use_in_this_thread(self.spark)
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
        for status in ("STARTING", "RUNNING"):
            self._context.progress(dataset.name, status, f"Flow '{flow.name}' is {status}.", flow=flow.name)
        failure = None
        try:
            status = self._with_retries(dataset, flow)
        except Exception as error:
            stopped = self._stop.is_set() or isinstance(error, Stopped)
            status, failure = ("STOPPED", None) if stopped else ("FAILED", self._failed(flow, error))
        self._context.progress(dataset.name, status, f"Flow '{flow.name}' is {status}.", flow=flow.name,
                       level="ERROR" if failure else "INFO", error=failure,
                       details=self._final_metrics(dataset) if status == "COMPLETED" else {})
        return status, failure

    def _with_retries(self, dataset: Dataset, flow: Flow) -> str:
        """Run a flow, and in production again where trying again can help."""
        for attempt in range(self._retries + 1):
            try:
                return run(self._context, dataset, flow)
            except Exception as error:
                if attempt == self._retries or self._stop.is_set() or not may_recover(error):
                    raise
                self._context.progress(
                    dataset.name, "QUEUED", f"Flow '{flow.name}' failed and is tried again: "
                    f"{frames.failure(error, flow, 'failed')}", flow=flow.name, level="WARN")
        raise AssertionError("the last attempt returns or raises")

    def _final_metrics(self, dataset: Dataset) -> dict[str, Any]:
        """A view tells its counts when it is complete; a stream has told them batch by batch."""
        report = self.board.report.dataset(dataset.name)
        streaming_view = dataset.kind == "VIEW" and report.num_output_rows is None
        if dataset.kind in STREAMED or streaming_view:
            return {}
        return {"metrics": {"num_output_rows": report.num_output_rows},
                "data_quality": quality(report.expectations, report.dropped_records)}

    def _applies(self, name: str) -> bool:
        return any(flow.changes for flow in self.plan.definitions.flows_into(name))

    def _failed(self, flow: Flow, error: Exception) -> LakeprepError:
        if autoloader.is_unknown_field_error(error):
            self.schema_changed = True
        self.recoverable = self.recoverable and may_recover(error)
        violated, new_column = expectations.violation(full_text(error)), autoloader.unknown_field_message(error)
        failure = frames.failure(error, flow, "failed")
        if new_column:
            failure = FlowFailed(f"{flow.defined_at}: '{flow.name}' failed: {new_column}")
        elif violated:
            failure = FlowFailed(f"{flow.defined_at}: {violated}. Nothing of this micro-batch or view was written. "
                                 "Mend the data or the rule, then update again.")
        self.failure = self.failure or failure
        return failure
