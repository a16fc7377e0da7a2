"""The run's result by its leaf tasks, in the job that the question shows."""

from __future__ import annotations

import json

from helpers.exercises import rehearsal
from helpers.quiz.model import Question
from helpers.quiz.proving import job_problems


def prove(question: Question) -> set[str]:
    definition = json.loads(question.code)
    assert job_problems(definition["tasks"]) == []
    result = rehearsal.run_result(definition, rehearsal.play(definition, failing=["load"]))
    return {option.key for option in question.options if option.text.split(",")[0] == result}
