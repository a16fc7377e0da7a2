"""A job played through on paper: what becomes of its tasks, if these fail and those leave such values.

Nothing runs; the rules are those of the runner itself. So a definition is judged by what it would do, however it is
written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helpers.exercises import orchestration
from helpers.jobs import checks, conditions, plan, references
from helpers.jobs.errors import JobError
from helpers.jobs.references import Done, Values

TaskValues = Mapping[str, Mapping[str, Any]]


def play(
    definition: Mapping[str, Any], *, failing: Sequence[str] = (), values: TaskValues | None = None
) -> dict[str, str]:
    """Give the state in which each task of a definition without mistakes would end.

    ``failing`` are the tasks that fail if they run, ``values`` what a task that succeeds leaves, by task and key.
    """
    tasks = orchestration.tasks(definition)
    nodes = checks.nodes(list(tasks.values()))
    results: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    while len(results) < len(nodes):
        step = plan.next_step(nodes, results, outcomes)
        results |= step.marked
        for key in step.ready:
            results[key] = "FAILED" if key in failing else "SUCCESS"
            if "condition_task" in tasks[key]:
                outcome = decided(definition, key, results, values or {})
                results[key] = "SUCCESS" if outcome else "FAILED"
                outcomes |= {key: outcome} if outcome else {}
    return results


def run_result(definition: Mapping[str, Any], results: Mapping[str, str]) -> str:
    """What the run becomes, by its leaf tasks."""
    return plan.run_result(checks.nodes(list(orchestration.tasks(definition).values())), results)


def decided(definition: Mapping[str, Any], key: str, results: Mapping[str, str], values: TaskValues) -> str | None:
    """What an if/else task says: "true", "false", or None where it fails."""
    work = orchestration.tasks(definition)[key]["condition_task"]
    given = _values(definition, results, values)
    try:
        left, right = (references.resolve_scalar(str(work[side]), given) for side in ("left", "right"))
        return conditions.outcome(str(work["op"]), left, right)
    except (JobError, LookupError):  # or a reference that names too little: {{tasks.count}}
        return None


def filled(definition: Mapping[str, Any], text: Any, values: TaskValues) -> str | None:
    """A text with its references filled in, after every task; None where one of them has no value."""
    every = dict.fromkeys(orchestration.tasks(definition), "SUCCESS")
    try:
        return references.resolve(str(text), _values(definition, every, values))
    except (JobError, LookupError):  # or a reference that names too little: {{tasks.count}}
        return None


def problems(definition: Mapping[str, Any], when: str, wanted: Mapping[str, str], **scene: Any) -> list[str]:
    """What would end otherwise than wanted, told as "If <when>, …"; ``scene`` goes to :func:`play`."""
    found = play(definition, **scene)
    return [f"If {when}, `{key}` would be {found[key]}, expected {state}. {_why(found[key], state)}".strip()
            for key, state in wanted.items() if key in found and found[key] != state]


def _why(found: str, wanted: str) -> str:
    if wanted in ("SUCCESS", "FAILED"):
        return {"UPSTREAM_FAILED": "Its rule wants success before it. Which rule lets it run here?",
                "EXCLUDED": "Something keeps it out: its rule, the outcome it waits for, or that all before it is "
                            "EXCLUDED."}.get(found, "")
    if found == "SUCCESS":
        return "It would run where it should not. What must it wait for, and with which rule or outcome?"
    return "Which rule or outcome leaves a task out, without a failure?" if wanted == "EXCLUDED" else ""


def _values(definition: Mapping[str, Any], results: Mapping[str, str], values: TaskValues) -> Values:
    parameters = {name: str(default) for name, default in orchestration.parameters(definition).items()}
    done = {key: Done(state, values=values.get(key, {})) for key, state in results.items()}
    return Values(1, str(definition.get("name")), 1, 0, parameters, done=done)
