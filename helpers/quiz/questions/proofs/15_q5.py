"""When `clean` has ended, `report` is ready beside `sum_up`; with another dependency it is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from helpers.jobs import checks, plan
from helpers.quiz.model import Question
from helpers.quiz.proving import true


def prove(question: Question) -> set[str]:
    definition = json.loads(question.code)
    assert _early(definition)
    return true({
        "after-clean": not _early(_changed(definition, depends_on=[{"task_key": "sum_up"}])),
        "order-of-list": not _early({"tasks": [definition["tasks"][0], *reversed(definition["tasks"][1:])]}),
        "needs-retries": not _early(_changed(definition, max_retries=3)),
        "needs-run-if": not _early(_changed(definition, run_if="ALL_DONE")),
    })


def _early(definition: Mapping[str, Any]) -> bool:
    """Whether `report` may start while `sum_up` runs."""
    step = plan.next_step(checks.nodes(definition["tasks"]), {"clean": "SUCCESS"})
    assert "sum_up" in step.ready
    return "report" in step.ready


def _changed(definition: Mapping[str, Any], **fields: Any) -> Mapping[str, Any]:
    return {"tasks": [{**task, **fields} if task["task_key"] == "report" else task for task in definition["tasks"]]}
