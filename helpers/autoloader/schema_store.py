"""The schema location: `_schemas/<version>`, one JSON file for each version of the schema, never changed once written.

A new version is linked into place under its number, which fails when another writer was first: that one then reads the
winner's schema and adds to it. Nothing here imports Spark; it runs in Spark's Python workers too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.files import write_once

_FORMAT = 1
_EXISTING = "_existing_files.json"


class SchemaFileError(Exception):
    """A file in the schema location cannot be read; the message says which and why."""


@dataclass(frozen=True)
class StoredSchema:
    """One version of the schema, as `StructType.jsonValue()` gives it."""

    version: int
    schema: dict[str, Any]


@dataclass(frozen=True)
class SchemaStore:
    """The versions under one schema location."""

    location: str

    @property
    def folder(self) -> Path:
        """Where the version files are."""
        return Path(self.location) / "_schemas"

    def latest(self) -> StoredSchema | None:
        """The newest version, or None before the first inference."""
        versions = [int(path.name) for path in self.folder.glob("*") if path.name.isdigit()]
        return self._read(max(versions)) if versions else None

    def update(self, change: Callable[[dict[str, Any] | None], dict[str, Any]]) -> StoredSchema:
        """Write `change(latest schema)` as the next version, unless it changes nothing."""
        while True:
            latest = self.latest()
            schema = change(latest.schema if latest else None)
            if latest and schema == latest.schema:
                return latest
            following = StoredSchema(version=latest.version + 1 if latest else 0, schema=schema)
            if self._write(following):
                return following

    def takes_existing(self) -> None:
        """Note, at the first load, that no file is left out; what was noted before stays."""
        if not self._noted.exists():
            self._note(())

    def existing(self, files: Callable[[], Iterable[str]], *, unless_overwritten: bool = False) -> frozenset[str]:
        """The files that were there when the stream was first loaded: noted then, and never changed.

        A stream that was loaded before without a note (or that has its checkpoint here) took them, so it leaves out
        none. `unless_overwritten` takes away those that were written since.
        """
        path = self._noted
        if not path.exists():
            if self.latest() is not None or (Path(self.location) / "offsets").exists():
                return frozenset()
            self._note(files())
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))["files"]
            return frozenset(each for each in noted if not (unless_overwritten and _newer(each, path)))
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise SchemaFileError(f"The file {path}, which names the files that includeExistingFiles=false leaves out, "
                                  f"is damaged ({error}). Restore it, or remove it to note them anew.") from error

    @property
    def _noted(self) -> Path:
        return Path(self.location) / _EXISTING

    def _note(self, files: Iterable[str]) -> None:
        self._noted.parent.mkdir(parents=True, exist_ok=True)
        write_once(self._noted, _json({"version": _FORMAT, "files": sorted(files)}))

    def _read(self, version: int) -> StoredSchema:
        path = self.folder / str(version)
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["version"] != _FORMAT:
                raise ValueError(f"its format is version {content['version']}, not {_FORMAT}")
            if content["schema"]["type"] != "struct" or not isinstance(content["schema"]["fields"], list):
                raise ValueError("it holds no schema")
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise SchemaFileError(
                f"The schema file {path} is damaged ({error}). Nothing was overwritten. Restore the file, or remove "
                "it to go back to the version before (with no version left, the schema is inferred anew)."
            ) from error
        return StoredSchema(version=version, schema=content["schema"])

    def _write(self, stored: StoredSchema) -> bool:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = _json({"version": _FORMAT, "schema": stored.schema})
        return write_once(self.folder / str(stored.version), content)


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _newer(path: str, than: Path) -> bool:
    return os.path.exists(path) and os.path.getmtime(path) > than.stat().st_mtime
