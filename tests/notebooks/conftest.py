"""Notebooks are run as batch jobs run them: by papermill, from a folder that is not theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from helpers.runtime import REPO_ROOT, Places

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def papermill(places: Places, spark: object, tmp_path: Path) -> Run:
    """Run a notebook of the repository with papermill in an empty folder; the server is the suite's own."""

    def run(notebook: str, *, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "papermill", str(REPO_ROOT / notebook), str(tmp_path / "out.ipynb"),
             "--kernel", "python3", "--no-progress-bar"],
            capture_output=True, text=True, cwd=tmp_path,
            # A notebook in a foreign folder finds its helpers as an installed package would be found.
            env={**os.environ, "LAKEPREP_HOME": str(places.root), "PYTHONPATH": str(REPO_ROOT), **environ},
        )

    return run
