"""All solutions on one Spark server, two at a time as CI runs them, beside each with a server of its own.

    .venv/bin/python tests/benchmarks/lessons_together.py [NN …]

nbval runs them; a new home, the start and the end of the server count. Printed: the seconds, and the ratio of all
together to all alone, which must be at most 0.5.
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

from helpers.commands import testing  # noqa: E402
from helpers.runtime import Places, attach, detach, stop_server  # noqa: E402

LIMIT = 0.5


def main(numbers: Sequence[str]) -> int:
    dealt = [[name for name in lane if is_asked(name, numbers)] for lane in testing.lanes(ROOT)]
    alone = 0.0
    for solution in sorted(name for lane in dealt for name in lane):
        taken = seconds([[solution]])
        alone += taken
        print(f"{Path(solution).stem}: {taken:.1f} s with a server of its own", flush=True)
    together = seconds([lane for lane in dealt if lane])
    ratio = together / alone
    print(f"all with a server of each: {alone:.1f} s; on one server, two at a time: {together:.1f} s")
    print(f"together / alone: {ratio:.2f} (at most {LIMIT})")
    return 0 if ratio <= LIMIT else 1


def is_asked(name: str, numbers: Sequence[str]) -> bool:
    """Whether this is a solution, and one of those that were asked for."""
    return name.startswith("solutions/") and (not numbers or Path(name).name[:2] in numbers)


def seconds(lanes: Sequence[Sequence[str]]) -> float:
    """How long nbval takes over lanes of notebooks in a new home, with the start and the end of its server."""
    with tempfile.TemporaryDirectory(prefix="lakeprep-bench-", ignore_cleanup_errors=True) as home:
        places = Places(Path(home))
        started = time.monotonic()
        try:
            detach(attach(places))
            with ThreadPoolExecutor(len(lanes)) as hands:
                list(hands.map(lambda notebooks: run(notebooks, home), lanes))
        finally:
            stop_server(places)
        return time.monotonic() - started


def run(notebooks: Sequence[str], home: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--nbval-lax", "--nbval-current-env"]
    command += ["-p", "no:cacheprovider", *notebooks]
    environment = {**os.environ, "LAKEPREP_HOME": home}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{', '.join(notebooks)} failed:\n{done.stdout[-3000:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
