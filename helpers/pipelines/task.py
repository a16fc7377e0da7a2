"""One pipeline task in a process of its own: ``python -m helpers.pipelines.task spec.json``.

The specification: ``settings`` (path of the settings file), ``parameters``, ``refresh_selection``, ``full_refresh``,
``full_refresh_selection``, ``result`` (where the report goes), ``events`` (where it goes while it changes, a JSON line
each). Ends with 0 when the update completed, with 1 when it failed; the result says why.
"""

from __future__ import annotations

import json
import sys
import time
import traceback
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError
from helpers.pipelines.home import write_atomically
from helpers.pipelines.report import UpdateReport
from helpers.pipelines.settings import load_settings
from helpers.pipelines.update import Request, run_update
from helpers.runtime import Places, attach


def main(arguments: list[str]) -> int:
    """Run the task that the specification describes."""
    spec = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    try:
        report = _run(spec)
    except LakeprepError as error:
        report = _failed(spec, str(error))
    except Exception as error:
        traceback.print_exc()
        report = _failed(spec, f"{type(error).__name__}: {error}")
    write_atomically(Path(spec["result"]), json.dumps(report.as_dict()))
    if report.error:
        print(report.error, file=sys.stderr)
    return 0 if report.state == "COMPLETED" else 1


def _run(spec: Mapping[str, Any]) -> UpdateReport:
    settings = load_settings(Path(spec["settings"]), parameters=spec.get("parameters") or {})
    places = Places.from_environment()
    request = Request(
        refresh=spec.get("refresh_selection") or (), full_refresh=bool(spec.get("full_refresh")),
        full_refresh_selection=spec.get("full_refresh_selection") or (), cause="JOB_TASK")
    with Path(spec["events"]).open("a", encoding="utf-8", buffering=1) as events:
        def changed(report: UpdateReport) -> None:
            events.write(json.dumps(report.as_dict()) + "\n")

        return run_update(attach(places), settings, request, checkpoints=places.checkpoints, on_change=changed)


def _failed(spec: Mapping[str, Any], message: str) -> UpdateReport:
    now = time.time_ns() // 1_000_000
    name = Path(spec["settings"]).stem
    return UpdateReport("", name, str(uuid.uuid4()), "FAILED", "JOB_TASK", bool(spec.get("full_refresh")), now, now,
                        error=message)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
