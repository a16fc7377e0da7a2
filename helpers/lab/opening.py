"""Open a lesson: one notebook at a time, in its own schema."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from helpers.errors import LakeprepError
from helpers.lab.site import site_of
from helpers.lab.world import Lab
from helpers.runtime import Places, attach, on_databricks


class LessonOpen(LakeprepError):
    """Another notebook has this lesson open."""


def open_lab(name: str) -> Lab:
    """Attach to Spark and use the lesson's own schema; what an earlier session made is still there.

    ``name`` is the lesson's, such as ``"05_auto_loader"``. Raises :class:`LessonOpen` when another process has it open.
    """
    places = Places.from_environment()
    if not on_databricks():
        _claim(name, places.home / "lessons")
    spark = attach(places)
    site = site_of(name, places=places, spark=spark)
    site.use(spark)
    _databricks_imports()
    return Lab(name, spark, site, places)


def _claim(name: str, folder: Path) -> None:
    """Hold the lesson's lock until this process ends; to open the lesson again in the same notebook is fine."""
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(folder / f"{name}.lock", is_singleton=True), folder / f"{name}.pid"
    if lock.is_locked:
        return
    try:
        lock.acquire(timeout=0)
    except Timeout:
        who = ""
        with contextlib.suppress(OSError):
            who = f" (process {holder.read_text(encoding='utf-8')})"
        raise LessonOpen(
            f"Lesson {name} is open in another notebook{who}. Two of them would write to the same tables. "
            "Shut the other one's kernel down (in JupyterLab: Kernel, Shut Down Kernel), then run this cell again."
        ) from None
    _HELD.append(lock)
    holder.write_text(str(os.getpid()), encoding="utf-8")


#: A lock is given back when nobody holds the object; a lesson's lasts as long as its kernel.
_HELD: list[object] = []


def _databricks_imports() -> None:
    """From here on, ``from pyspark import pipelines as dp`` gives our decorators, which know expectations."""
    import pyspark

    from helpers.pipelines import dp

    if not on_databricks():
        from helpers.pipelines import open_source  # noqa: F401 - it holds what is about to be replaced

    sys.modules["pyspark.pipelines"] = dp
    pyspark.pipelines = dp  # type: ignore[attr-defined]
