"""Both tasks are ready at once; only a dependency makes the report wait."""

from __future__ import annotations

import json
from typing import Any

from helpers.jobs import checks, plan
from helpers.quiz.model import Question
from helpers.quiz.proving import true


def prove(question: Question) -> set[str]:
    gold, report = json.loads(question.code)["tasks"]
    assert _early(gold, report)
    assert _early(report, gold)
    return true({
        "starts-early": not _early(gold, {**report, "depends_on": [{"task_key": "refresh_gold"}]}),
        "needs-retry": not _early(gold, {**report, "max_retries": 2}),
        "needs-rule": not _early(gold, {**report, "run_if": "ALL_SUCCESS"}),
        "needs-cluster": not _early(gold, {**report, "existing_cluster_id": "0101-1"}),
    })


def _early(*tasks: dict[str, Any]) -> bool:
    return "write_report" in plan.next_step(checks.nodes(list(tasks)), {}).ready
