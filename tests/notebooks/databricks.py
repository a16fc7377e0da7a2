"""Databricks, as far as a laptop can play it: an ambient Connect session, volumes below /Volumes, and no widgets.

What stands in for the platform: its session is ours (its Auto Loader is ours too), it answers CREATE VOLUME
and LIST, and /Volumes is a link to a temporary folder, which only root can make. No workspace is involved.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

VOLUMES = Path("/Volumes")
AMBIENT = '''
import builtins, os, re, sys
from pathlib import Path

class NoWidgets:
    """What a notebook without a widget front end finds."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("ipywidgets", "deltalake", "filelock", "papermill", "psutil"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

if os.environ.get("LAKEPREP_SIMULATED"):
    from helpers.runtime import Places, attach

    home = Places(Path(os.environ["LAKEPREP_SIMULATED"]))
    spark = attach(home, environ={})
    plain = type(spark)

    class Ambient(plain):
        def sql(self, query, *args, **kwargs):
            volume = re.fullmatch(r"CREATE VOLUME IF NOT EXISTS `?(\\w+)`?\\.`?(\\w+)`?", query)
            if volume:
                Path("/Volumes", os.environ["LAKEPREP_CATALOG"], *volume.groups()).mkdir(parents=True, exist_ok=True)
                query = "SELECT 1"
            listed = re.fullmatch(r"LIST '(/Volumes/[^']+)'", query)
            if listed:
                entries = [(str(each), each.name, each.stat().st_size) for each in Path(listed[1]).iterdir()]
                return self.createDataFrame(entries, "path string, name string, size bigint")
            return super().sql(query, *args, **kwargs)

    spark.__class__ = Ambient

    def displayHTML(html):
        """Plotly looks for the platform's own, and takes a notebook for Databricks' by these names."""

    display = builtins.print
    os.environ["DATABRICKS_RUNTIME_VERSION"] = "17.3"
    hidden = ("deltalake", "filelock", "papermill", "psutil")
    for name in [each for each in sys.modules if each.split(".")[0] in hidden]:
        del sys.modules[name]
    sys.meta_path.insert(0, NoWidgets())
'''


@pytest.fixture
def volumes(tmp_path: Path) -> Iterator[Path]:
    """/Volumes, for as long as a test runs; another run of the tests on this machine waits for it."""
    with FileLock(Path(tempfile.gettempdir()) / "lakeprep_volumes.lock", timeout=900):
        yield from _linked(tmp_path)


def _linked(tmp_path: Path) -> Iterator[Path]:
    if VOLUMES.is_symlink() and VOLUMES.readlink().is_relative_to(tmp_path.parents[1]):
        VOLUMES.unlink()  # a test that was killed has left it: a running one holds the lock
    if VOLUMES.exists() or VOLUMES.is_symlink():
        pytest.fail(f"{VOLUMES} exists: remove it, the test wants to put a link there.")
    try:
        VOLUMES.symlink_to(tmp_path / "volumes")
    except PermissionError:
        if os.environ.get("CI"):
            raise
        pytest.skip("only root can make /Volumes")
    (tmp_path / "volumes").mkdir()
    try:
        yield VOLUMES
    finally:
        VOLUMES.unlink()


@pytest.fixture
def ambient(places: Any, tmp_path: Path) -> dict[str, str]:
    """The environment of a kernel that finds its session ready."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00_ambient.py").write_text(AMBIENT, encoding="utf-8")
    return {"IPYTHONDIR": str(tmp_path / "ipython"), "LAKEPREP_SIMULATED": str(places.root),
            "LAKEPREP_CATALOG": "spark_catalog", "LAKEPREP_HOME": str(tmp_path / "nowhere")}
