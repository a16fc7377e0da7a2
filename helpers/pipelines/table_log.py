"""What a Delta table's log on this machine tells of it, and rows added to it, without Spark."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

COMMIT = re.compile(r"\d{20}\.json")


@dataclass(frozen=True)
class Version:
    """A table's newest commit. ``mark`` tells two commits apart, even of a table that was dropped and made again."""

    mark: str
    metadata: Mapping[str, Any]

    @property
    def number(self) -> int:
        """Which of the table's versions it is."""
        return int(self.mark.split("@")[0])


def newest_commit(folder: str) -> Version | None:
    """The newest commit, as Delta's history marks it; None where the log is not on this machine."""
    here = local_folder(folder)
    if here is None:
        return None
    try:
        commits = [path for path in (here / "_delta_log").iterdir() if COMMIT.fullmatch(path.name)]
        newest = max(commits, key=lambda path: path.name)
        actions = [json.loads(line) for line in newest.read_text(encoding="utf-8").split("\n") if line]
        info = next(action["commitInfo"] for action in actions if "commitInfo" in action)
        # Delta's history says when the file was written, unless the table keeps the time in the commit.
        millis = int(info.get("inCommitTimestamp", newest.stat().st_mtime_ns // 1_000_000))
    except (OSError, ValueError, TypeError, StopIteration):
        return None
    when = datetime.fromtimestamp(millis // 1000).replace(microsecond=millis % 1000 * 1000)
    return Version(f"{int(newest.stem)}@{when}", metadata(info.get("userMetadata")))


def metadata(text: str | None) -> Mapping[str, Any]:
    """What a commit carries as its user metadata; nothing when somebody else made it."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def opened(location: str | None) -> Any:
    """The Delta table in a folder of this machine, as deltalake reads it; None where it cannot, or is not there."""
    here = local_folder(location)
    if here is None:
        return None
    try:
        from deltalake import DeltaTable

        return DeltaTable(str(here))
    except Exception:
        return None


def columns(table: Any) -> Any:
    """The columns of an opened table as Spark has them."""
    from pyspark.sql.types import StructType

    return StructType.fromJson(json.loads(table.schema().to_json()))


def row_count(location: str | None) -> int | None:
    """How many rows a Delta table in a folder of this machine has, as its log says; None where it does not."""
    table = opened(location)
    if table is None or "deletionVectors" in (table.protocol().reader_features or ()):
        return None
    try:
        counts = table.get_add_actions(flatten=True).column("num_records").to_pylist()
    except Exception:
        return None
    return None if None in counts else sum(counts)


def append(location: str | None, rows: Sequence[Mapping[str, Any]], *, application: str) -> bool:
    """Append rows in one commit, which happens once for each ``application``; False where that is left to Spark.

    For some rows Spark needs most of a second, mainly to find out what the table has had before.
    """
    table = opened(location)
    if table is None:
        return False
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    try:
        if table.transaction_version(application) is None:
            data = pa.Table.from_pylist(list(rows), schema=pa.schema(table.schema().to_arrow()))
            once = CommitProperties(app_transactions=[Transaction(application, 1)])
            write_deltalake(table, data, mode="append", commit_properties=once)
    except Exception:  # a feature that deltalake does not write, or a full disk: Spark can, or says why not
        return False
    return True


def local_folder(location: str | None) -> Path | None:
    """The folder of this machine that a location names; None where it lies elsewhere, or nothing is known."""
    return Path(local_path(location)) if location and location.startswith(("file:", "/")) else None


def local_path(folder: str) -> str:
    """A folder's name without its scheme."""
    return re.sub("^file:/*", "/", folder).rstrip("/")
