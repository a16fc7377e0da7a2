"""One pipeline's folder on disk: its checkpoints, its lock, and what an interrupted update left behind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.files import replace_file, sync_folder
from helpers.pipelines.errors import UpdateInProgress
from helpers.turns import LockHeld, locked

VERSION = 1


@dataclass(frozen=True)
class PipelineHome:
    """``checkpoints/<pipeline id>/`` of a lakehouse; ``<table>/<flow>/`` in it is one flow's checkpoint."""

    root: Path

    def checkpoint(self, table: str, flow: str) -> Path:
        """One flow's checkpoint; the flow's name identifies it."""
        return self.root / table / flow

    @property
    def events(self) -> Path:
        """Events of updates that are not in the event log table yet, one JSON-lines file an update."""
        return self.root / "_events"

    def to_reset(self) -> tuple[str, ...]:
        """Tables whose reset was begun and not ended."""
        folder = self.root / "_resets"
        return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()

    def begin_reset(self, table: str) -> None:
        """Note that ``table`` is to be emptied, then forget its checkpoints: a killed reset is finished later."""
        marker = self.root / "_resets" / table
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        sync_folder(marker.parent)
        self.forget(table)

    def forget(self, table: str) -> None:
        """Remove a table's checkpoints. Raises where that fails: a left-over checkpoint would lose rows."""
        folder = self.root / table
        if folder.exists():
            shutil.rmtree(folder)

    def forget_started(self, table: str) -> None:
        """Forget checkpoints of flows that ran: somebody dropped their table, and they would pass over its rows."""
        if any((self.root / table).glob("*/metadata")) or any((self.root / table).glob("*/_once.json")):
            self.forget(table)

    def end_reset(self, table: str) -> None:
        """The table is empty now."""
        (self.root / "_resets" / table).unlink(missing_ok=True)

    def next_number(self, now_ms: int) -> int:
        """A number that grows with every update, even when this folder was lost: Delta drops writes with old ones."""
        path = self.root / "_number"
        try:
            last = int(path.read_text())
        except (OSError, ValueError):
            last = 0
        number = max(last + 1, now_ms)
        write_atomically(path, str(number))
        return number

    @contextmanager
    def exclusive(self, spark: Any, *, name: str) -> Iterator[None]:
        """Only one update at a time; first ends what a killed one still does in the server."""
        self.root.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.root / "_update.lock"))
            except LockHeld:
                raise UpdateInProgress(f"Another update of the pipeline '{name}' is running{self._holder()}. "
                                       "Wait for it, or end that process.") from None
            self._end_killed_session(spark)
            write_atomically(self.root / "_session.json", json.dumps(
                {"version": VERSION, "pid": os.getpid(), "session_id": _session_id(spark)}))
            try:
                yield
            finally:
                (self.root / "_session.json").unlink(missing_ok=True)

    def _session(self) -> dict[str, Any]:
        return read_state(self.root / "_session.json") or {}

    def _holder(self) -> str:
        pid = self._session().get("pid")
        return f" in process {pid}" if pid else ""

    def _end_killed_session(self, spark: Any) -> None:
        """A killed client's statements go on in the server; releasing its session interrupts and stops them."""
        left = self._session().get("session_id")
        if left and left != _session_id(spark):
            with suppress(Exception):  # the session may be gone with its server, and then there is nothing to end
                release_session(spark, left)


def release_session(spark: Any, session_id: str) -> None:
    """End another Connect session of the same user: its queries are interrupted, its streams stopped."""
    import copy

    from pyspark.sql.connect.client import SparkConnectClient

    builder = copy.copy(spark.client._builder)
    builder._params = {**builder._params, "session_id": session_id}
    client = SparkConnectClient(connection=builder)
    try:
        client.release_session()
    finally:
        client.close()


def _session_id(spark: Any) -> str | None:
    return getattr(spark, "session_id", None)


def read_state(path: Path) -> dict[str, Any] | None:
    """A JSON object that :func:`write_atomically` has kept; None when there is none, or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_atomically(path: Path, text: str) -> None:
    """Write, sync, rename: a reader sees the old file or the new one; the folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text.encode("utf-8"))
