"""A lesson runs on a session and volumes that it did not make, as on Databricks; all lessons do so in tests/soak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.progress import Progress
from tests.notebooks.databricks import ambient, volumes

__all__ = ["ambient", "volumes"]


def test_a_lesson_runs_on_a_session_and_volumes_that_it_did_not_make(
    volumes: Path, ambient: dict[str, str], papermill: Callable[..., Any], tmp_path: Path
) -> None:
    done = papermill("solutions/05_auto_loader.ipynb", environ={**ambient, "LAKEPREP_STRICT": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    assert not (tmp_path / "nowhere").exists()
    files = list((tmp_path / "volumes" / "spark_catalog").glob("lakeprep_*/state/progress.jsonl"))
    assert len(files) == 1
    assert all(state.correct for state in Progress(files[0]).exercises.values())
