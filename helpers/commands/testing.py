"""`test`: the linter, then every test, in two lanes side by side."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from rich.console import Console

from helpers.commands.ready import fetch_jars
from helpers.runtime.places import REPO_ROOT, Places
from helpers.runtime.server import stop_server

BY_HAND = ("benchmarks", "soak")
#: Suites of the first of two lanes that take about as long; the second has all others.
FIRST_LANE = ("exercises", "lifecycle", "notebooks", "retail")
#: Notebooks are dealt to the lanes as cards are, there and back, since they grow with their numbers.
_DEALT = (0, 1, 1, 0)
_NOTEBOOKS = ("--nbval-lax", "--nbval-current-env")
#: What pytest gives when its arguments leave no test.
_NOTHING_CHOSEN = 5
#: The tables of tests are small and their servers live for minutes: Java's second compiler costs more than it gives,
#: and so does the code that Spark writes and compiles for each query (a third of an update's time).
_QUICK = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC "
    "-Dspark.sql.codegen.factoryMode=NO_CODEGEN -Dspark.sql.codegen.wholeStage=false"
)
#: All Spark tests share a server. Spark Connect keeps each stream that has ended for an hour, and Delta each table, a
#: megabyte of plans or so: together they fill the first gigabyte.
SMALL_SERVER = {"LAKEPREP_HEAP": "2g", "LAKEPREP_JAVA_OPTIONS": _QUICK}


def run_tests(arguments: Sequence[str], *, console: Console) -> int:
    """Give the exit code: pytest's, or ruff's when only ruff complains; `arguments` go to pytest."""
    fetch_jars(console)
    linted = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=REPO_ROOT).returncode
    first, second = ([sys.executable, "-m", "pytest", *lane, *arguments] for lane in lanes(REPO_ROOT))
    # The learner's own tables and Spark server stay out of it.
    with tempfile.TemporaryDirectory(prefix="lakeprep-test-", ignore_cleanup_errors=True) as home:
        environment = {**os.environ, **SMALL_SERVER, "LAKEPREP_HOME": home, "LAKEPREP_IDLE_SECONDS": "30"}
        try:
            codes = side_by_side(first, second, environment, console=console)
        finally:
            stop_server(Places(Path(home)))
    return worst(codes) or linted


def lanes(root: Path) -> tuple[list[str], list[str]]:
    """Name every notebook and suite that there is, in two parts that take about as long as each other.

    So the solutions run two at a time. The notebooks come first: their kernels need the home that the suites take out
    of the environment. The browser comes last: it leaves an event loop running until the end.
    """
    rooms = {path.parent.name for path in (root / "tests").glob("*/test_*.py")}.difference(BY_HAND)
    suites = sorted(rooms, key=lambda name: (name != "unit", name == "browser", name))
    found = [sorted((root / room).glob("*.ipynb")) for room in ("solutions", "lessons")]
    dealt = [(_DEALT[place % 4], path) for notebooks in found for place, path in enumerate(notebooks)]
    dealt += [(0 if name in FIRST_LANE else 1, root / "tests" / name) for name in suites]
    first, second = ([path.relative_to(root).as_posix() for lane, path in dealt if lane == own] for own in (0, 1))
    return [*_NOTEBOOKS, *first], [*_NOTEBOOKS, "-o", "cache_dir=.pytest_cache/second", *second]


def side_by_side(
    shown: Sequence[str], kept: Sequence[str], environment: Mapping[str, str], *, console: Console
) -> tuple[int, int]:
    """Run both, show what the first one says as it says it and then what the second said; give their exit codes."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        second = subprocess.Popen(kept, cwd=REPO_ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT)
        try:
            first = subprocess.run(shown, cwd=REPO_ROOT, env=environment).returncode
            if second.poll() is None:
                console.print("The tests beside these are not done yet …", highlight=False)
            codes = first, second.wait()
        finally:
            second.terminate()
            second.wait()
            _print_all(said)
    return codes


def _print_all(said: IO[str]) -> None:
    said.seek(0)
    for line in said:
        sys.stdout.write(line)
    sys.stdout.flush()


def worst(codes: Sequence[int]) -> int:
    """One exit code for several: the first that is a failure; no test in one is well where another had some."""
    failed = [code for code in codes if code not in (0, _NOTHING_CHOSEN)]
    return failed[0] if failed else min(codes)
