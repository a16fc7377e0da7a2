"""What an update did: plain data that the job's record, the charts and the terminal read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

#: Flow states after which nothing more happens in this update.
FINAL_STATES = frozenset({"COMPLETED", "FAILED", "SKIPPED", "STOPPED", "IDLE", "EXCLUDED"})


@dataclass(frozen=True)
class ExpectationCount:
    """How many records of one dataset met one expectation, in one update."""

    name: str
    dataset: str
    passed_records: int
    failed_records: int
    action: str


@dataclass(frozen=True)
class DatasetReport:
    """One node of the graph: its kind, its inputs, and what the update did with it. ``seconds`` is wall time.

    Rows of an AUTO CDC target are upserted and deleted; rows of all others are output.
    """

    name: str
    kind: str
    inputs: tuple[str, ...] = ()
    status: str = "QUEUED"
    rows_read: int | None = None
    num_output_rows: int | None = None
    dropped_records: int = 0
    expectations: tuple[ExpectationCount, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    layer: str | None = None
    num_upserted_rows: int | None = None
    num_deleted_rows: int | None = None


@dataclass(frozen=True)
class UpdateReport:
    """One update of one pipeline. Times are milliseconds since the epoch."""

    pipeline_id: str
    pipeline_name: str
    update_id: str
    state: str
    cause: str
    full_refresh: bool
    started_ms: int
    ended_ms: int | None = None
    datasets: tuple[DatasetReport, ...] = ()
    error: str | None = None
    notes: tuple[str, ...] = ()
    validate_only: bool = False

    def dataset(self, name: str) -> DatasetReport:
        """The report of one dataset; KeyError when the pipeline has none of that name."""
        for dataset in self.datasets:
            if dataset.name == name:
                return dataset
        raise KeyError(name)

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON-able data."""
        return asdict(self)


def from_dict(data: Mapping[str, Any]) -> UpdateReport:
    """The inverse of :meth:`UpdateReport.as_dict`."""
    datasets = tuple(
        DatasetReport(
            **{
                **dataset,
                "inputs": tuple(dataset["inputs"]),
                "expectations": tuple(ExpectationCount(**count) for count in dataset["expectations"]),
            }
        )
        for dataset in data["datasets"]
    )
    return UpdateReport(**{**data, "datasets": datasets, "notes": tuple(data["notes"])})


def merged(reports: Sequence[UpdateReport]) -> UpdateReport:
    """Updates that belong together (a schema change restarts one) as one: last states, summed counts."""
    last = reports[-1]
    if len(reports) == 1:
        return last
    datasets = tuple(_summed([report.dataset(dataset.name) for report in reports if _has(report, dataset.name)])
                     for dataset in last.datasets)
    notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
    first = reports[0]
    return replace(last, started_ms=first.started_ms, cause=first.cause, full_refresh=first.full_refresh,
                   datasets=datasets, notes=notes)


def combined(reports: Sequence[UpdateReport]) -> UpdateReport:
    """Selected refreshes of one pipeline as one picture: each dataset as the last update left it that ran it."""
    datasets: dict[str, DatasetReport] = {}
    for dataset in (dataset for report in reports for dataset in report.datasets):
        if dataset.status != "EXCLUDED" or dataset.name not in datasets:
            datasets[dataset.name] = dataset
    return replace(reports[-1], started_ms=reports[0].started_ms, datasets=tuple(datasets.values()))


def _has(report: UpdateReport, name: str) -> bool:
    return any(dataset.name == name for dataset in report.datasets)


def _summed(parts: Sequence[DatasetReport]) -> DatasetReport:
    """A stream goes on where the last update ended, so its counts add up; a view's last computation is the truth."""
    last = parts[-1]
    ran = [part for part in parts if part.num_output_rows is not None]
    seconds = sum(part.seconds for part in parts)
    idle_after_work = last.status == "IDLE" and any(part.status == "COMPLETED" for part in parts)
    status = "COMPLETED" if idle_after_work else last.status
    if last.kind == "MATERIALIZED_VIEW" or last.rows_read is None:
        computed = next((part for part in reversed(ran) if part.status != "IDLE"), last)
        return replace(computed, status=status, seconds=seconds, error=last.error)
    counts: dict[str, ExpectationCount] = {}
    for count in (count for part in parts for count in part.expectations):
        seen = counts.get(count.name)
        counts[count.name] = count if seen is None else replace(
            count,
            passed_records=seen.passed_records + count.passed_records,
            failed_records=seen.failed_records + count.failed_records,
        )
    return replace(
        last,
        status=status,
        rows_read=_total([part.rows_read for part in parts]),
        num_output_rows=_total([part.num_output_rows for part in parts]),
        num_upserted_rows=_total([part.num_upserted_rows for part in parts]),
        num_deleted_rows=_total([part.num_deleted_rows for part in parts]),
        dropped_records=sum(part.dropped_records for part in parts),
        seconds=seconds,
        expectations=tuple(counts.values()),
    )


def _total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
