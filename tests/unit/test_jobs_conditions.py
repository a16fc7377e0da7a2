"""What a condition task decides."""

from __future__ import annotations

import pytest

from helpers.jobs.conditions import outcome
from helpers.jobs.errors import ConditionError
from helpers.jobs.plan import Node, next_step, run_result


@pytest.mark.parametrize(
    ("left", "op", "right", "expected"),
    [
        ("12.0", "EQUAL_TO", "12", "false"),
        ("12", "EQUAL_TO", "12", "true"),
        ("a", "NOT_EQUAL", "b", "true"),
        ("true", "EQUAL_TO", "True", "false"),
        ("12.0", "GREATER_THAN_OR_EQUAL", "12", "true"),
        ("10.0", "GREATER_THAN_OR_EQUAL", "12", "false"),
        ("10", "GREATER_THAN", "9", "true"),
        ("9", "GREATER_THAN", "9", "false"),
        ("-1e3", "LESS_THAN", "0", "true"),
        (" 5 ", "LESS_THAN_OR_EQUAL", "5.0", "true"),
        ("0.1", "LESS_THAN", ".1", "false"),
    ],
)
def test_two_operators_compare_text_and_four_compare_numbers(left, op, right, expected):
    assert outcome(op, left, right) == expected


@pytest.mark.parametrize("text", ["", "many", "nan", "inf", "1_000", "0x10", "1,5", "true"])
def test_a_number_is_asked_of_what_is_compared_as_one(text):
    with pytest.raises(ConditionError, match=r"GREATER_THAN compares numbers, and right is '.*'; use EQUAL_TO"):
        outcome("GREATER_THAN", "1", text)


BRANCHES = (
    Node("check"),
    Node("yes", ("check",), outcomes={"check": "true"}),
    Node("no", ("check",), outcomes={"check": "false"}),
    Node("after_no", ("no",), "ALL_DONE"),
    Node("join", ("yes", "no")),
)


def test_the_branch_that_was_not_chosen_is_excluded_with_all_that_hangs_on_it():
    step = next_step(BRANCHES, {"check": "SUCCESS"}, {"check": "true"})
    assert step.ready == ("yes",)
    assert step.marked == {"no": "EXCLUDED", "after_no": "EXCLUDED"}


def test_where_the_branches_meet_an_excluded_one_counts_as_a_success():
    results = {"check": "SUCCESS", "yes": "SUCCESS", "no": "EXCLUDED", "after_no": "EXCLUDED"}
    assert next_step(BRANCHES, results, {"check": "true"}).ready == ("join",)
    assert run_result(BRANCHES, {**results, "join": "SUCCESS"}) == "SUCCESS"


def test_a_condition_that_fails_fails_both_branches():
    step = next_step(BRANCHES, {"check": "FAILED"}, {})
    assert step.marked["yes"] == step.marked["no"] == "UPSTREAM_FAILED"


def test_an_outcome_is_needed_whatever_else_went_well():
    nodes = (Node("a"), Node("check"), Node("b", ("a", "check"), "AT_LEAST_ONE_SUCCESS", {"check": "true"}))
    step = next_step(nodes, {"a": "SUCCESS", "check": "SUCCESS"}, {"check": "false"})
    assert step.marked == {"b": "EXCLUDED"}


def test_what_hangs_on_a_canceled_task_is_upstream_canceled_and_a_clean_up_still_runs():
    nodes = (Node("a"), Node("b", ("a",)), Node("clean", ("a",), "ALL_DONE"), Node("late", ("b",)))
    step = next_step(nodes, {"a": "CANCELED"})
    assert step.ready == ("clean",)
    assert step.marked == {"b": "UPSTREAM_CANCELED", "late": "UPSTREAM_CANCELED"}
