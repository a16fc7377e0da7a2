"""`cloud_files_state`: which files a stream has met, from its own checkpoint.

https://docs.databricks.com/aws/en/sql/language-manual/functions/cloud_files_state
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.autoloader.blocks import local_path
from helpers.autoloader.errors import AutoLoaderError
from helpers.autoloader.landing import local

SCHEMA = ("path STRING, size BIGINT, create_time TIMESTAMP, discovery_time TIMESTAMP, processed_time TIMESTAMP, "
          "commit_time TIMESTAMP, ingestion_state STRING")


class NoStreamState(AutoLoaderError):
    """A folder that is no checkpoint of a stream of files."""


@dataclass(frozen=True)
class SeenFile:
    """A file in a stream's log; times are UTC, None where that has not happened (or the file is gone)."""

    path: str
    size: int | None
    create_time: datetime
    discovery_time: datetime
    commit_time: datetime | None

    def row(self) -> tuple[Any, ...]:
        """The row of `SCHEMA`."""
        state = "COMMITTED" if self.commit_time else "DISCOVERED"
        return (self.path, self.size, self.create_time, self.discovery_time, self.commit_time, self.commit_time, state)


def cloud_files_state(spark: Any, checkpoint: str) -> Any:
    """A DataFrame of the files that the stream with this checkpoint has discovered."""
    return spark.createDataFrame([each.row() for each in seen_files(checkpoint)], SCHEMA)


def seen_files(checkpoint: str) -> list[SeenFile]:
    """The files that a stream has discovered, by path."""
    folder = Path(local(checkpoint))
    logs = [path for path in folder.glob("sources/*") if path.is_dir()]
    if not logs:
        raise NoStreamState(f"{checkpoint} is no checkpoint of a stream that has read files. Give the folder that is "
                            "the stream's checkpointLocation, after its first run.")
    found: dict[str, SeenFile] = {}
    for log in logs:
        for entry in _entries(log):
            found.setdefault(entry["path"], _seen(folder, log, entry))
    return [found[path] for path in sorted(found)]


def _entries(log: Path) -> Iterator[dict[str, Any]]:
    """The lines of a log, whose first is its version; now and then one file has all that came before."""
    for path in sorted(log.iterdir()):
        if path.name.partition(".")[0].isdigit() and path.suffix in ("", ".compact"):
            for line in path.read_text(encoding="utf-8").splitlines()[1:]:
                yield json.loads(line)


def _seen(folder: Path, log: Path, entry: dict[str, Any]) -> SeenFile:
    batch = str(entry["batchId"])
    file = local_path(entry["path"])
    discovered = _modified(log / batch) or _modified(log / f"{batch}.compact") or _modified(folder / "offsets" / batch)
    return SeenFile(
        path=entry["path"], size=os.path.getsize(file) if os.path.exists(file) else None,
        create_time=datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
        discovery_time=discovered or datetime.fromtimestamp(entry["timestamp"] / 1000, UTC),
        commit_time=_modified(folder / "commits" / batch),
    )


def _modified(path: Path) -> datetime | None:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
