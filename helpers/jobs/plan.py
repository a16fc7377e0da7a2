"""Which task starts next and what the others become: pure, so that every case can be tested without a process.

The rules are those of https://docs.databricks.com/jobs/run-if.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

#: Excluded tasks count as good for those that depend on them.
GOOD = frozenset({"SUCCESS", "EXCLUDED"})
UNSTARTED = frozenset({"UPSTREAM_FAILED", "UPSTREAM_CANCELED", "EXCLUDED"})
_STOPPED = frozenset({"CANCELED", "UPSTREAM_CANCELED"})
#: The rules that are there to handle a failure: unmet, they leave their task out instead of failing it.
_HANDLES_FAILURE = frozenset({"AT_LEAST_ONE_FAILED", "ALL_FAILED"})


@dataclass(frozen=True)
class Node:
    """A task as the planner sees it; `run_if` has the Jobs API's values, `outcomes` what conditions must say."""

    key: str
    depends_on: tuple[str, ...] = ()
    run_if: str = "ALL_SUCCESS"
    outcomes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """What follows from the results so far: tasks that may run now, and tasks that end without having run."""

    ready: tuple[str, ...]
    marked: Mapping[str, str]


def next_step(nodes: Sequence[Node], results: Mapping[str, str], outcomes: Mapping[str, str] | None = None) -> Step:
    """Say what follows from `results`, the final result state of each task that has ended.

    `outcomes` has "true" or "false" for each condition task that succeeded.
    """
    known, marked, ready = dict(results), {}, []
    changed = True
    while changed:
        changed, ready = False, []
        for node in nodes:
            if node.key in known or not all(upstream in known for upstream in node.depends_on):
                continue
            mark = _mark(node, [known[upstream] for upstream in node.depends_on], outcomes or {})
            if mark is None:
                ready.append(node.key)
            else:
                known[node.key] = marked[node.key] = mark
                changed = True
    return Step(tuple(ready), marked)


def after_cancel(nodes: Sequence[Node], results: Mapping[str, str]) -> Mapping[str, str]:
    """Say what each task that has not started becomes when the run is canceled; canceled tasks are in `results`."""
    known, marked = dict(results), {}
    for node in _in_order(nodes):
        if node.key not in known:
            stopped = any(known[upstream] in _STOPPED for upstream in node.depends_on)
            known[node.key] = marked[node.key] = "UPSTREAM_CANCELED" if stopped else "CANCELED"
    return marked


def run_result(nodes: Sequence[Node], results: Mapping[str, str]) -> str:
    """Give the run's result: its leaf tasks decide."""
    upstream = {key for node in nodes for key in node.depends_on}
    if any(results[node.key] not in GOOD for node in nodes if node.key not in upstream):
        return "FAILED"
    return "SUCCESS" if all(result in GOOD for result in results.values()) else "SUCCESS_WITH_FAILURES"


def may_retry(result: str, *, attempt: int, max_retries: int, retry_on_timeout: bool) -> bool:
    """Say whether a task whose attempt (from 0) ended so gets another; `max_retries` of -1 has no end."""
    if result != "FAILED" and not (result == "TIMEDOUT" and retry_on_timeout):
        return False
    return max_retries == -1 or attempt < max_retries


def cycle(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Give the tasks of one cycle in order, the first again at the end; empty when there is none."""
    upstream = _upstream(nodes)
    done: set[str] = set()
    for start in upstream:
        trail: list[str] = []
        found = _walk(start, upstream, trail, done)
        if found:
            return found
    return ()


def ancestors(nodes: Sequence[Node], key: str) -> frozenset[str]:
    """Give every task that has ended before this one starts."""
    upstream = _upstream(nodes)
    found: set[str] = set()
    waiting = list(upstream.get(key, ()))
    while waiting:
        task = waiting.pop()
        if task not in found:
            found.add(task)
            waiting.extend(upstream.get(task, ()))
    return frozenset(found)


def descendants(nodes: Sequence[Node], keys: Iterable[str]) -> frozenset[str]:
    """Give every task that depends on one of these, directly or not; without these themselves."""
    wanted = set(keys)
    return frozenset(node.key for node in nodes if node.key not in wanted and ancestors(nodes, node.key) & wanted)


def _upstream(nodes: Sequence[Node]) -> dict[str, tuple[str, ...]]:
    """What each task depends on; two of one key, which is a mistake of its own, count as one."""
    found: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        found[node.key] = (*found.get(node.key, ()), *node.depends_on)
    return found


def _mark(node: Node, upstream: Sequence[str], outcomes: Mapping[str, str]) -> str | None:
    """Give the state of a task that must not run, or None when it may."""
    # A condition that failed or was left out has no outcome; then `run_if` decides, as for any other task.
    if any(outcomes.get(key, wanted) != wanted for key, wanted in node.outcomes.items()):
        return "EXCLUDED"
    if upstream and all(result == "EXCLUDED" for result in upstream):
        return "EXCLUDED"
    if not upstream or _met(node.run_if, [result in GOOD for result in upstream]):
        return None
    if node.run_if in _HANDLES_FAILURE:
        return "EXCLUDED"
    return "UPSTREAM_CANCELED" if any(result in _STOPPED for result in upstream) else "UPSTREAM_FAILED"


def _met(run_if: str, good: Sequence[bool]) -> bool:
    match run_if:
        case "ALL_SUCCESS" | "NONE_FAILED":
            # They differ only where every dependency is excluded, and then the task is excluded anyway.
            return all(good)
        case "AT_LEAST_ONE_SUCCESS":
            return any(good)
        case "ALL_DONE":
            return True
        case "AT_LEAST_ONE_FAILED":
            return not all(good)
        case "ALL_FAILED":
            return not any(good)
    raise ValueError(f"run_if '{run_if}' is unknown")


def _walk(key: str, upstream: Mapping[str, tuple[str, ...]], trail: list[str], done: set[str]) -> tuple[str, ...]:
    if key in trail:
        return (*trail[trail.index(key) :], key)
    if key in done:
        return ()
    trail.append(key)
    for parent in upstream.get(key, ()):
        if found := _walk(parent, upstream, trail, done):
            return found
    trail.pop()
    done.add(key)
    return ()


def _in_order(nodes: Sequence[Node]) -> list[Node]:
    """The nodes with each one after all that it depends on."""
    placed: list[Node] = []
    keys: set[str] = set()
    waiting = list(nodes)
    while waiting:
        free = [node for node in waiting if keys.issuperset(node.depends_on)]
        placed.extend(free)
        keys.update(node.key for node in free)
        waiting = [node for node in waiting if node.key not in keys]
    return placed
