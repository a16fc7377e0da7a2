"""The runner's own choice of what a repair runs again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from helpers.jobs.plan import Node
from helpers.jobs.repair import to_rerun
from helpers.quiz.model import Question


def prove(question: Question) -> set[str]:
    rows = [line.split() for line in question.code.splitlines()[1:]]
    nodes = [Node(key, () if upstream == "-" else (upstream,), "ALL_SUCCESS", {}) for key, upstream, _ in rows]
    states = [SimpleNamespace(task_key=key, state=SimpleNamespace(result_state=state)) for key, _, state in rows]
    run: Any = SimpleNamespace(latest=lambda: states)
    again = to_rerun(nodes, run)
    return {option.key for option in question.options
            if set(option.text.replace("`", "").replace(" and ", ", ").split(", ")) == again}
