"""Samples of what the server uses outlive a kill and never fill the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from helpers.runtime import Places
from helpers.runtime.usage import (
    Reading,
    Sample,
    add_sample,
    between,
    read_process,
    read_usage,
    record_usage,
    usage_file,
)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path)
    places.home.mkdir()
    return places


def sample(moment: int) -> Sample:
    return Sample(
        time=moment, cpu=0.5, memory=1024, cores=2, total=4096, shuffle_written=7, shuffle_read=6, spilled=5
    )  # fmt: skip


def times(places: Places, start: int = 0, end: int = 10_000) -> list[int]:
    return [one["time"] for one in read_usage(places, start_ms=start, end_ms=end)]


def test_cpu_is_what_all_processes_used_since_the_last_reading_even_the_new_ones() -> None:
    before = Reading(at=10.0, seconds={1: 5.0, 2: 3.0}, memory=100, counted={"shuffle_written": 40})
    now = Reading(at=12.0, seconds={1: 6.0, 3: 0.5}, memory=70, counted={"shuffle_written": 100, "spilled": 9})
    assert between(before, now, now_ms=7, cores=2, total=900) == {
        "time": 7, "cpu": 0.75, "memory": 70, "cores": 2, "total": 900,
        "shuffle_written": 60, "shuffle_read": 0, "spilled": 9,
    }  # fmt: skip


def test_a_process_is_read_with_its_children_and_one_that_is_gone_raises() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        found = read_process(os.getpid())
        assert {os.getpid(), child.pid} <= set(found.seconds)
        assert found.memory > psutil.Process(child.pid).memory_info().rss
    finally:
        child.communicate(b"\n")
    with pytest.raises(psutil.NoSuchProcess):
        read_process(child.pid)


def test_a_window_of_samples_is_read_back_as_it_was_written(places: Places) -> None:
    assert times(places) == []
    for moment in (1000, 3000, 5000):
        add_sample(places, sample(moment))
    assert times(places, 1000, 3000) == [1000, 3000]
    assert read_usage(places, start_ms=5000, end_ms=5000) == [sample(5000)]


def test_a_line_that_a_kill_cut_short_costs_only_itself(places: Places) -> None:
    add_sample(places, sample(1))
    with usage_file(places).open("a") as file:
        file.write('{"version":1,"time":2,"cp')
    assert times(places) == [1]
    add_sample(places, sample(3))
    with usage_file(places).open("a") as file:
        file.write(json.dumps({"version": 2, **sample(4)}) + "\n[]\nnull\n" + json.dumps({"version": 1}) + "\n")
    assert times(places) == [1, 3]


def test_both_files_together_stay_small_and_keep_the_newest(places: Places) -> None:
    for moment in range(100):
        add_sample(places, sample(moment), most_bytes=700)
    files = sorted(places.home.iterdir())
    assert [file.name for file in files] == ["usage.1.jsonl", "usage.jsonl"]
    assert sum(file.stat().st_size for file in files) < 1700
    kept = times(places)
    assert kept == list(range(kept[0], 100))
    assert len(kept) > 5


def test_the_sampler_ends_with_its_process_or_when_it_is_told_to(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("helpers.runtime.usage.EVERY_SECONDS", 0.01)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    sampler = threading.Thread(target=record_usage, args=(places, child.pid, threading.Event()))
    sampler.start()
    while not usage_file(places).exists():
        assert sampler.is_alive()
        time.sleep(0.01)
    child.communicate(b"\n")
    sampler.join(30)
    assert not sampler.is_alive()
    told = threading.Event()
    told.set()
    record_usage(places, os.getpid(), told)
    assert all(one["memory"] > 0 for one in read_usage(places, start_ms=0, end_ms=2**62))


def test_a_full_disk_leaves_gaps_and_no_error(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, tried = threading.Event(), []

    def full(_: Places, one: Sample) -> None:
        tried.append(one)
        if len(tried) == 2:
            gone.set()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("helpers.runtime.usage.EVERY_SECONDS", 0.01)
    monkeypatch.setattr("helpers.runtime.usage.add_sample", full)
    record_usage(places, os.getpid(), gone)
    assert len(tried) == 2
