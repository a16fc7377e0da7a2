"""`python -m helpers.jobs.script_task SPEC.json`: run a Python file as one attempt of a task.

The spec has `script`, `arguments` (its command line) and `result`. The file's folder is the working directory and on
`sys.path`. `SparkSession.builder.getOrCreate()` and `from databricks.sdk.runtime import spark, dbutils` give what they
give on Databricks; a session is attached only when the file, or one beside it, names Spark.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.jobs.context import write_json
from helpers.jobs.sentences import TRACE_LINES, sentence

_RUNTIME = "databricks.sdk.runtime"


def main(spec_file: Path) -> int:
    """Run the file that the spec names; gives the exit code."""
    spec = json.loads(spec_file.read_text(encoding="utf-8"))
    result = run_script(Path(spec["script"]), spec["arguments"])
    write_json(Path(spec["result"]), {"version": 1, **result})
    return 1 if result["error"] else 0


def run_script(script: Path, arguments: list[str]) -> dict[str, Any]:
    """Run it and give `error` (one sentence, or None) and `error_trace` (its last lines)."""
    script = script.resolve()
    os.chdir(script.parent)
    sys.argv = [str(script), *arguments]
    sys.path.insert(0, str(script.parent))
    try:
        if _names_spark(script):
            _open_spark()
        runpy.run_path(str(script), run_name="__main__")
    except SystemExit as error:
        return _exited(error)
    except Exception as error:  # whatever stops a script must reach the record as a sentence
        return _failure(error, script)
    return {"error": None, "error_trace": None}


def _names_spark(script: Path) -> bool:
    return any("spark" in file.read_text(encoding="utf-8", errors="replace") for file in script.parent.glob("*.py"))


def _open_spark() -> None:
    from helpers.jobs.values import get_dbutils
    from helpers.runtime import Places, attach, on_databricks

    spark = attach(Places.from_environment())
    if not on_databricks():
        # `getOrCreate` gives the open session, but only where this variable names some server.
        os.environ.setdefault("SPARK_REMOTE", "sc://localhost")
        # The SDK's own module of this name looks for a workspace.
        runtime: Any = ModuleType(_RUNTIME)
        runtime.spark, runtime.dbutils = spark, get_dbutils()
        sys.modules[_RUNTIME] = runtime


def _exited(error: SystemExit) -> Mapping[str, Any]:
    if error.code in (None, 0):
        return {"error": None, "error_trace": None}
    said = f"exit code {error.code}" if isinstance(error.code, int) else str(error.code)
    return {"error": f"SystemExit: {said}", "error_trace": None}


def _failure(error: Exception, script: Path) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == script]
    if isinstance(error, SyntaxError) and error.filename == str(script):
        lines = [error.lineno]
    where = f" (line {lines[-1]} of {script.name})" if lines else f" ({script.name})"
    trace = "".join(traceback.format_exception(error)).strip().splitlines()
    return {
        "error": sentence(type(error).__name__, str(error)) + where,
        "error_trace": "\n".join(trace[-TRACE_LINES:]),
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
