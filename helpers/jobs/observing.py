"""What a trigger looks at: the files of a folder, and the versions of tables, read from Delta's log without Spark."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from helpers.jobs.errors import WatchError
from helpers.runtime.places import Places

_VOLUME = re.compile(r"/Volumes/[^/]+/([^/]+)/([^/]+)(/.*)?")
_COMMIT = re.compile(r"\d{20}\.json")


def folder_of(url: str, *, base: Path, places: Places) -> Path:
    """Where the folder of a file-arrival trigger is here; a path of this machine is relative to `base`.

    `/Volumes/<catalog>/<schema>/<volume>/...` is the local volume, whatever the catalog. WatchError for cloud storage.
    """
    if match := _VOLUME.fullmatch(url):
        return places.volume(match[1], match[2]) / (match[3] or "").strip("/")
    if url.startswith("/Volumes/"):
        raise WatchError(f"'{url}' is no folder of a volume; write /Volumes/<catalog>/<schema>/<volume>/...")
    if "://" in url:
        raise WatchError(f"'{url}' is cloud storage, which is not watched here; name a volume or a local folder")
    return base / url


def files_in(folder: Path) -> dict[str, str] | None:
    """Each file below the folder, by its path there, with its size and time; None when the folder is not there.

    Names that begin with a dot are left out: that is how files are called while they are written. WatchError when a
    folder cannot be read.
    """
    if not folder.is_dir():
        return None
    found = {}
    for where, folders, names in os.walk(folder, onerror=_unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(where, name) for name in names if not name.startswith(".")):
            try:
                stat = path.stat()
            except FileNotFoundError:  # taken away since it was listed
                continue
            found[path.relative_to(folder).as_posix()] = f"{stat.st_size} {stat.st_mtime_ns}"
    return found


def table_folder(name: str, *, places: Places) -> Path:
    """Where a table of the local lakehouse is, whatever its catalog; WatchError when its schema is not named."""
    *_, schema, table = ("", *name.lower().split("."))
    if not schema or name.count(".") > 2:
        raise WatchError(f"'{name}' is no table's full name; write catalog.schema.table")
    return places.warehouse / table if schema == "default" else places.warehouse / f"{schema}.db" / table


def versions_of(tables: Iterable[str], *, places: Places) -> dict[str, int]:
    """The version in which each table's data last changed; a table that is not there, or has no data yet, is left out.

    Commits that change only metadata, or only the layout of the files (OPTIMIZE), do not count.
    """
    found = {name: _data_version(table_folder(name, places=places) / "_delta_log") for name in tables}
    return {name: version for name, version in found.items() if version is not None}


def _unreadable(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise WatchError(f"{error.filename} cannot be read: {error.strerror}; make it readable, then watch again")


def _data_version(log: Path) -> int | None:
    commits = (path for path in log.glob("*.json") if _COMMIT.fullmatch(path.name))
    return next((int(path.stem) for path in sorted(commits, reverse=True) if _changes_data(path)), None)


def _changes_data(commit: Path) -> bool:
    try:
        with commit.open(encoding="utf-8") as lines:
            return any(_is_data(json.loads(line)) for line in lines if line.strip())
    except (FileNotFoundError, ValueError):  # cleaned up meanwhile, or still being written
        return False


def _is_data(action: Mapping[str, Any]) -> bool:
    return any(action.get(kind, {}).get("dataChange", False) for kind in ("add", "remove"))
