"""`python -m helpers.jobs.script_task SPEC.json`: run a Python file as one attempt of a task.

The spec has `script`, `arguments` (its command line), `wheels` and `result`. The file's folder is the working directory
and on `sys.path`. `SparkSession.builder.getOrCreate()` and `from databricks.sdk.runtime import spark, dbutils` give
what they give on Databricks; a session is attached only when the file, or one beside it, names Spark.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

from helpers.jobs.context import write_json
from helpers.jobs.python_process import offer_runtime, outcome_of
from helpers.jobs.redaction import NOTHING_SECRET, Redaction


def main(spec_file: Path) -> int:
    """Run the file that the spec names; gives the exit code."""
    spec = json.loads(spec_file.read_text(encoding="utf-8"))
    redaction = Redaction.of(os.environ)
    redaction.guard_output()
    if wheels := spec.get("wheels"):
        from helpers.jobs.wheels import unpack  # it imports much, and few scripts bring wheels

        sys.path[:0] = unpack(wheels, spec_file.parent)
    result = run_script(Path(spec["script"]), spec["arguments"], redaction=redaction)
    write_json(Path(spec["result"]), {"version": 1, **result})
    return 1 if result["error"] else 0


def run_script(script: Path, arguments: list[str], *, redaction: Redaction = NOTHING_SECRET) -> dict[str, Any]:
    """Run it and give `error` (one sentence, or None) and `error_trace` (its last lines)."""
    script = script.resolve()
    os.chdir(script.parent)
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))

    def run() -> None:
        offer_runtime(script.parent.glob("*.py"))
        runpy.run_path(str(script), run_name="__main__")

    def shown(file: str) -> str | None:
        return script.name if Path(file) == script else None

    return outcome_of(run, name=script.name, shown=shown, redaction=redaction)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
