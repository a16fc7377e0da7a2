"""The definition as it stands and with each change: which one is accepted?"""

from __future__ import annotations

import copy
import json
from typing import Any

from helpers.quiz.model import Question
from helpers.quiz.proving import job_problems, true


def prove(question: Question) -> set[str]:
    task = json.loads(question.code)
    assert job_problems([task])
    return true({
        "string-list": _accepted(task, inputs='["north", "south"]'),
        "too-many": _accepted(task, concurrency=1),
        "retries-place": _accepted(task, inner={"max_retries": None}),
        "reference": _accepted(task, inner={"notebook_task": {
            "notebook_path": "/shop/one_store", "base_parameters": {"store": "{{each_store.input}}"}}}),
    })


def _accepted(task: dict[str, Any], *, inner: dict[str, Any] | None = None, **loop: Any) -> bool:
    changed = copy.deepcopy(task)
    changed["for_each_task"] |= loop
    work = changed["for_each_task"]["task"] | (inner or {})
    changed["for_each_task"]["task"] = {key: value for key, value in work.items() if value is not None}
    return not job_problems([changed])
