"""`test`: the linter, then every test in one pytest, in a home of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from helpers.commands.ready import fetch_jars
from helpers.runtime.places import REPO_ROOT, Places
from helpers.runtime.server import stop_server

BY_HAND = ("benchmarks", "soak")


def run_tests(arguments: Sequence[str], *, console: Console) -> int:
    """Give the exit code: pytest's, or ruff's when only ruff complains; `arguments` go to pytest."""
    fetch_jars(console)
    linted = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=REPO_ROOT).returncode
    # The learner's own tables and Spark server stay out of it.
    with tempfile.TemporaryDirectory(prefix="lakeprep-test-", ignore_cleanup_errors=True) as home:
        try:
            tested = subprocess.run(
                [sys.executable, "-m", "pytest", *pytest_arguments(REPO_ROOT, arguments)],
                cwd=REPO_ROOT,
                env={**os.environ, "LAKEPREP_HOME": home, "LAKEPREP_HEAP": "1g", "LAKEPREP_IDLE_SECONDS": "30"},
            ).returncode
        finally:
            stop_server(Places(Path(home)))
    return tested or linted


def pytest_arguments(root: Path, arguments: Sequence[str]) -> list[str]:
    """Name every notebook and suite that there is, and the user's own arguments last.

    The notebooks come first: their kernels need the home that the suites take out of the environment. The browser comes
    last: it leaves an event loop running until the end.
    """
    rooms = {path.parent.name for path in (root / "tests").glob("*/test_*.py")}.difference(BY_HAND)
    suites = [f"tests/{name}" for name in sorted(rooms, key=lambda name: (name != "unit", name == "browser", name))]
    notebooks = [
        path.relative_to(root).as_posix()
        for room in ("lessons", "solutions")
        for path in sorted((root / room).glob("*.ipynb"))
    ]
    return ["--nbval-lax", "--nbval-current-env", *notebooks, *suites, *arguments]
