"""What each update shuffled and spilled, from samples of the server's counters."""

from __future__ import annotations

from typing import Any

import pytest

from helpers import charts
from tests.unit.charts_fakes import trace

MIB = 1024**2


def update(start: int, end: int | None, name: str = "retail") -> dict[str, Any]:
    return {"pipeline_name": name, "update_id": str(start), "started_ms": start * 1000, "ended_ms": end and end * 1000}


def sample(second: float, written: int = 0, read: int = 0, spilled: int = 0) -> dict[str, Any]:
    return {"time": int(second * 1000), "shuffle_written": written, "shuffle_read": read, "spilled": spilled}


def test_each_update_has_what_was_counted_while_it_ran_whatever_their_order() -> None:
    samples = [sample(4, 9 * MIB), sample(13, MIB, MIB), sample(20, MIB // 2), sample(31, 0, MIB, 2 * MIB)]
    chart = charts.shuffle_and_spill([update(30, None), update(10, 20)], samples)
    assert list(trace(chart, "shuffle written").y) == [1.5]
    assert list(trace(chart, "shuffle read").y) == [1]
    assert list(trace(chart, "spilled to disk").y) == [0]
    later = charts.shuffle_and_spill([update(30, None), update(10, 20)], [*samples, sample(33, 0, MIB, 2 * MIB)])
    assert list(trace(later, "spilled to disk").y) == [0, 2]
    assert later.text == (
        "Shuffle and spill by update: 2 updates; the newest, of retail, 1970-01-01 00:00: shuffle written nothing, "
        "shuffle read 1.0 MiB, spilled to disk 2.0 MiB; 1 update spilled, most of all that of 1970-01-01 00:00: "
        "shuffle written nothing, shuffle read 1.0 MiB, spilled to disk 2.0 MiB."
    )


def test_an_update_that_nobody_sampled_is_left_out() -> None:
    chart = charts.shuffle_and_spill([update(10, 20), update(100, 110)], [sample(15, 2048)])
    assert list(trace(chart, "shuffle written").y) == [2048 / MIB]
    assert "1 update; the newest, of retail, 1970-01-01 00:00: shuffle written 2.0 KiB" in chart.text
    assert "none spilled to disk" in chart.text


@pytest.mark.parametrize("samples", [[], [{"time": 15_000, "cpu": 1.0}]])
def test_without_samples_it_says_what_to_do(samples: list[dict[str, Any]]) -> None:
    assert "Run an update" in charts.shuffle_and_spill([update(10, 20)], samples).text


def test_bars_differ_by_more_than_their_colour() -> None:
    chart = charts.shuffle_and_spill([update(10, 20)], [sample(15, 1, 2, 3)])
    patterns = [bars.marker.pattern.shape for bars in chart.figure.data]
    assert len(set(patterns)) == len(patterns) == 3
    assert chart.figure.layout.yaxis.title.text == "Bytes while it ran, MiB"
