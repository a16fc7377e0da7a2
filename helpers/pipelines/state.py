"""The state of a running update: who may read it while flows on several threads change it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from helpers.pipelines import expectations
from helpers.pipelines.expectations import Counts
from helpers.pipelines.plan import Plan
from helpers.pipelines.report import DatasetReport, ExpectationCount, UpdateReport
from helpers.sql import Expectation


class Board:
    """The update's report, changed under a lock and shown to ``listener`` after every change."""

    def __init__(self, report: UpdateReport, listener: Callable[[UpdateReport], None] | None) -> None:
        self._lock = threading.RLock()
        self._report = report
        self._listener = listener

    @property
    def report(self) -> UpdateReport:
        """As it is now."""
        with self._lock:
            return self._report

    def draw(self, plan: Plan) -> None:
        """Put the graph's nodes on the board, sources from outside too."""
        nodes = []
        for name in plan.order:
            dataset = plan.definitions.datasets[name]
            status = "QUEUED" if name in plan.needed else "EXCLUDED"
            nodes.append(DatasetReport(name, dataset.kind, (*plan.edges[name], *plan.sources[name]), status,
                                       layer=dataset.layer))
        outside = dict.fromkeys(source for sources in plan.sources.values() for source in sources)
        nodes = [*(DatasetReport(name, "SOURCE", status="IDLE") for name in outside), *nodes]
        defined = plan.definitions
        notes = [f"{dataset.defined_at}: {note}" for dataset in defined.datasets.values() for note in dataset.notes]
        notes += [f"{flow.defined_at}: {note}" for flow in defined.flows for note in plan.reads[flow.name].notes]
        self.change(datasets=tuple(nodes), notes=tuple(dict.fromkeys([*self._report.notes, *notes])))

    def change(self, **values: Any) -> None:
        """Change the update itself."""
        with self._lock:
            self._report = replace(self._report, **values)
            self._show()

    def set(self, name: str, **values: Any) -> DatasetReport:
        """Change one dataset."""
        with self._lock:
            changed = replace(self._report.dataset(name), **values)
            self._put(changed)
            return changed

    def add(self, name: str, *, rows_read: int | None, counts: Counts, rules: Sequence[Expectation]) -> None:
        """Add one pass (a micro-batch, a refresh) to a dataset's counts; ``rows_read`` is None where nobody counted."""
        with self._lock:
            old = self._report.dataset(name)
            failed = tuple(count.failed_records for count in old.expectations) or (0,) * len(rules)
            kept = old.num_output_rows or 0
            total = expectations.added([Counts(kept + old.dropped_records, kept, failed), counts], rules)
            self._put(replace(
                old, rows_read=old.rows_read if rows_read is None else (old.rows_read or 0) + rows_read,
                num_output_rows=total.kept, dropped_records=total.dropped,
                expectations=total.by_expectation(rules, name)))

    def _put(self, changed: DatasetReport) -> None:
        datasets = tuple(changed if dataset.name == changed.name else dataset for dataset in self._report.datasets)
        self._report = replace(self._report, datasets=datasets)
        self._show()

    def _show(self) -> None:
        if self._listener is None:
            return
        try:
            self._listener(self._report)
        except Exception as error:  # what draws the update must not end it
            self._listener = None
            warnings.warn(f"The update is no longer shown: {type(error).__name__}: {error}", stacklevel=2)


def quality(counts: Sequence[ExpectationCount], dropped: int) -> dict[str, Any]:
    """``data_quality`` as the event log has it."""
    return {"dropped_records": dropped,
            "expectations": [{"name": count.name, "dataset": count.dataset, "passed_records": count.passed_records,
                              "failed_records": count.failed_records} for count in counts]}
