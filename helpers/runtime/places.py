"""Where everything that running Lakeprep makes is kept."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPO_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Places:
    """One learner's folder; nothing is made on disk until somebody writes there."""

    root: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Places:
        """Take `LAKEPREP_HOME`, or `work/` in the repository."""
        named = environ.get("LAKEPREP_HOME", "").strip()
        return cls((Path(named).expanduser() if named else REPO_ROOT / "work").resolve())

    @property
    def lessons(self) -> Path:
        return self.root / "lessons"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def outbox(self) -> Path:
        return self.root / "outbox"

    @property
    def progress(self) -> Path:
        return self.root / "progress.jsonl"

    @property
    def home(self) -> Path:
        """The local lakehouse: what the Spark server keeps."""
        return self.root / "home"

    @property
    def metastore(self) -> Path:
        return self.home / "metastore"

    @property
    def warehouse(self) -> Path:
        return self.home / "warehouse"

    @property
    def volumes(self) -> Path:
        return self.home / "volumes"

    @property
    def checkpoints(self) -> Path:
        return self.home / "checkpoints"

    @property
    def server_file(self) -> Path:
        return self.home / "server.json"

    @property
    def server_lock(self) -> Path:
        return self.home / "server.lock"

    @property
    def server_log(self) -> Path:
        return self.home / "server.log"

    @property
    def token_file(self) -> Path:
        return self.home / "token"

    @property
    def clients(self) -> Path:
        """One file a process that is attached to the server."""
        return self.home / "clients"

    @property
    def scratch(self) -> Path:
        """The server's own temporary files, emptied at each start."""
        return self.home / "tmp"

    def volume(self, schema: str, name: str) -> Path:
        return self.volumes / schema / name

    def checkpoint(self, pipeline_id: str, table: str, flow: str) -> Path:
        return self.checkpoints / pipeline_id / table / flow
