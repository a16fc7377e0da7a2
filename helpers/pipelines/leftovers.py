"""What is left of a table whose making was cut off by the death of the server: a folder that Delta then refuses."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.pipelines.errors import condition

_REFUSED = "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION"
_COMMITTED = re.compile(r"\d{20}\.(json|checkpoint.*)|_last_checkpoint")
#: Seconds; somebody who still makes this table would have written since.
_QUIET = 10.0


def making(make: Callable[[], Any]) -> None:
    """Make a table, a second time where a cut-off making of it was in the way."""
    try:
        make()
    except Exception as error:
        if not clear_after(error):
            raise
        make()


def clear_after(error: BaseException) -> bool:
    """Remove what a cut-off CREATE left, if that is what the error is about; True when the CREATE may be tried again.

    A folder with a commit or with any file outside its log is never touched.
    """
    folder = _refused(error)
    if folder is None or not _cut_off(folder):
        return False
    while time.time() - _last_change(folder) < _QUIET:
        time.sleep(0.5)
        if not _cut_off(folder):
            return True  # it was not cut off: the other maker has just committed
    shutil.rmtree(folder)
    return True


def _refused(error: BaseException) -> Path | None:
    if condition(error) != _REFUSED:
        return None
    location = str(getattr(error, "getMessageParameters", dict)().get("tableLocation", ""))
    return Path(re.sub("^file:/*", "/", location)) if location.startswith("file:") else None


def _cut_off(folder: Path) -> bool:
    log = folder / "_delta_log"
    files = [path for path in folder.rglob("*") if not path.is_dir()]
    return log.is_dir() and all(log in path.parents and not _COMMITTED.fullmatch(path.name) for path in files)


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
