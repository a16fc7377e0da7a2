"""If/else tasks as the runner decides them, and what a definition may say of them."""

from __future__ import annotations

from helpers.exercises import rehearsal
from helpers.jobs.conditions import outcome
from helpers.quiz.model import Question
from helpers.quiz.proving import job_problems, true

WORK = {"notebook_task": {"notebook_path": "n"}}


def condition(left: str, right: str) -> dict[str, object]:
    return {"task_key": "ask", "condition_task": {"op": "EQUAL_TO", "left": left, "right": right}}


def branch(key: str) -> dict[str, object]:
    return {"task_key": key, "depends_on": [{"task_key": "ask", "outcome": key}], **WORK}


def prove(question: Question) -> set[str]:
    states = rehearsal.play({"tasks": [condition("a", "b"), branch("true"), branch("false")]})
    computed = rehearsal.play({"tasks": [condition("1 + 1", "2"), branch("true"), branch("false")]})
    assert job_problems([condition("a", "b")]) == []
    return true({
        "text-compare": outcome("EQUAL_TO", "12.0", "12") == "false" and outcome("LESS_THAN", "9", "12.0") == "true",
        "excluded-branch": (states["true"], states["false"]) == ("EXCLUDED", "SUCCESS"),
        "no-retries": bool(job_problems([{**condition("a", "b"), "max_retries": 1}])),
        "any-python": computed["true"] == "SUCCESS",
        "fails-on-no": states["ask"] != "SUCCESS",
    })
