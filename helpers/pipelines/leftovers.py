"""What is left of a table whose making was cut off by the death of the server: a folder that Delta then refuses.

The catalog learns of a table last, so its folder may have its first commit, and no rows.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.pipelines.errors import condition
from helpers.pipelines.table_log import COMMIT, local_folder

_REFUSED = "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"
_CHECKPOINT = re.compile(r"\d{20}\.checkpoint.*|_last_checkpoint")
#: Seconds; somebody who still makes this table would have written since.
_QUIET = 10.0


def making(make: Callable[[], Any]) -> None:
    """Make a table, and again where a cut-off making of it was in the way."""
    try:
        make()
    except Exception as error:
        folder = _refused(error)
        if folder is None or not _cut_off(folder):
            raise
        _wait_until_quiet(folder)
        _make_anew(make, folder)


def _wait_until_quiet(folder: Path) -> None:
    """Wait for somebody who may be making this table right now."""
    while time.time() - _last_change(folder) < _QUIET:
        time.sleep(0.5)


def _make_anew(make: Callable[[], Any], folder: Path) -> None:
    """Make the table after what is left of it was removed, unless its other maker has come to an end meanwhile.

    A folder with rows or with any file outside its log is never touched.
    """
    try:
        make()
    except Exception as error:
        if _refused(error) != folder or not _cut_off(folder):
            raise
        shutil.rmtree(folder)
        make()


def _refused(error: BaseException) -> Path | None:
    if condition(error) != _REFUSED:
        return None
    return local_folder(getattr(error, "getMessageParameters", dict)().get("tableLocation"))


def _cut_off(folder: Path) -> bool:
    """Whether there is a log and nothing else, and no commit in it has ever added rows."""
    log = folder / "_delta_log"
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return log.is_dir() and all(log in path.parents and not _may_have_rows(path) for path in files)


def _may_have_rows(path: Path) -> bool:
    if COMMIT.fullmatch(path.name):
        try:
            return any("add" in json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line)
        except (OSError, ValueError, TypeError):
            return True
    return bool(_CHECKPOINT.fullmatch(path.name))


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
