"""Python code as a task's whole work: what it finds there, and how the record says how it ended."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers.jobs.redaction import Redaction
from helpers.jobs.sentences import TRACE_LINES, sentence

_RUNTIME = "databricks.sdk.runtime"


def outcome_of(
    run: Callable[[], Any], *, name: str, shown: Callable[[str], str | None], redaction: Redaction
) -> dict[str, Any]:
    """Run it and give `error` (one sentence, or None) and `error_trace` (its last lines).

    `shown` says how the record names a file of the user's, and None for any other file; `name` is said where no line
    of such a file is at fault.
    """
    try:
        run()
    except SystemExit as error:
        return _exited(error, redaction)
    except Exception as error:  # whatever stops the code must reach the record as a sentence
        return _failure(error, name, shown, redaction)
    return {"error": None, "error_trace": None}


def offer_runtime(files: Iterable[Path]) -> None:
    """Make `from databricks.sdk.runtime import spark, dbutils` and `SparkSession.builder.getOrCreate()` work.

    Only what one of the files names is there: a session costs a second.
    """
    texts = [file.read_text(encoding="utf-8", errors="replace") for file in files]
    names_spark = any("spark" in text for text in texts)
    if not names_spark and not any("dbutils" in text for text in texts):
        return
    from helpers.jobs.values import get_dbutils
    from helpers.runtime import Places, attach, on_databricks

    spark = attach(Places.from_environment()) if names_spark else None
    if on_databricks():
        return
    # The SDK's own module of this name looks for a workspace.
    runtime: Any = ModuleType(_RUNTIME)
    runtime.dbutils = get_dbutils()
    if spark is not None:
        # `getOrCreate` gives the open session, but only where this variable names some server.
        os.environ.setdefault("SPARK_REMOTE", "sc://localhost")
        runtime.spark = spark
    sys.modules[_RUNTIME] = runtime


def _exited(error: SystemExit, redaction: Redaction) -> dict[str, Any]:
    if error.code in (None, 0):
        return {"error": None, "error_trace": None}
    said = f"exit code {error.code}" if isinstance(error.code, int) else redaction.text(str(error.code))
    return {"error": f"SystemExit: {said}", "error_trace": None}


def _failure(
    error: Exception, name: str, shown: Callable[[str], str | None], redaction: Redaction
) -> dict[str, Any]:
    """Redacted before it is shortened, since half a secret is not known again."""
    places = [(shown(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename and shown(error.filename):
        places = [(shown(error.filename), error.lineno)]
    lines = [f"line {line} of {file}" for file, line in places if file]
    trace = redaction.text("".join(traceback.format_exception(error))).strip().splitlines()
    said = sentence(type(error).__name__, redaction.text(str(error)))
    return {
        "error": f"{said} ({lines[-1] if lines else name})",
        "error_trace": "\n".join(trace[-TRACE_LINES:]),
    }
