"""The reference that is filled in with the task value; the others are refused, or stay the text that they are."""

from __future__ import annotations

import json

from helpers.exercises import rehearsal
from helpers.quiz.model import Question
from helpers.quiz.proving import fitting, job_problems


def prove(question: Question) -> set[str]:
    def works(code: str) -> bool:
        work = {"notebook_path": "later", **json.loads("{" + code + "}")}
        tasks = [{"task_key": "count", "notebook_task": {"notebook_path": "count"}},
                 {"task_key": "later", "depends_on": [{"task_key": "count"}], "notebook_task": work}]
        if job_problems(tasks):
            return False
        definition, text = {"name": "question", "tasks": tasks}, work["base_parameters"]["n"]
        return rehearsal.filled(definition, text, {"count": {"files": 3}}) == "3"

    return fitting(question, works)
