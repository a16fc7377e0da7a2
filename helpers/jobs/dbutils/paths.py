"""Where a path of dbutils.fs leads on this machine: a local file, or a file of a volume."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from helpers.errors import LakeprepError
from helpers.runtime.places import Places

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(?=/)(?://(?=/))?")
_VOLUME = "/Volumes/<catalog>/<schema>/<volume>/…"
_ROOT = "the DBFS root and mounts are deprecated, and are not here"
#: First folders that mean DBFS on Databricks.
_DBFS = frozenset({"dbfs", "mnt", "FileStore", "databricks-datasets"})


class PathNotSupported(LakeprepError, ValueError):
    """A path that leads to nothing here."""


@dataclass(frozen=True)
class Found:
    """A path as Databricks shows it, and where it is; `root` is its volume's folder, None for a local file."""

    shown: str
    local: Path
    root: Path | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is one, or is a volume that nobody has made yet."""
        return self.local == self.root or self.local.is_dir()

    def child(self, name: str) -> Found:
        return Found(f"{self.shown.rstrip('/')}/{name}", self.local / name, self.root)


def find(path: str | os.PathLike[str], places: Places) -> Found:
    """Find what a path names; PathNotSupported says why it leads nowhere, and what to write instead."""
    text = os.fspath(path)
    match = _SCHEME.match(text)
    scheme, rest = (match[1].lower(), text[match.end() :]) if match else ("", text)
    if scheme not in ("", "file", "dbfs"):
        raise PathNotSupported(f"{text}: {scheme} is not reached from here; bring the files into a volume, {_VOLUME}")
    if not rest.startswith("/"):
        raise PathNotSupported(f"Path must be absolute: {text}; begin it with / or {_VOLUME}")
    if "\0" in rest:
        raise PathNotSupported("a path has no NUL character")
    parts = PurePosixPath("/" + rest.lstrip("/")).parts[1:]
    if parts[:1] == ("Volumes",):
        return _in_volume(text, parts[1:], places)
    if scheme == "dbfs" or (not scheme and parts[:1] and parts[0] in _DBFS):
        raise PathNotSupported(f"{text}: {_ROOT}; use a volume, {_VOLUME}")
    local = Path("/", *parts)
    return Found(f"file:{local}", local)


def _in_volume(text: str, parts: tuple[str, ...], places: Places) -> Found:
    """The volume's own folder stands for it, whatever the catalog; nothing leads out of it."""
    if len(parts) < 3 or any(name in (".", "..") for name in parts[:3]):
        raise PathNotSupported(f"{text}: a path in a volume has the form {_VOLUME}")
    catalog, schema, volume, *rest = parts
    root = Path(os.path.realpath(places.volume(schema, volume)))
    local = Path(os.path.realpath(root.joinpath(*rest)))
    if local != root and root not in local.parents:
        raise PathNotSupported(f"{text} leads out of the volume {catalog}.{schema}.{volume}")
    inside = local.relative_to(root).parts
    return Found("/".join(["dbfs:/Volumes", catalog, schema, volume, *inside]), local, root)
