"""The folder that a stream reads: is it there, and which of its files serve as the sample."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers.autoloader.errors import EmptyLandingFolder, LandingFolderNotFound, UnsupportedPath

_GLOB = frozenset("*?[{")
SAMPLE_FILES = 1000


@dataclass(frozen=True)
class Landing:
    """A path as the learner wrote it, which may be a pattern, and the filters on it."""

    path: str
    name_filter: str | None = None
    recursive: bool = False

    @property
    def root(self) -> str:
        """The folder below which all files are: a pattern's part before its first special character."""
        path = Path(local(self.path))
        plain = list(path.parts)
        for place, part in enumerate(plain):
            if _GLOB & set(part):
                return str(Path(*plain[:place]))
        return str(path)

    def check(self) -> None:
        """Refuse a folder that is not there, and partition folders."""
        if not os.path.exists(self.root):
            raise LandingFolderNotFound(f"The folder {self.path} does not exist. Create it or correct the path.")
        for folder, _, names in os.walk(self.root) if not self.recursive else ():
            inner = os.path.relpath(folder, self.root)
            if names and "=" in inner:
                raise UnsupportedPath(
                    f"{self.path} has the partition folder {inner} (name=value). Partition columns are not supported "
                    "here yet: land the files elsewhere, or set recursiveFileLookup to true to do without them.")

    def sample(self) -> list[str]:
        """The files to infer from, by name; at most 1000, as on Databricks."""
        files = self.files()[:SAMPLE_FILES]
        if not files:
            raise EmptyLandingFolder(f"The schema cannot be inferred: {self.path} holds no files"
                                     f"{f' named {self.name_filter}' if self.name_filter else ''}. "
                                     "Land a file there first, or give the schema with .schema(…).")
        return files

    def files(self) -> list[str]:
        """All files that the stream would read now, by name."""
        return sorted(self._files())

    def _files(self) -> Iterator[str]:
        if os.path.isfile(self.root):
            yield self.root
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(("_", "."))]
            for name in names:
                path = os.path.join(folder, name)
                if not name.startswith(("_", ".")) and self._wanted(path):
                    yield path

    def _wanted(self, path: str) -> bool:
        pattern = local(self.path)
        inside = pattern == self.root or _matches(path, pattern) or any(
            _matches(str(parent), pattern) for parent in Path(path).parents)
        return inside and (not self.name_filter or _matches(os.path.basename(path), self.name_filter))


def local(path: str) -> str:
    """The file system's name of a path or a `file:` URI."""
    parts = urlsplit(path)
    if parts.scheme == "file":
        return unquote(parts.path).rstrip("/") or "/"
    if (parts.scheme and "://" in path) or path.startswith("dbfs:"):
        raise UnsupportedPath(f"{path} is not a local folder. Auto Loader reads local folders here; give a path "
                              "such as the one that lab.volume(…) returns.")
    return os.path.abspath(path)


def _matches(path: str, pattern: str) -> bool:
    return any(path.count("/") == each.count("/") and fnmatch.fnmatchcase(path, each)
               for each in _alternatives(pattern))


def _alternatives(pattern: str) -> list[str]:
    """A pattern with `{a,b}` as one pattern for each."""
    start = pattern.find("{")
    end = pattern.find("}", start)
    if start < 0 or end < 0:
        return [pattern]
    return [whole for part in pattern[start + 1:end].split(",")
            for whole in _alternatives(pattern[:start] + part + pattern[end + 1:])]
