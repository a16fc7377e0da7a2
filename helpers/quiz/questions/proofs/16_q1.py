"""The rule with which the clean-up runs after success, after a failure and after both."""

from __future__ import annotations

from helpers.exercises import rehearsal
from helpers.quiz.model import Question

WORK = {"notebook_task": {"notebook_path": "n"}}
BEFORE = [{"task_key": "load"}, {"task_key": "gold"}]


def prove(question: Question) -> set[str]:
    rules = {option.key: option.text.strip("`") for option in question.options}
    return {key for key, rule in rules.items() if all(_runs(rule, failing) for failing in ([], ["load"], ["gold"]))}


def _runs(rule: str, failing: list[str]) -> bool:
    definition = {"tasks": [{"task_key": "load", **WORK},
                            {"task_key": "gold", "depends_on": [{"task_key": "load"}], **WORK},
                            {"task_key": "clean_up", "depends_on": BEFORE, "run_if": rule, **WORK}]}
    return rehearsal.play(definition, failing=failing)["clean_up"] == "SUCCESS"
