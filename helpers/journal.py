"""A file of JSON lines that a kill cannot damage, and that loses no readable line when something else did."""

from __future__ import annotations

import contextlib
import errno
import glob
import itertools
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from helpers.errors import LakeprepError
from helpers.files import replace_file, sync_folder
from helpers.turns import LockHeld, locked

Event = TypeVar("Event")

_OPENING = b'{"version":'  # how every line begins, so that half a line is known as such
_PATIENCE_SECONDS = 10.0
_NO_APPEND = frozenset({errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS, errno.ESPIPE})


class JournalUnavailable(LakeprepError):
    """The file could not be read or written."""


@dataclass(frozen=True)
class Content(Generic[Event]):
    """What a file says; `lines` are the ones to keep, `unknown` of them are written by a newer Lakeprep."""

    events: tuple[Event, ...] = ()
    lines: tuple[bytes, ...] = ()
    unknown: int = 0
    damaged: int = 0


class Journal(Generic[Event]):
    """Appends records and reads them back; `parse` gives an event, None for a newer record, ValueError for damage."""

    def __init__(self, path: Path, *, parse: Callable[[Any], Event | None]) -> None:
        self.path = path
        self._parse = parse

    def stamp(self) -> tuple[int, ...] | None:
        """Something that changes when the file does."""
        try:
            found = os.stat(self.path)
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def read(self) -> Content[Event]:
        """Read every line; what is damaged is set aside first, and is counted only where that could not be done."""
        content = self.content(self.path)
        if not content.damaged:
            return content
        try:
            with self._alone():
                self._set_aside()
        except (OSError, JournalUnavailable):
            return content
        return self.content(self.path)

    def aside(self) -> tuple[Path, ...]:
        """The damaged files that were set aside, oldest first."""
        pattern = f"{glob.escape(self.path.stem)}.damaged-*{self.path.suffix}"
        return tuple(sorted(self.path.parent.glob(pattern), key=lambda path: (len(path.name), path.name)))

    def content(self, path: Path) -> Content[Event]:
        """Sort the lines of a file; a last line that a kill cut short counts as nothing."""
        *lines, tail = _read(path).split(b"\n")
        events, kept, damaged = [], [], 0
        for line in (*lines, b"" if _is_torn(tail) else tail):
            if not line.strip():
                continue
            try:
                events.append(self._parse(json.loads(line.decode("utf-8"))))
            except (ValueError, RecursionError):
                damaged += 1
            else:
                kept.append(line)
        known = tuple(event for event in events if event is not None)
        return Content(known, tuple(kept), len(events) - len(known), damaged)

    def append(self, record: Mapping[str, Any]) -> None:
        """Add one record, which is on the disk when this returns; its first key is "version"."""
        line = json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._alone():
                self._append(line)
        except OSError as error:
            raise JournalUnavailable(
                f"{self.path} could not be written: {error.strerror or error}. "
                "Free some space or make the folder writable, then do the last step again."
            ) from error

    def _append(self, line: bytes) -> None:
        try:
            _append_line(self.path, line)
        except OSError as error:
            if error.errno not in _NO_APPEND:
                raise
            # Object storage behind a mount takes whole files only.
            lines = self.content(self.path).lines
            replace_file(self.path, b"".join(kept + b"\n" for kept in lines) + line)

    def _set_aside(self) -> None:
        content = self.content(self.path)
        if not content.damaged:  # another process was faster
            return
        whole = _read(self.path)
        # A kill after the copy was made finds it again.
        copy = next(path for path in self._asides() if not path.exists() or _read(path) == whole)
        if not copy.exists():
            replace_file(copy, whole)
        replace_file(self.path, b"".join(line + b"\n" for line in content.lines))

    def _asides(self) -> Iterator[Path]:
        for number in itertools.count(1):
            yield self.path.with_name(f"{self.path.stem}.damaged-{number}{self.path.suffix}")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(self.path.with_name(f"{self.path.name}.lock"), patience=_PATIENCE_SECONDS))
            except LockHeld:
                raise JournalUnavailable(
                    f"Another process has kept {self.path}.lock for {_PATIENCE_SECONDS:.0f} seconds. "
                    "Close the notebook or command that hangs, then do the last step again."
                ) from None
            yield


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise JournalUnavailable(
            f"{path} could not be read: {error.strerror or error}. Make it readable, or move it away."
        ) from error


def _is_torn(tail: bytes) -> bool:
    """Tell the beginning of a line of ours from other damage; a line that only lacks its end of line is whole."""
    if not (tail.startswith(_OPENING) or _OPENING.startswith(tail)) or not tail.isascii():
        return False
    try:
        json.loads(tail)
    except (ValueError, RecursionError):
        return True
    return False


def _append_line(path: Path, line: bytes) -> None:
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        left = memoryview(_end_last_line(path, descriptor) + line)
        while left:
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if new:
        sync_folder(path.parent)


def _end_last_line(path: Path, descriptor: int) -> bytes:
    """Cut off half a line; give the end of line that a whole one lacks."""
    size = os.fstat(descriptor).st_size
    if not size or os.pread(descriptor, 1, size - 1) == b"\n":
        return b""
    tail = _read(path).rpartition(b"\n")[2]
    if not _is_torn(tail):
        return b"\n"
    os.ftruncate(descriptor, size - len(tail))
    return b""
