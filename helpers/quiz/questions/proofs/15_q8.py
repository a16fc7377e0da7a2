"""A time-out is tried again only where `retry_on_timeout` says so; a failure is."""

from __future__ import annotations

from helpers.jobs.plan import may_retry
from helpers.quiz.model import Question
from helpers.quiz.proving import job_problems, true


def prove(question: Question) -> set[str]:
    task = {"task_key": "t", "timeout_seconds": 600, "max_retries": 2, "notebook_task": {"notebook_path": "n"}}
    assert job_problems([task]) == []
    again = may_retry("TIMEDOUT", attempt=0, max_retries=2, retry_on_timeout=False)
    assert may_retry("TIMEDOUT", attempt=0, max_retries=2, retry_on_timeout=True)
    assert may_retry("FAILED", attempt=0, max_retries=2, retry_on_timeout=False)
    rule = {"metric": "RUN_DURATION_SECONDS", "op": "GREATER_THAN", "value": 600}
    assert job_problems([{**task, "health": {"rules": [rule]}}]) == []
    return true({"each-attempt": not again, "three-attempts": again})
