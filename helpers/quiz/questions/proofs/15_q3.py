"""Attempts by the runner's own rule, and states by the plan that a run follows."""

from __future__ import annotations

import itertools
import json

from helpers.exercises import rehearsal
from helpers.jobs.plan import may_retry
from helpers.quiz.model import Question
from helpers.quiz.proving import job_problems, true


def prove(question: Question) -> set[str]:
    definition = json.loads(question.code)
    assert job_problems(definition["tasks"]) == []
    states = rehearsal.play(definition, failing=["load"])
    assert states["load"] == "FAILED"
    starts = _starts(definition["tasks"][0]["max_retries"])
    return true({
        "thrice-blocked": (starts, states["sums"]) == (3, "UPSTREAM_FAILED"),
        "two-in-all": (starts, states["sums"]) == (2, "UPSTREAM_FAILED"),
        "both-retried": (starts, states["sums"]) == (3, "FAILED"),
        "only-once": (starts, states["sums"]) == (1, "UPSTREAM_FAILED"),
    })


def _starts(max_retries: int) -> int:
    attempts = itertools.takewhile(
        lambda attempt: may_retry("FAILED", attempt=attempt, max_retries=max_retries, retry_on_timeout=False),
        itertools.count())
    return 1 + len(list(attempts))
