"""The files that a COPY INTO means, and whether each can be read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pyarrow as pa

from helpers.autoloader.errors import AutoLoaderError, LandingFolderNotFound
from helpers.autoloader.landing import Landing, local, matches

if TYPE_CHECKING:
    from helpers.sql import CopyInto

_PIECE = 1 << 24


class EmptyCopySource(AutoLoaderError):
    """There is nothing that a statement could load, now or ever before."""

    def __init__(self, statement: CopyInto) -> None:
        super().__init__(
            f"COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED: {statement.path} did not contain any parsable files of type "
            f"{statement.format.upper()}. Correct the path, FILES or PATTERN, or let a file with rows arrive first. "
            "Folders below the path are not looked into, but for those of partitions (day=1).")


def named_files(landing: Landing, names: tuple[str, ...]) -> list[str]:
    """The files of FILES, whose names are relative to the path; each must be there."""
    files = [local(name) if ":" in name or name.startswith("/") else os.path.join(landing.root, name) for name in names]
    missing = next((file for file in files if not os.path.isfile(file)), None)
    if missing:
        raise LandingFolderNotFound(f"FILES names {missing}, which does not exist. Correct or remove the name.")
    return sorted(os.path.normpath(file) for file in files)


def matching_files(landing: Landing, pattern: str) -> list[str]:
    """The files whose path below the folder fits PATTERN."""
    landing.check()
    return [file for file in landing.files() if matches(os.path.relpath(file, landing.root), pattern)]


def all_files(landing: Landing) -> list[str]:
    """The files of the path; of its folders only partition folders (`day=1`), unless the lookup is recursive."""
    landing.check()
    return [file for file in landing.files() if landing.recursive or landing.is_direct(file)]


def is_readable(path: str, format: str) -> bool:
    """Whether a file can be read to its end: a whole Parquet or ORC file, or one that decompresses."""
    try:
        if format == "parquet":
            _read_parquet(path)
        elif format == "orc":
            _read_orc(path)
        else:
            _decompress(path)
    except (pa.ArrowException, OSError, ValueError):
        return False
    return True


def _read_parquet(path: str) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for _ in file.iter_batches():
            pass


def _read_orc(path: str) -> None:
    from pyarrow import orc

    file = orc.ORCFile(path)
    for stripe in range(file.nstripes):
        file.read_stripe(stripe)


def _decompress(path: str) -> None:
    with pa.input_stream(path, compression="detect") as stream:
        while stream.read(_PIECE):
            pass
