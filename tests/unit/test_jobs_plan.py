"""The planner, against a small evaluator written from the documentation's sentences."""

from __future__ import annotations

import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.jobs.plan import Node, after_cancel, ancestors, cycle, may_retry, next_step, run_result

RULES = ("ALL_SUCCESS", "AT_LEAST_ONE_SUCCESS", "NONE_FAILED", "ALL_DONE", "AT_LEAST_ONE_FAILED", "ALL_FAILED")


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Node, ...]:
    nodes = []
    for number in range(draw(st.integers(1, 9))):
        upstream = draw(st.lists(st.integers(0, number - 1), unique=True, max_size=3)) if number else []
        rule = draw(st.sampled_from(RULES))
        nodes.append(Node(f"t{number}", tuple(f"t{place}" for place in upstream), rule))
    return tuple(draw(st.permutations(nodes)))


def evaluate(nodes: tuple[Node, ...], would_end: dict[str, str]) -> dict[str, str]:
    """What each task becomes, by recursion from the leaves, counting what the documentation counts."""
    by_key = {node.key: node for node in nodes}

    @cache
    def final(key: str) -> str:
        node = by_key[key]
        upstream = [final(parent) for parent in node.depends_on]
        excluded = upstream.count("EXCLUDED")
        succeeded = upstream.count("SUCCESS") + excluded
        failed = len(upstream) - succeeded
        if not upstream:
            return would_end[key]
        if excluded == len(upstream):
            return "EXCLUDED"
        fits = {
            "ALL_SUCCESS": succeeded == len(upstream),
            "AT_LEAST_ONE_SUCCESS": succeeded >= 1,
            "NONE_FAILED": failed == 0,
            "ALL_DONE": True,
            "AT_LEAST_ONE_FAILED": failed >= 1,
            "ALL_FAILED": failed == len(upstream),
        }[node.run_if]
        if fits:
            return would_end[key]
        return "EXCLUDED" if "FAILED" in node.run_if and node.run_if != "NONE_FAILED" else "UPSTREAM_FAILED"

    return {node.key: final(node.key) for node in nodes}


def simulate(nodes: tuple[Node, ...], would_end: dict[str, str], order: random.Random) -> dict[str, str]:
    results: dict[str, str] = {}
    while len(results) < len(nodes):
        step = next_step(nodes, results)
        results.update(step.marked)
        if step.ready:
            ended = order.choice(step.ready)
            results[ended] = would_end[ended]
        else:
            assert step.marked, "nothing may run and nothing has ended"
    return results


@given(graphs(), st.data(), st.randoms(use_true_random=False))
def test_every_order_of_endings_gives_what_the_documentation_says(nodes, data, order):
    ends = st.sampled_from(("SUCCESS", "FAILED", "TIMEDOUT"))
    would_end = {node.key: data.draw(ends) for node in nodes}
    assert simulate(nodes, would_end, order) == evaluate(nodes, would_end)


@given(graphs(), st.data())
def test_a_task_is_ready_only_after_all_its_upstream_tasks(nodes, data):
    keys = [node.key for node in nodes]
    ended = data.draw(st.sets(st.sampled_from(keys)))
    step = next_step(nodes, dict.fromkeys(ended, "SUCCESS"))
    for node in nodes:
        if node.key in step.ready:
            assert set(node.depends_on) <= ended | set(step.marked)
            assert node.key not in ended


@given(graphs())
def test_a_graph_made_in_order_has_no_cycle(nodes):
    assert cycle(nodes) == ()


def test_a_cycle_is_named_from_its_first_task_round_to_it_again():
    nodes = (Node("a", ("c",)), Node("b", ("a",)), Node("c", ("b",)), Node("d", ("a",)))
    found = cycle(nodes)
    assert found[0] == found[-1]
    assert set(found) == {"a", "b", "c"}


def test_a_task_that_waits_for_itself_is_a_cycle():
    assert cycle((Node("a", ("a",)),)) == ("a", "a")


def test_ancestors_are_found_through_other_tasks():
    nodes = (Node("a"), Node("b", ("a",)), Node("c", ("b",)), Node("d"))
    assert ancestors(nodes, "c") == {"a", "b"}


def test_the_leaves_decide_the_result_of_a_run():
    nodes = (Node("load"), Node("clean", ("load",), "ALL_DONE"))
    assert run_result(nodes, {"load": "SUCCESS", "clean": "SUCCESS"}) == "SUCCESS"
    assert run_result(nodes, {"load": "FAILED", "clean": "SUCCESS"}) == "SUCCESS_WITH_FAILURES"
    assert run_result(nodes, {"load": "SUCCESS", "clean": "TIMEDOUT"}) == "FAILED"


def test_a_leaf_that_never_ran_for_a_failure_upstream_fails_the_run():
    nodes = (Node("a"), Node("b", ("a",)))
    assert run_result(nodes, {"a": "FAILED", "b": "UPSTREAM_FAILED"}) == "FAILED"


def test_an_excluded_leaf_does_not_fail_the_run():
    nodes = (Node("a"), Node("alarm", ("a",), "AT_LEAST_ONE_FAILED"))
    assert run_result(nodes, {"a": "SUCCESS", "alarm": "EXCLUDED"}) == "SUCCESS"


def test_canceling_marks_what_hangs_on_a_canceled_task_apart_from_the_rest():
    nodes = (Node("c", ("b",)), Node("b", ("a",)), Node("a"), Node("other"), Node("late", ("other",)))
    marked = after_cancel(nodes, {"a": "CANCELED", "other": "SUCCESS"})
    assert marked == {"b": "UPSTREAM_CANCELED", "c": "UPSTREAM_CANCELED", "late": "CANCELED"}


@pytest.mark.parametrize(
    ("result", "attempt", "most", "on_timeout", "again"),
    [
        ("FAILED", 0, 0, False, False),
        ("FAILED", 0, 1, False, True),
        ("FAILED", 1, 1, False, False),
        ("FAILED", 999, -1, False, True),
        ("TIMEDOUT", 0, 3, False, False),
        ("TIMEDOUT", 0, 3, True, True),
        ("TIMEDOUT", 3, 3, True, False),
        ("SUCCESS", 0, 3, True, False),
        ("CANCELED", 0, -1, True, False),
    ],
)
def test_retries_follow_max_retries_and_retry_on_timeout(result, attempt, most, on_timeout, again):
    assert may_retry(result, attempt=attempt, max_retries=most, retry_on_timeout=on_timeout) is again
