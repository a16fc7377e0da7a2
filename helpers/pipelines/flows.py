"""One flow, run once: a stream until it has read what there is, or a materialized view replaced in one commit."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.classic import observed
from helpers.pipelines import expectations, tables
from helpers.pipelines.dp_sinks import writer_options
from helpers.pipelines.expectations import Counts
from helpers.pipelines.graph import Sink
from helpers.pipelines.home import read_state, write_atomically
from helpers.pipelines.names import quoted
from helpers.sql import Expectation

#: Seconds between two looks at a running stream.
POLL = 1.0


@dataclass(frozen=True)
class Batch:
    """One micro-batch that was committed; ``views``: the counts of streaming views that it went through."""

    number: int
    rows_read: int
    counts: Counts
    views: Mapping[str, Counts]


@dataclass(frozen=True)
class StreamTask:
    """Everything that a streaming flow needs. ``views``: the rules of streaming views whose counts it reports.

    ``pack`` shapes the rows for their table, after the rules have seen them; a ``sink`` takes them in its stead.
    """

    name: str
    target: str
    frame: Any
    rules: Sequence[Expectation]
    checkpoint: Path
    views: Mapping[str, Sequence[Expectation]]
    pack: Callable[[Any], Any] = lambda frame: frame
    sink: Sink | None = None


class Stopped(Exception):
    """The update is being interrupted; the flow ended before it had read everything."""


def run_stream(task: StreamTask, *, on_batch: Callable[[Batch], None], stop: threading.Event) -> None:
    """Run until everything that was there at the start is read. Raises what ended the stream, after the last batch."""
    frame = task.pack(expectations.checked(task.frame, task.rules, flow=task.name, observe="flow"))
    _clear_half_written(task.checkpoint)
    writer = (frame.writeStream.queryName(task.name).outputMode("append").trigger(availableNow=True)
              .option("checkpointLocation", str(task.checkpoint)))
    query = _started(writer, task)
    told: set[int] = set()
    ended = False
    try:
        while not (ended := query.awaitTermination(POLL)):
            _tell(query, task, told, on_batch)
            if stop.is_set():
                raise Stopped(task.name)
    finally:
        # An interrupted client leaves no stream running; the batches that did commit are told in any case.
        if not ended:
            query.stop()
        _tell(query, task, told, on_batch)


def _clear_half_written(checkpoint: Path) -> None:
    """Remove what a stream left that was killed before its first offset: Spark begins one only where no file is.

    The names of files that are not complete begin with a dot, and no other update writes here meanwhile.
    """
    logs = [checkpoint / "offsets", checkpoint / "commits"]
    files = [path for log in logs if log.is_dir() for path in log.iterdir()]
    if all(path.name.startswith(".") for path in files):
        for path in files:
            path.unlink()


def _started(writer: Any, task: StreamTask) -> Any:
    if task.sink is None:
        return writer.format("delta").option("mergeSchema", "true").toTable(quoted(task.target))
    writer = writer.format(task.sink.format).options(**writer_options(task.sink))
    table = task.sink.options.get("tableName")
    return writer.toTable(quoted(table)) if table else writer.start(task.sink.options["path"])


def _tell(query: Any, task: StreamTask, told: set[int], on_batch: Callable[[Batch], None]) -> None:
    for progress in query.recentProgress:
        observed = progress.observedMetrics or {}
        if progress.batchId in told or "flow" not in observed:
            continue
        told.add(progress.batchId)
        views = {view: expectations.counts_from(_row(observed.get(f"view:{view}")), rules)
                 for view, rules in task.views.items()}
        counts = expectations.counts_from(_row(observed["flow"]), task.rules)
        on_batch(Batch(progress.batchId, progress.numInputRows or 0, counts, views))


def _row(row: Any) -> dict[str, Any] | None:
    """An observed row; Connect gives it as values beside a JSON schema, the classic API as a plain row."""
    if row is None:
        return None
    data = row.asDict()
    if set(data) == {"values", "schema"}:
        return dict(zip([field["name"] for field in data["schema"]["fields"]], data["values"], strict=True))
    return data


def replace_view(spark: Any, name: str, frame: Any, rules: Sequence[Expectation], *, fingerprint: Mapping[str, Any],
                 location: str | None = None, clustered: bool = False) -> Counts:
    """Put the view's new rows in place of the old in one commit, which also carries ``fingerprint``.

    ``location``: where the view's table lies, if that is known. What a killed update still wrote was interrupted when
    this one began, and Delta refuses it as a conflict: it needs no transaction number, for which Delta would read the
    whole state of the table.
    """
    from pyspark.sql import functions as F
    from pyspark.sql.observation import Observation

    options = {"userMetadata": json.dumps(fingerprint)}
    if not tables.same_columns(tables.schema(spark, name, location=location), frame.schema):
        options["overwriteSchema"] = "true"
    elif clustered:
        options["replaceWhere"] = "true"  # else Delta takes the table for a new one, without CLUSTER BY
    observation = Observation()
    frame = expectations.checked(frame, rules, flow=name, observe=observation)
    frame.writeTo(quoted(name)).options(**options).overwrite(F.lit(True))
    return expectations.counts_from(observed(spark, observation), rules)


def append_once(name: str, frame: Any, rules: Sequence[Expectation], *, flow: str,
                transaction: tuple[str, int]) -> Counts | None:
    """Append a batch in one commit; None when Delta has had this ``transaction`` (application, version) before."""
    from pyspark.sql.observation import Observation

    observation = Observation()
    frame = expectations.checked(frame, rules, flow=flow, observe=observation)
    (frame.write.format("delta").mode("append").option("mergeSchema", "true").option("txnAppId", transaction[0])
     .option("txnVersion", str(transaction[1])).saveAsTable(quoted(name)))
    seen = observed(frame.sparkSession, observation)
    return expectations.counts_from(seen, rules) if seen else None


def remembered(checkpoint: Path) -> Mapping[str, Any] | None:
    """What a streaming flow had read when it last ended well."""
    return read_state(checkpoint / "_flow.json")


def remember(checkpoint: Path, fingerprint: Mapping[str, Any]) -> None:
    """Note what a streaming flow has read; an update that would find the same does not start it."""
    write_atomically(checkpoint / "_flow.json", json.dumps(fingerprint))
