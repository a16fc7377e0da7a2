"""AUTO CDC as a property: whatever order, batches and interruptions a feed comes in, the tables are a sorted replay's.

Each example is a feed of thousands of keys, every key a case of its own, cut into batches; each batch meets a fate. Run
by hand: `.venv/bin/python -m pytest tests/soak/test_change_feeds.py -s`. `LAKEPREP_SOAK_FEEDS` (20) examples of
`LAKEPREP_SOAK_KEYS` (2000) keys, from `LAKEPREP_SOAK_SEED` (1). What is wrong is told key by key.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from helpers.pipelines import changes
from tests.spark.cdc_feeds import CASES, VIEW, Event, differing, feed
from tests.spark.test_pipelines_cdc import Lake

FEEDS, KEYS, SEED = (int(os.environ.get(f"LAKEPREP_SOAK_{name}", given_))
                     for name, given_ in (("FEEDS", 20), ("KEYS", 2000), ("SEED", 1)))  # fmt: skip
TEXT = VIEW + "".join(case.sql() for case in CASES)
#: What an update of a batch meets: nothing, an end before its MERGEs or after them, a lost note of what is applied,
#: other batches before the next update, or a second update over nothing new.
FATES = ("well", "ends before", "ends after", "note lost", "waits", "twice")
BATCHES = st.lists(st.tuples(st.floats(0.05, 1), st.sampled_from(FATES)), min_size=1, max_size=5)


@seed(SEED)
@settings(max_examples=FEEDS, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 2**32), batches=BATCHES)
def test_the_tables_are_those_of_a_sorted_replay(
    spark: Any, tmp_path_factory: pytest.TempPathFactory, number: int, batches: list[tuple[float, str]]
) -> None:
    schema, events = f"feeds_{uuid.uuid4().hex[:12]}", feed(number, keys=KEYS)
    print(f"\nfeed {number}: {len(events)} changes, {batches}", flush=True)
    spark.sql(f"CREATE SCHEMA {schema}")
    try:
        replayed(Lake(spark, schema, tmp_path_factory.mktemp("feed")), events, batches)
    finally:
        spark.sql(f"DROP SCHEMA {schema} CASCADE")


def replayed(lake: Lake, events: Sequence[Event], batches: Sequence[tuple[float, str]]) -> None:
    """Let the batches arrive one after the other, as large as their shares, and compare wherever an update ended."""
    total, start, arrived = sum(share for share, _ in batches), 0, 0.0
    for place, (share, fate) in enumerate(batches, start=1):
        arrived += share
        end = len(events) if place == len(batches) else round(len(events) * arrived / total)
        lake.arrive(events[start:end])
        start = end
        if updated(lake, fate, last=place == len(batches)):
            assert [differing(case, lake.table(case.name), events[:end]) for case in CASES] == [""] * len(CASES)


def updated(lake: Lake, fate: str, *, last: bool) -> bool:
    """Update as the fate wills; True when the tables must be right now."""
    if fate == "waits" and not last:
        return False
    if fate in ("ends before", "ends after"):
        interrupted(lake, after=fate == "ends after")
        if not last:
            return False
    if fate == "note lost":
        for note in (lake.folder / "checkpoints").glob("*/*/_applied.json"):
            note.unlink()
    for _ in range(2 if fate == "twice" else 1):
        assert lake.update(TEXT).error is None
    return True


def interrupted(lake: Lake, *, after: bool) -> None:
    """An update that ends before its MERGEs, or between them and the note of what they applied."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("cut off")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(changes, "write_atomically" if after else "apply", broken)
        report = lake.update(TEXT)
    assert "cut off" in str(report.error)


def test_a_wrong_row_is_told_with_its_key() -> None:
    events = feed(3, keys=30)
    rows = CASES[2].expected(events)
    assert differing(CASES[2], rows, events) == ""
    key = rows[0][:2]
    assert f"key {key}: found []" in differing(CASES[2], [row for row in rows if row[:2] != key], events)
