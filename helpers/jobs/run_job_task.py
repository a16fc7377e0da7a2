"""`python -m helpers.jobs.run_job_task SPEC.json`: run another job as one attempt of a task, with a record of its own.

The spec has `job` (written by the runner above), `parameters`, `commands`, `parallelism`, `grace_seconds`, `result` and
`progress`. Exit code 0 means that the other run succeeded; otherwise the result says how it ended.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError
from helpers.jobs.context import write_json
from helpers.jobs.run import run_job
from helpers.jobs.runs import Run
from helpers.jobs.specs import read_job
from helpers.runtime.places import Places

_GOOD = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})


def main(spec_file: Path) -> int:
    """Run the job that the spec names; gives the exit code."""
    spec = json.loads(spec_file.read_text(encoding="utf-8"))
    try:
        result = _result(_run(spec))
    except LakeprepError as error:
        result = {"error": f"{type(error).__name__}: {error}"}
    write_json(Path(spec["result"]), {"version": 1, **result})
    return 1 if result["error"] else 0


def _run(spec: Mapping[str, Any]) -> Run:
    return run_job(
        read_job(Path(spec["job"])),
        places=Places.from_environment(),
        parameters=spec["parameters"],
        commands=spec["commands"],
        parallelism=spec["parallelism"],
        grace_seconds=spec["grace_seconds"],
        on_event=_reporter(Path(spec["progress"])),
        trigger={"type": "run_job_task"},
    )


def _result(run: Run) -> dict[str, Any]:
    state, output = run.state, {"run_id": run.run_id, "job_id": run.job_id, "result_state": run.state.result_state}
    if state.result_state in _GOOD:
        return {"error": None, "output": output}
    said = f"run {run.run_id} of job '{run.run_name}' ended {state.word}" + (
        f": {state.state_message}" if state.state_message else ""
    )
    canceled = {"result_state": "CANCELED"} if state.result_state == "CANCELED" else {}
    return {"error": said, "output": output, **canceled}


def _reporter(progress: Path) -> Callable[[Run, Mapping[str, Any]], None]:
    def report(run: Run, event: Mapping[str, Any]) -> None:
        key = event.get("task_key")
        said = run.state.word if key is None else f"{key} {run.task(key).state.word}"
        with progress.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"version": 1, "message": f"{run.run_name}: {said}"}) + "\n")

    return report


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
