"""A file that is whole or, whatever happens, what it was before."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Write beside the file and put it in place at once; the folder must exist.

    `durable` makes it outlive a power cut too, which costs some milliseconds; a kill tears it in neither case.
    """
    with _draft(path, content, durable=durable) as draft:
        os.replace(draft, path)
    if durable:
        sync_folder(path.parent)


def write_once(path: Path, content: bytes) -> bool:
    """Write a file that is never changed again; False, and nothing is changed, where another writer was first."""
    with _draft(path, content, durable=True) as draft:
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Make a new name in the folder outlive a power cut; some mounts cannot do it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _draft(path: Path, content: bytes, *, durable: bool) -> Iterator[Path]:
    """Write the content under a hidden name of its own, which is gone when the block ends."""
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}.part")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
