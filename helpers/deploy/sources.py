"""Which files of the repository go to a workspace."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

#: What the job's notebooks need: the setup cell looks for `helpers` in the folders above it.
JOB_FOLDERS = ("helpers", "solutions/retail_job")


@dataclass(frozen=True)
class Source:
    """One file; `path` is relative to the repository, with forward slashes."""

    path: str
    content: bytes

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def sources(root: Path, names: Iterable[str]) -> tuple[Source, ...]:
    """Read files and everything in folders, sorted; what running makes (caches, hidden files) is left out."""
    found = {path.relative_to(root).as_posix(): path for name in names for path in _files(root / name)}
    return tuple(Source(name, found[name].read_bytes()) for name in sorted(found))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for child in path.iterdir():
        if not child.name.startswith(".") and child.name != "__pycache__":
            yield from _files(child)
