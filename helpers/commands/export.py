"""`export`: the archive that a workspace imports."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from helpers.deploy import write_archive
from helpers.runtime.places import REPO_ROOT


def export_repository(file: Path, *, console: Console, root: Path = REPO_ROOT) -> None:
    """Write the archive and say what to do with it."""
    number = write_archive(file, repository=root)
    size = file.stat().st_size / 1e6
    for line in (
        f"Wrote {file}: {number} files, {size:.1f} MB.",
        "In a workspace: Workspace, Home, then Import in the menu at the top right, and this file.",
        "With the Databricks CLI: unzip it, then `databricks workspace import-dir lakeprep /Users/YOU/lakeprep`.",
        "Then open lessons/00_start_here there.",
    ):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
