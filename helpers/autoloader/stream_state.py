"""`cloud_files_state`: which files a stream has met, from its own checkpoint.

https://docs.databricks.com/aws/en/sql/language-manual/functions/cloud_files_state
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.autoloader.blocks import local_path
from helpers.autoloader.errors import AutoLoaderError
from helpers.autoloader.landing import local
from helpers.autoloader.stream_log import Entry, SourceLog, modified, source_logs

SCHEMA = ("path STRING, size BIGINT, create_time TIMESTAMP, discovery_time TIMESTAMP, processed_time TIMESTAMP, "
          "commit_time TIMESTAMP, archive_time TIMESTAMP, archive_mode STRING, move_location STRING, source_id STRING, "
          "flow_name STRING, ingestion_state STRING")


class NoStreamState(AutoLoaderError):
    """A folder that is no checkpoint of a stream of files, or a table without one."""


@dataclass(frozen=True)
class SeenFile:
    """A file in a stream's log; times are UTC, None where that has not happened (or the file is gone).

    Spark forgets old micro-batches: of their files the time of commit is when the oldest that it knows was written.
    """

    path: str
    size: int | None
    create_time: datetime
    discovery_time: datetime
    commit_time: datetime | None
    source_id: str = "0"
    flow_name: str | None = None

    def row(self) -> tuple[Any, ...]:
        """The row of `SCHEMA`; nothing is ever archived here."""
        state = "COMMITTED" if self.commit_time else "DISCOVERED"
        return (self.path, self.size, self.create_time, self.discovery_time, self.commit_time, self.commit_time,
                None, None, None, self.source_id, self.flow_name, state)


def cloud_files_state(spark: Any, checkpoint: str) -> Any:
    """A DataFrame of the files that the stream with this checkpoint has discovered."""
    return spark.createDataFrame([each.row() for each in seen_files(checkpoint)], SCHEMA)


def table_state(spark: Any, table: str) -> Any:
    """The same of all flows that write a streaming table of a pipeline; each of them has a checkpoint."""
    from helpers.pipelines.names import canonical, parts, quoted, quoted_part

    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {quoted(table)}").collect()}
    pipeline = properties.get("pipelines.pipelineId")
    if pipeline is None:
        raise NoStreamState(f"{table} is no streaming table of a pipeline. Give the checkpoint of the stream that "
                            "writes it: cloud_files_state('…').")
    folder = _checkpoints(spark) / pipeline / canonical(quoted_part(parts(table)[-1]))
    found = [seen for flow in sorted(folder.glob("*")) for seen in _seen_files(flow, flow.name)]
    if not found:
        raise NoStreamState(f"No flow of {table} has read files. Name a streaming table over read_files, after an "
                            "update of its pipeline.")
    return spark.createDataFrame([each.row() for each in found], SCHEMA)


def seen_files(checkpoint: str) -> list[SeenFile]:
    """The files that a stream has discovered, by path."""
    found = _seen_files(Path(local(checkpoint)))
    if not found and not source_logs(Path(local(checkpoint))):
        raise NoStreamState(f"{checkpoint} is no checkpoint of a stream that has read files. Give the folder that is "
                            "the stream's checkpointLocation, after its first run.")
    return found


def _checkpoints(spark: Any) -> Path:
    """Where the pipelines of this session's home keep their checkpoints."""
    if (places := getattr(spark, "places", None)) is not None:
        return Path(places.checkpoints)
    if (server := getattr(spark, "server", None)) is not None:
        return Path(server.log.parent) / "checkpoints"
    raise NoStreamState("cloud_files_state(TABLE(…)) needs the local Spark server, which knows where pipelines keep "
                        "their checkpoints. Give a checkpoint: cloud_files_state('…').")


def _seen_files(checkpoint: Path, flow: str | None = None) -> list[SeenFile]:
    found = [seen for log in source_logs(checkpoint) for seen in _of_source(log, flow)]
    return sorted(found, key=lambda seen: (seen.path, seen.source_id))


def _of_source(log: SourceLog, flow: str | None) -> list[SeenFile]:
    looks, committed = log.looks(), log.committed()
    commits = {batch: time for batch in looks if (time := modified(log.commit(batch)))}
    return [_seen(log, entry, commits if entry["batchId"] <= committed else {}, looks, flow) for entry in log.entries()]


def _seen(log: SourceLog, entry: Entry, commits: Mapping[int, datetime], looks: Mapping[int, int],
          flow: str | None) -> SeenFile:
    look, file = entry["batchId"], local_path(entry["path"])
    created = datetime.fromtimestamp(entry["timestamp"] / 1000, UTC)
    discovered = modified(log.folder / str(look)) or modified(log.folder / f"{look}.compact")
    # The first micro-batch that goes as far as this look has brought the file.
    committed = next((time for batch, time in commits.items() if looks[batch] >= look), None)
    return SeenFile(entry["path"], os.path.getsize(file) if os.path.exists(file) else None, created,
                    discovered or created, committed, str(log.number), flow)
