"""An unmet rule that waits for failures: the state, and what a task after it becomes."""

from __future__ import annotations

from helpers.exercises import rehearsal
from helpers.quiz.model import Question
from helpers.quiz.proving import true

WORK = {"notebook_task": {"notebook_path": "n"}}


def prove(question: Question) -> set[str]:
    states = rehearsal.play({"tasks": [
        {"task_key": "load", **WORK},
        {"task_key": "alert", "depends_on": [{"task_key": "load"}], "run_if": "AT_LEAST_ONE_FAILED", **WORK},
        {"task_key": "after", "depends_on": [{"task_key": "load"}, {"task_key": "alert"}], **WORK}]})
    counts_as_success = states["after"] == "SUCCESS"
    return true({
        "upstream": states["alert"] == "UPSTREAM_FAILED" and not counts_as_success,
        "excluded": states["alert"] == "EXCLUDED" and counts_as_success,
        "skipped": states["alert"] == "SKIPPED",
        "canceled": states["alert"] == "CANCELED",
    })
