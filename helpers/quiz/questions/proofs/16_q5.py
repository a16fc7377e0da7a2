"""What is filled in inside a for-each task: only {{input}} is the element."""

from __future__ import annotations

import json

from helpers.jobs.references import Values, resolve
from helpers.quiz.model import Question
from helpers.quiz.proving import fitting, job_problems

LOOK = {"task_key": "look", "notebook_task": {"notebook_path": "look"}}
VALUES = Values(1, "question", 1, 0, input="monday")


def prove(question: Question) -> set[str]:
    def works(code: str) -> bool:
        loop = {"task_key": "loop", "depends_on": [{"task_key": "look"}], **json.loads("{" + code + "}")}
        inner = loop["for_each_task"]["task"]["notebook_task"]["base_parameters"]["day"]
        if job_problems([LOOK, loop]) or "tasks." in inner:
            return False
        return resolve(inner, VALUES) == "monday"

    return fitting(question, works)
