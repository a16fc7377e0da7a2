"""The event log in Databricks' shape: ``event_log_<pipeline id>``, a Delta table in the pipeline's schema.

Imitates https://docs.databricks.com/aws/en/ldp/monitor-event-log-schema. Events first go to a file, synced one by one,
and to the table in one commit at the end of the update; what a killed update left in its file, the next one brings.
"""

from __future__ import annotations

import json
import os
import threading
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError
from helpers.pipelines import leftovers, table_log
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.errors import StateUnusable, explained
from helpers.pipelines.names import quoted

SCHEMA = """id STRING, sequence STRUCT<data_plane_id: STRUCT<instance: STRING, seq_no: BIGINT>>,
origin STRUCT<pipeline_id: STRING, pipeline_name: STRING, update_id: STRING, flow_id: STRING, flow_name: STRING,
dataset_name: STRING, batch_id: BIGINT>, timestamp TIMESTAMP, message STRING, level STRING, maturity_level STRING,
error STRUCT<fatal: BOOLEAN, exceptions: ARRAY<STRUCT<class_name: STRING, message: STRING>>>, details STRING,
event_type STRING"""
_ENDED = {"COMPLETED", "FAILED", "CANCELED"}
_NAMESPACE = uuid.UUID("0e3bd6a8-55f6-5a0d-8f4f-1f6f4e9d6c11")


def table_name(pipeline_id: str) -> str:
    """The event log's table in the pipeline's schema."""
    return f"event_log_{pipeline_id.replace('-', '_')}"


@dataclass
class EventLog:
    """The events of one update. ``listener`` gets each event as it happens."""

    folder: Path
    pipeline_id: str
    pipeline_name: str
    update_id: str
    listener: Callable[[Mapping[str, Any]], None] | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    hooks: Callable[[Mapping[str, Any]], None] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0
    _seen: set[str] = field(default_factory=set)

    def emit(
        self,
        event_type: str,
        message: str,
        details: Mapping[str, Any],
        *,
        level: str = "INFO",
        flow: str | None = None,
        dataset: str | None = None,
        batch: int | None = None,
        error: BaseException | str | None = None,
    ) -> None:
        """Record one event. A micro-batch has one event: telling it twice records it once."""
        with self._lock:
            self._count += 1
            identity = f"{flow}/{batch}" if batch is not None else str(self._count)
            key = str(uuid.uuid5(_NAMESPACE, f"{self.update_id}/{event_type}/{identity}"))
            if key in self._seen:
                return
            self._seen.add(key)
            event = self._event(key, event_type, message, details, level, flow, dataset, batch, error)
            self._append(event)
        for listener in (self.listener, self.hooks):
            if listener is not None:
                listener(event)

    def _event(self, key: str, event_type: str, message: str, details: Mapping[str, Any], level: str, flow: str | None,
               dataset: str | None, batch: int | None, error: BaseException | str | None) -> dict[str, Any]:
        origin = {"pipeline_id": self.pipeline_id, "pipeline_name": self.pipeline_name, "update_id": self.update_id,
                  "flow_id": str(uuid.uuid5(_NAMESPACE, f"{self.pipeline_id}/{flow}")) if flow else None,
                  "flow_name": flow, "dataset_name": dataset, "batch_id": batch}
        name = type(error).__name__ if isinstance(error, BaseException) else "Error"
        return {
            "id": key,
            "sequence": {"data_plane_id": {"instance": self.update_id, "seq_no": self._count}},
            "origin": {k: v for k, v in origin.items() if v is not None},
            "timestamp": self.clock().isoformat(timespec="milliseconds"),
            "message": message, "level": level, "maturity_level": "STABLE",
            "error": {"fatal": True, "exceptions": [{"class_name": name, "message": str(error)}]} if error else None,
            "details": json.dumps({event_type: details}), "event_type": event_type,
        }

    def _append(self, event: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{self.update_id}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")
            file.flush()
            os.fsync(file.fileno())


def flush(spark: Any, folder: Path, pipeline_id: str, catalog: Catalog) -> None:
    """Bring every event file into the table, each in one commit that happens once, then delete the file."""
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else []:
        # A torn last line is an event that was never told to anybody.
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if _whole(line)]
        if lines:
            _bring(spark, _closed(lines), table_name(pipeline_id), path, catalog)
        path.unlink()


def prepare(spark: Any, pipeline_id: str, catalog: Catalog) -> None:
    """Make the table where there is none; what is wrong with it is told when it gets its events."""
    with suppress(Exception):
        _make(spark, table_name(pipeline_id), catalog)


def _closed(lines: list[str]) -> list[str]:
    """The events of an update; of one that was cut off also that its counts may lack its last micro-batches."""
    events = [json.loads(line) for line in lines]
    states = {json.loads(event["details"]).get("update_progress", {}).get("state") for event in events}
    if states & _ENDED:
        return lines
    last = events[-1]
    update = last["sequence"]["data_plane_id"]["instance"]
    origin = {key: value for key, value in last["origin"].items() if key.startswith(("pipeline_", "update_"))}
    details = {"update_progress": {"state": "FAILED", "incomplete": True}}
    return [*lines, json.dumps({
        **last, "id": str(uuid.uuid5(_NAMESPACE, f"{update}/incomplete")), "origin": origin, "level": "WARN",
        "sequence": {"data_plane_id": {"instance": update, "seq_no": last["sequence"]["data_plane_id"]["seq_no"] + 1}},
        "message": f"Update {update[:8]} was cut off: the counts of its last micro-batches may be incomplete.",
        "error": None, "details": json.dumps(details), "event_type": "update_progress"})]


def _bring(spark: Any, lines: list[str], table: str, path: Path, catalog: Catalog) -> None:
    try:
        _write(spark, lines, table, catalog, update=path.stem)
    except LakeprepError:
        raise
    except Exception as error:
        raise StateUnusable(f"The event log '{table}' cannot be written: {explained(error, target=table)} "
                            f"The events wait in {path}. Mend or drop that table, then update again.") from error


def _whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _row(line: str) -> dict[str, Any]:
    event = json.loads(line)
    return {**event, "timestamp": datetime.fromisoformat(event["timestamp"])}


def _make(spark: Any, table: str, catalog: Catalog) -> None:
    if catalog.location(table) is None:
        leftovers.making(lambda: spark.sql(f"CREATE TABLE IF NOT EXISTS {quoted(table)} ({SCHEMA}) USING delta"))
        catalog.made(table)


def _write(spark: Any, lines: list[str], table: str, catalog: Catalog, *, update: str) -> None:
    application = f"event_log/{update}"
    _make(spark, table, catalog)
    if table_log.append(catalog.location(table), [_row(line) for line in lines], application=application):
        return
    from pyspark.sql import functions as F

    frame = spark.createDataFrame([(line,) for line in lines], "line STRING")
    frame = frame.select(F.from_json("line", SCHEMA).alias("event")).select("event.*")
    (frame.write.format("delta").mode("append").option("txnAppId", application).option("txnVersion", 1)
     .saveAsTable(quoted(table)))
