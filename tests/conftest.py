"""The repository's root is importable, and no setting of the developer's machine reaches a test."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

_KEPT = ("LAKEPREP_JAVA", "LAKEPREP_HEAP", "LAKEPREP_IVY_SETTINGS")
_ELSEWHERE = ("SPARK_REMOTE", "DATABRICKS_RUNTIME_VERSION")


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> None:
    """Remove what would make a test use another server, home or port than its own."""
    for name in list(os.environ):
        if name in _ELSEWHERE or (name.startswith("LAKEPREP_") and name not in _KEPT):
            del os.environ[name]
    # A smaller server is enough for tests, so that they also run beside one that a developer uses.
    os.environ.setdefault("LAKEPREP_HEAP", "1g")
