"""What a stream of files has noted in its checkpoint: Spark's own logs of the files met and of the batches committed.

`sources/<n>/` has one log file for each look that found files, and now and then one file with all that came before.
`offsets/<batch>` says up to which look a micro-batch goes; `commits/<batch>` is there once it has been written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.autoloader.errors import AutoLoaderError
from helpers.files import replace_file

Entry = dict[str, Any]


class DamagedStreamLog(AutoLoaderError):
    """A file of a checkpoint that is not what Spark wrote."""


@dataclass(frozen=True)
class SourceLog:
    """The log of source `number` of the stream whose checkpoint is `checkpoint`."""

    checkpoint: Path
    number: int

    @property
    def folder(self) -> Path:
        """Where the log's files are."""
        return self.checkpoint / "sources" / str(self.number)

    def files(self) -> list[Path]:
        """The files of the log, older ones first."""
        found = [path for path in self.folder.iterdir() if path.suffix in ("", ".compact") and path.stem.isdigit()]
        return sorted(found, key=lambda path: (int(path.stem), path.suffix))

    def entries(self) -> Iterator[Entry]:
        """A file of `path`, `timestamp` (its modification time in milliseconds) and `batchId` (the look), each once."""
        known: set[tuple[str, int]] = set()
        for path in self.files():
            for entry in read_entries(path):
                if (key := (entry["path"], entry["batchId"])) not in known:
                    known.add(key)
                    yield entry

    def looks(self) -> dict[int, int]:
        """The last look of each micro-batch that was planned, by batch; Spark keeps some hundred of them."""
        found = {}
        for path in (self.checkpoint / "offsets").glob("*"):
            if path.name.isdigit() and (look := self._look(path)) is not None:
                found[int(path.name)] = look
        return dict(sorted(found.items()))

    def committed(self) -> int:
        """The last look that is part of a committed micro-batch; -1 before the first."""
        return max((look for batch, look in self.looks().items() if self.commit(batch).exists()), default=-1)

    def commit(self, batch: int) -> Path:
        """The file that says that a micro-batch was written."""
        return self.checkpoint / "commits" / str(batch)

    def _look(self, path: Path) -> int | None:
        """Line 3 of an offset file is source 0's; a source that had nothing yet has a dash."""
        try:
            line = path.read_text(encoding="utf-8").splitlines()[2 + self.number]
            return None if line == "-" else int(json.loads(line)["logOffset"])
        except (ValueError, KeyError, TypeError, IndexError, OSError) as error:
            raise DamagedStreamLog(f"{path} does not say how far the stream has read ({error!r}). Restore the "
                                   "checkpoint, or give the stream a new one, which reads all files anew.") from error


def source_logs(checkpoint: Path) -> list[SourceLog]:
    """The logs of a stream's sources of files; none before its first run."""
    found = (path for path in (checkpoint / "sources").glob("*") if path.is_dir() and path.name.isdigit())
    return sorted((SourceLog(checkpoint, int(path.name)) for path in found if _has_files(path)),
                  key=lambda log: log.number)


def read_entries(path: Path) -> list[Entry]:
    """The lines of a log's file, whose first is its version."""
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[1:] if line]
    except (ValueError, OSError) as error:
        raise DamagedStreamLog(f"{path} of the stream's checkpoint is damaged ({error}). Restore it, or give the "
                               "stream a new checkpoint, which reads all files anew.") from error


def rewrite(path: Path, change: Callable[[Entry], Entry | None]) -> None:
    """Replace a log's file by what `change` makes of its entries (None leaves one out), all at once or not at all."""
    before = read_entries(path)
    after = [each for each in map(change, before) if each is not None]
    if after != before:
        _replace(path, after)


def modified(path: Path) -> datetime | None:
    """When a file was written, in UTC; None where there is none."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None


def _has_files(folder: Path) -> bool:
    return any(path.stem.isdigit() for path in folder.iterdir())


def _replace(path: Path, entries: Iterable[Entry]) -> None:
    version = path.read_text(encoding="utf-8").partition("\n")[0]
    # Hadoop's checksum of what was there before; without one it reads the file as it is.
    (path.parent / f".{path.name}.crc").unlink(missing_ok=True)
    times = path.stat()
    replace_file(path, "\n".join([version, *(json.dumps(each, separators=(",", ":")) for each in entries)]).encode())
    # When the files were found is when the log was written.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
