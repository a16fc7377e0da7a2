"""dbutils.fs on local files and on volumes, whose folders are in the learner's home.

Imitates https://docs.databricks.com/dev-tools/databricks-utils.html; the names of parameters are those of the SDK.
"""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path

from helpers.errors import LakeprepError
from helpers.files import replace_file
from helpers.jobs.dbutils.parts import Part
from helpers.jobs.dbutils.paths import Found, find
from helpers.runtime.places import REPO_ROOT, Places

_NO_MOUNTS = "mounts are deprecated: use a volume, /Volumes/<catalog>/<schema>/<volume>/…"


class ExecutionError(LakeprepError):
    """A file operation that failed; the text begins with the name that Databricks' Java error has."""


class FileInfo(namedtuple("FileInfo", ["path", "name", "size", "modificationTime"])):
    """One entry of `ls`: a folder's name ends with `/` and its size is 0; the time is in milliseconds since 1970."""

    def isDir(self) -> bool:
        return self.name.endswith("/")

    def isFile(self) -> bool:
        return not self.isDir()


class Fs(Part):
    """Files and folders, local and in volumes."""

    _name = "dbutils.fs"
    _instead = dict.fromkeys(("mount", "mounts", "unmount", "updateMount", "refreshMounts"), _NO_MOUNTS)

    def __init__(self, places: Places) -> None:
        self._places = places

    def ls(self, path: str) -> list[FileInfo]:
        """List a folder by name, or one file."""
        found = self._existing(path)
        if found.local.is_file():
            return [_info(found)]
        return [_info(found.child(name)) for name in sorted(os.listdir(found.local))]

    def cp(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Copy a file, or with recurse what is in a folder; what is there already is replaced."""
        origin, target = self._existing(source), find(dest, self._places)
        if origin.local.is_dir():
            _copy_folder(origin, target, recurse=recurse)
        else:
            _copy_file(origin, target)
        return True

    def mv(self, source: str, dest: str, recurse: bool = False) -> bool:
        """Copy, then remove the source."""
        origin = self._existing(source)
        self._removable(origin)
        self.cp(source, dest, recurse)
        return self.rm(source, recurse)

    def rm(self, dir: str, recurse: bool = False) -> bool:
        """Remove a file, an empty folder, or with recurse any folder; False when there is none."""
        found = find(dir, self._places)
        if not os.path.lexists(found.local):
            return False
        self._removable(found)
        if not found.local.is_dir() or found.local.is_symlink():
            found.local.unlink()
        elif recurse:
            shutil.rmtree(found.local)
        elif any(found.local.iterdir()):
            raise ExecutionError(f"java.io.IOException: {found.shown} is a folder that is not empty; pass recurse=True")
        else:
            found.local.rmdir()
        return True

    def mkdirs(self, dir: str) -> bool:
        """Make a folder, and those above it, unless it is there."""
        found = find(dir, self._places)
        _make(found.local, found)
        return True

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        """Write a text as UTF-8; a file that is there is replaced with overwrite only."""
        found = find(file, self._places)
        if found.is_folder:
            raise ExecutionError(f"java.io.IOException: {found.shown} is a folder; name a file")
        if found.local.exists() and not overwrite:
            said = f"{found.shown} is there already; pass overwrite=True"
            raise ExecutionError(f"java.nio.file.FileAlreadyExistsException: {said}")
        content = contents.encode()
        _make(found.local.parent, found)
        replace_file(found.local, content)
        print(f"Wrote {len(content)} bytes.")
        return True

    def head(self, file: str, max_bytes: int = 65536) -> str:
        """Give the beginning of a file as text."""
        found = self._existing(file)
        if found.local.is_dir():
            raise ExecutionError(f"java.io.IOException: {found.shown} is a folder; name a file")
        with found.local.open("rb") as opened:
            content = opened.read(max_bytes)
            if opened.read(1):
                print(f"[Truncated to first {max_bytes} bytes]")
        return content.decode("utf-8", errors="replace")

    def _existing(self, path: str) -> Found:
        found = find(path, self._places)
        if not found.local.exists():
            raise ExecutionError(f"java.io.FileNotFoundException: No such file or directory {found.shown}")
        return found

    def _removable(self, found: Found) -> None:
        """A path that is harmless on Databricks, such as `/`, is this machine's own here."""
        kept = [Path.home(), Path.cwd(), REPO_ROOT, self._places.root, self._places.volumes]
        local = Path(os.path.realpath(found.local))
        for folder in map(Path.resolve, kept):
            if local == folder or local in folder.parents:
                raise ExecutionError(f"java.io.IOException: {found.shown} is not removed here: {folder} is in it")


def _info(found: Found) -> FileInfo:
    stat = found.local.lstat() if found.local.is_symlink() else found.local.stat()
    is_folder = found.local.is_dir()
    end, size = ("/", 0) if is_folder else ("", stat.st_size)
    return FileInfo(found.shown + end, found.local.name + end, size, int(stat.st_mtime * 1000))


def _make(folder: Path, wanted: Found) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ExecutionError(f"java.io.IOException: a file is in the way of {wanted.shown}") from None


def _copy_file(origin: Found, target: Found) -> None:
    end = target.child(origin.local.name) if target.is_folder else target
    if end.local.exists() and end.local.samefile(origin.local):
        raise ExecutionError(f"java.io.IOException: {origin.shown} and {end.shown} are the same file")
    _make(end.local.parent, end)
    _copy_whole(origin.local, end.local)


def _copy_whole(origin: str | os.PathLike[str], end: str | os.PathLike[str]) -> None:
    """Under a hidden name until it is whole: somebody may wait for the file."""
    target = Path(end)
    half = target.with_name(f".{target.name}.{os.getpid()}.part")
    shutil.copyfile(origin, half)
    half.replace(target)


def _copy_folder(origin: Found, target: Found, *, recurse: bool) -> None:
    if not recurse:
        raise ExecutionError(f"java.io.IOException: {origin.shown} is a folder; pass recurse=True")
    inside = Path(os.path.realpath(target.local))
    folder = Path(os.path.realpath(origin.local))
    if inside == folder or folder in inside.parents:
        raise ExecutionError(f"java.io.IOException: {target.shown} is in {origin.shown} itself")
    _make(target.local, target)
    shutil.copytree(origin.local, target.local, dirs_exist_ok=True, symlinks=origin.root is not None,
                    copy_function=_copy_whole)  # fmt: skip
