"""The folder that a stream reads: is it there, and which of its files serve as the sample."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from urllib.parse import unquote, urlsplit

from helpers.autoloader.errors import EmptyLandingFolder, LandingFolderNotFound, UnsupportedPath

_GLOB = frozenset("*?[{")
SAMPLE_FILES, SAMPLE_BYTES = 1000, 50 * 1024**3
# What Hive calls the folder of rows without a value.
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Landing:
    """A path as the learner wrote it, which may be a pattern, and the filters on it.

    Times are seconds since 1970; the files of `without` are left out of a stream, but not out of its sample.
    """

    path: str
    name_filter: str | None = None
    recursive: bool = False
    modified_after: float | None = None
    modified_before: float | None = None
    without: frozenset[str] = frozenset()
    sample_files: int = SAMPLE_FILES
    sample_bytes: int = SAMPLE_BYTES

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
        """Refuse a folder that is not there."""
        if not os.path.exists(self.root):
            raise LandingFolderNotFound(f"The folder {self.path} does not exist. Create it or correct the path.")

    def partitions(self, path: str) -> dict[str, str | None]:
        """The columns that a file's folders name (`day=1`), below the path; the first of two with one name wins."""
        found: dict[str, str | None] = {}
        for part in Path(os.path.relpath(os.path.dirname(path), self.root)).parts:
            name, sign, value = part.partition("=")
            if sign and name and name.lower() not in {each.lower() for each in found}:
                found[unquote(name)] = None if value == NO_VALUE else unquote(value)
        return found

    def is_direct(self, path: str) -> bool:
        """Whether only partition folders (`day=1`) are between the path, or a folder it means, and the file."""
        pattern, parts = local(self.path), Path(path).parents
        for parent in parts:
            if str(parent) == self.root or matches(str(parent), pattern):
                return True
            if "=" not in parent.name:
                return matches(path, pattern)
        return False

    def sample(self) -> list[str]:
        """The files to infer from, by name: the first 1000 files or 50 GB, whichever comes first."""
        files = self.files()[:self.sample_files]
        if not files:
            raise EmptyLandingFolder(f"The schema cannot be inferred: {self.path} holds no files"
                                     f"{f' named {self.name_filter}' if self.name_filter else ''}. "
                                     "Land a file there first, or give the schema with .schema(…).")
        before = accumulate((os.path.getsize(path) for path in files), initial=0)
        return [path for path, size in zip(files, before, strict=False) if not size or size < self.sample_bytes]

    def files(self) -> list[str]:
        """All files that the stream would read now, by name."""
        return sorted(self._files())

    def _files(self) -> Iterator[str]:
        if os.path.isfile(self.root):
            yield self.root
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not _is_hidden(name)]
            for name in names:
                path = os.path.join(folder, name)
                if not _is_hidden(name) and self._wanted(path):
                    yield path

    def _wanted(self, path: str) -> bool:
        pattern = local(self.path)
        inside = pattern == self.root or matches(path, pattern) or any(
            matches(str(parent), pattern) for parent in Path(path).parents)
        named = not self.name_filter or matches(os.path.basename(path), self.name_filter)
        return inside and named and self._in_time(path)

    def _in_time(self, path: str) -> bool:
        if self.modified_after is None and self.modified_before is None:
            return True
        modified = os.path.getmtime(path)
        return (self.modified_after is None or modified > self.modified_after) and (
            self.modified_before is None or modified < self.modified_before)


def _is_hidden(name: str) -> bool:
    """Whether Spark passes over a file or a folder of this name; a partition folder may begin with `_`."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name) or name.endswith("._COPYING_")


def local(path: str) -> str:
    """The file system's name of a path or a `file:` URI."""
    parts = urlsplit(path)
    if parts.scheme == "file":
        return unquote(parts.path).rstrip("/") or "/"
    if (parts.scheme and "://" in path) or path.startswith("dbfs:"):
        raise UnsupportedPath(f"{path} is not a local folder. Auto Loader reads local folders here; give a path "
                              "such as the one that lab.volume(…) returns.")
    return os.path.abspath(path)


def escaped(path: str) -> str:
    """A path as Spark reads it, which takes every path for a pattern."""
    return "".join(f"\\{char}" if char in "*?[]{}\\" else char for char in path)


def matches(path: str, pattern: str) -> bool:
    """Whether a path with as many parts fits a pattern, which may have `{a,b}`."""
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
