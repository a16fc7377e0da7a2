"""Notebooks under nbval: a solution has to be right in everything, a lesson only has to run to its end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
#: The notebooks of a job's tasks run as tasks; alone they have no parameters.
collect_ignore_glob = ["lessons/retail_job/*", "solutions/retail_job/*"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A notebook's kernel starts in its first cell's set-up and takes over the environment that it finds."""
    if item.path.suffix == ".ipynb":
        os.environ["LAKEPREP_STRICT"] = "1" if item.path.is_relative_to(ROOT / "solutions") else "0"
