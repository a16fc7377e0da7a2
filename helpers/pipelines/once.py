"""Flows that run once: what notes that they did, beside where their checkpoint would be."""

from __future__ import annotations

import json
from pathlib import Path

from helpers.pipelines.home import read_state, write_atomically

_NAME = "_once.json"


def was_run(checkpoint: Path) -> bool:
    """Whether the flow has had its turn; only a full refresh, which removes the folder, gives it another."""
    found = read_state(checkpoint / _NAME)
    return found is not None and bool(found.get("done", True))


def turn(checkpoint: Path, number: int) -> int:
    """The transaction version of the flow's only write: ``number``, or the one of an update that was cut off."""
    found = read_state(checkpoint / _NAME)
    if found is not None and isinstance(found.get("number"), int):
        return int(found["number"])
    _write(checkpoint, number=number, done=False)
    return number


def note_run(checkpoint: Path, number: int | None = None) -> None:
    """The flow has read everything."""
    _write(checkpoint, number=number, done=True)


def _write(checkpoint: Path, *, number: int | None, done: bool) -> None:
    write_atomically(checkpoint / _NAME, json.dumps({"version": 1, "number": number, "done": done}))
