"""Commits of a Delta table, written by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def commit(log: Path, version: int, *actions: Mapping[str, Any]) -> None:
    """Write one commit of these actions into the table's `_delta_log`."""
    log.mkdir(parents=True, exist_ok=True)
    lines = [{"commitInfo": {"operation": "WRITE"}}, *actions]
    (log / f"{version:020}.json").write_text("\n".join(map(json.dumps, lines)))
