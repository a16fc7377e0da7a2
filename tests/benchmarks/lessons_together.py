"""Every solution in one run with one Spark server, beside each with a server of its own; prints the ratio.

.venv/bin/python tests/benchmarks/lessons_together.py [NN …]
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


def main(numbers: Sequence[str]) -> None:
    every = sorted((ROOT / "solutions").glob("*.ipynb"))
    solutions = [path for path in every if not numbers or path.name[:2] in numbers]
    alone = {}
    for solution in solutions:
        alone[solution.stem] = seconds([solution])
        print(f"{solution.stem}: {alone[solution.stem]:.1f} s with a server of its own", flush=True)
    together = seconds(solutions)
    print(f"{len(solutions)} solutions: {sum(alone.values()):.1f} s alone, {together:.1f} s together, "
          f"ratio {together / sum(alone.values()):.2f}")


def seconds(notebooks: Sequence[Path]) -> float:
    """How long nbval takes over these notebooks in a new home, with the start and the end of its server."""
    from helpers.runtime import Places, stop_server

    with tempfile.TemporaryDirectory(prefix="lakeprep-bench-", ignore_cleanup_errors=True) as home:
        started = time.monotonic()
        command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env", *map(str, notebooks)]
        environment = {**os.environ, "LAKEPREP_HOME": home}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        stop_server(Places(Path(home)))
        if done.returncode:
            raise SystemExit(f"{', '.join(path.stem for path in notebooks)} failed:\n{done.stdout[-3000:]}")
        return time.monotonic() - started


if __name__ == "__main__":
    main(sys.argv[1:])
