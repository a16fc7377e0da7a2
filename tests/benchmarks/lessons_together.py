"""Every solution with one Spark server, one after the other and two at a time, beside each with a server of its own.

    .venv/bin/python tests/benchmarks/lessons_together.py [NN …]

Each solution is run by nbval, in a pytest of its own; a new home, the start and the end of the server count. Printed:
the seconds, and the ratios to each with a server of its own; that of two at a time must be at most 0.5. CI itself runs
them one after the other on its one server, with its other tests beside them on the second core.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from helpers.runtime import Places, attach, detach, stop_server  # noqa: E402

LIMIT = 0.5


def main(numbers: Sequence[str]) -> int:
    every = sorted((ROOT / "solutions").glob("*.ipynb"))
    solutions = [path for path in every if not numbers or path.name[:2] in numbers]
    alone = {}
    for solution in solutions:
        alone[solution] = seconds([solution])
        print(f"{solution.stem}: {alone[solution]:.1f} s with a server of its own", flush=True)
    longest_first = sorted(solutions, key=alone.__getitem__, reverse=True)
    total = sum(alone.values())
    print(f"{len(solutions)} solutions: {total:.1f} s with a server of each", flush=True)
    ratio = 1.0
    for at_once, how in ((1, "one after the other"), (2, "two at a time")):
        taken = seconds(longest_first, at_once=at_once)
        ratio = taken / total
        print(f"on one server, {how}: {taken:.1f} s, ratio {ratio:.2f}", flush=True)
    return 0 if ratio <= LIMIT else 1


def seconds(notebooks: Sequence[Path], *, at_once: int = 1) -> float:
    """How long nbval takes over these notebooks in a new home, with the start and the end of its server."""
    with tempfile.TemporaryDirectory(prefix="lakeprep-bench-", ignore_cleanup_errors=True) as home:
        places = Places(Path(home))
        started = time.monotonic()
        try:
            detach(attach(places))
            with ThreadPoolExecutor(at_once) as hands:
                list(hands.map(lambda notebook: run(notebook, home), notebooks))
        finally:
            stop_server(places)
        return time.monotonic() - started


def run(notebook: Path, home: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env"]
    command += ["-p", "no:cacheprovider", str(notebook)]
    environment = {**os.environ, "LAKEPREP_HOME": home}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{notebook.stem} failed:\n{done.stdout[-3000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
