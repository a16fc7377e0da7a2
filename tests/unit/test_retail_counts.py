"""How the tests of killed runs judge the event log: without Spark."""

from __future__ import annotations

from typing import Any

import pytest

from tests.retail.counted import Counted, counted, wrong

RULE = ("silver", "known")


def ended(update: str, state: str, **details: Any) -> dict[str, Any]:
    return {"update": update, "dataset": None, "batch": None, "type": "update_progress",
            "details": {"state": state, **details}}  # fmt: skip


def flow(update: str, passed: int, failed: int, *, batch: int | None = 0) -> dict[str, Any]:
    count = {"dataset": RULE[0], "name": RULE[1], "passed_records": passed, "failed_records": failed}
    return {"update": update, "dataset": RULE[0], "batch": batch, "type": "flow_progress",
            "details": {"status": "RUNNING", "data_quality": {"expectations": [count]}}}  # fmt: skip


UNDISTURBED = Counted({RULE: (8, 2)}, {}, {}, frozenset())
CUT_OFF = ended("1", "FAILED", incomplete=True)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([flow("1", 8, 2), ended("1", "COMPLETED")], []),
        ([flow("1", 5, 1), CUT_OFF, flow("2", 3, 1), ended("2", "COMPLETED")], []),
        ([flow("1", 5, 1), CUT_OFF, flow("2", 1, 0), ended("2", "COMPLETED")], []),
        ([flow("1", 5, 1), ended("1", "FAILED"), flow("2", 1, 0), ended("2", "COMPLETED")], ["(6, 1) is counted"]),
        ([flow("1", 5, 1), CUT_OFF, flow("2", 8, 2), ended("2", "COMPLETED")], ["(13, 3) is counted"]),
        ([flow("1", 8, 2)], ["ended as ()"]),
        ([flow("1", 8, 2), ended("1", "COMPLETED"), ended("1", "FAILED")], ["ended as ('COMPLETED', 'FAILED')"]),
    ],
)  # fmt: skip
def test_counts_may_lack_only_what_an_update_says_that_it_may_lack(events: list[Any], said: list[str]) -> None:
    found = wrong(counted(events), UNDISTURBED)
    assert len(found) == len(said)
    assert all(words in text for words, text in zip(said, found, strict=True))


def test_a_view_counts_what_its_last_computation_did() -> None:
    twice = [flow("1", 3, 3, batch=None), ended("1", "COMPLETED"), flow("2", 8, 2, batch=None), ended("2", "COMPLETED")]
    right = Counted({}, {RULE: (8, 2)}, {}, frozenset())
    assert wrong(counted(twice), right) == []
    assert len(wrong(counted(twice[:2]), right)) == 1
