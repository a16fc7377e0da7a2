"""`python -m helpers.jobs.wheel_task SPEC.json`: run a package's entry point as one attempt of a task.

The spec has `package`, `entry_point`, `arguments` (its command line), `wheels` and `result`. The entry point is the one
of this name in the package's metadata, of any group, else the function `package.entry_point`. The attempt's folder is
the working directory.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from helpers.jobs.context import write_json
from helpers.jobs.python_process import offer_runtime, outcome_of
from helpers.jobs.redaction import NOTHING_SECRET, Redaction
from helpers.jobs.wheels import unpack


def main(spec_file: Path) -> int:
    """Run the entry point that the spec names; gives the exit code."""
    spec = json.loads(spec_file.read_text(encoding="utf-8"))
    redaction = Redaction.of(os.environ)
    redaction.guard_output()
    result = run_entry_point(spec, folder=spec_file.parent, redaction=redaction)
    write_json(Path(spec["result"]), {"version": 1, **result})
    return 1 if result["error"] else 0


def run_entry_point(
    spec: Mapping[str, Any], *, folder: Path, redaction: Redaction = NOTHING_SECRET
) -> dict[str, Any]:
    """Run it and give `error` (one sentence, or None) and `error_trace` (its last lines)."""
    package, entry_point = spec["package"], spec["entry_point"]
    roots = unpack(spec["wheels"], folder)
    sys.path[:0] = roots
    sys.argv = [package, *spec["arguments"]]
    os.chdir(folder)

    def run() -> None:
        offer_runtime(file for root in roots for file in Path(root).rglob("*.py"))
        _function(package, entry_point)()

    name = f"{package}, entry point {entry_point}"
    return outcome_of(run, name=name, shown=lambda file: _shown(file, roots), redaction=redaction)


def _function(package: str, entry_point: str) -> Any:
    named = [point for point in metadata.distribution(package).entry_points if point.name == entry_point]
    return named[0].load() if named else getattr(importlib.import_module(package), entry_point)


def _shown(file: str, roots: Sequence[str]) -> str | None:
    """A file of a wheel as its path in it."""
    return next((str(Path(file).relative_to(root)) for root in roots if Path(file).is_relative_to(root)), None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
