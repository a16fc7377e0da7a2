"""What the Spark server uses: CPU, memory, shuffle and spill, sampled every two seconds into files of bounded size."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict

from helpers.runtime.counters import NAMES
from helpers.runtime.places import Places

VERSION = 1
EVERY_SECONDS = 2.0
MOST_BYTES = 1024 * 1024  # of each file: about six hours


class Sample(TypedDict):
    """What the JVM and the Python workers below it used.

    `time` is in milliseconds since 1970, `cpu` the cores kept busy since the sample before, `memory` in bytes;
    `cores` and `total` (bytes) are the machine's. `shuffle_written`, `shuffle_read` and `spilled` (to disk) are bytes
    since the sample before, as Spark counts them.
    """

    time: int
    cpu: float
    memory: int
    cores: int
    total: int
    shuffle_written: int
    shuffle_read: int
    spilled: int


@dataclass(frozen=True)
class Reading:
    """The CPU seconds of each process so far, and the bytes of all; `at` is in seconds of any one clock.

    `counted` are the bytes that Spark has shuffled and spilled so far.
    """

    at: float
    seconds: Mapping[int, float]
    memory: int
    counted: Mapping[str, int] = field(default_factory=dict)


def usage_file(places: Places) -> Path:
    """Where the samples of now are; those before them are in `usage.1.jsonl` beside it."""
    return places.home / "usage.jsonl"


def record_usage(
    places: Places, pid: int, gone: threading.Event, *, counted: Callable[[], Mapping[str, int]] = dict
) -> None:
    """Add a sample every two seconds until the event is set or the process is gone; a full disk only leaves gaps."""
    import psutil

    cores, total = psutil.cpu_count() or 1, psutil.virtual_memory().total
    before: Reading | None = None
    with suppress(psutil.Error):
        while True:
            now = replace(read_process(pid), counted=counted())
            if before is not None:
                with suppress(OSError):
                    add_sample(places, between(before, now, now_ms=int(time.time() * 1000), cores=cores, total=total))
            before = now
            if gone.wait(EVERY_SECONDS):
                return


def read_process(pid: int) -> Reading:
    """Look at a process and all below it; psutil.NoSuchProcess when it is gone."""
    import psutil

    root = psutil.Process(pid)
    seconds: dict[int, float] = {}
    memory = 0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.Error):
            times, used = process.cpu_times(), process.memory_info().rss
            seconds[process.pid] = times.user + times.system
            memory += used
    if not memory:  # it has ended, and nobody has waited for it yet
        raise psutil.NoSuchProcess(pid)
    return Reading(time.monotonic(), seconds, memory)


def between(before: Reading, now: Reading, *, now_ms: int, cores: int, total: int) -> Sample:
    """Give the sample of the time between two readings; what a process used that ended in between is not known."""
    used = sum(max(spent - before.seconds.get(pid, 0.0), 0.0) for pid, spent in now.seconds.items())
    cpu = round(used / max(now.at - before.at, 0.001), 3)
    bytes_ = {name: max(now.counted.get(name, 0) - before.counted.get(name, 0), 0) for name in NAMES.values()}
    return Sample(time=now_ms, cpu=cpu, memory=now.memory, cores=cores, total=total, **bytes_)


def add_sample(places: Places, sample: Sample, *, most_bytes: int = MOST_BYTES) -> None:
    """Append one line; a file that is full becomes the older one, which is given up."""
    path = usage_file(places)
    line = json.dumps({"version": VERSION, **sample}, separators=(",", ":")).encode() + b"\n"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(file).st_size
        torn = size and os.pread(file, 1, size - 1) != b"\n"  # a kill cut the last line short
        os.write(file, b"\n" + line if torn else line)
    finally:
        os.close(file)
    if size + len(line) >= most_bytes:
        os.replace(path, _older(path))


def read_usage(places: Places, *, start_ms: int, end_ms: int) -> list[Sample]:
    """Give the samples from one moment to another, oldest first; damaged lines and other versions are left out."""
    path = usage_file(places)
    found = (sample for file in (_older(path), path) for sample in _samples(file))
    return sorted((one for one in found if start_ms <= one["time"] <= end_ms), key=lambda one: one["time"])


def _older(path: Path) -> Path:
    return path.with_suffix(".1.jsonl")


def _samples(path: Path) -> Iterator[Sample]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        with suppress(ValueError, KeyError, TypeError):
            yield _sample(json.loads(line))


def _sample(record: Mapping[str, Any]) -> Sample:
    if record["version"] != VERSION:
        raise ValueError(record["version"])
    return Sample(
        time=int(record["time"]),
        cpu=float(record["cpu"]),
        memory=int(record["memory"]),
        cores=int(record["cores"]),
        total=int(record["total"]),
        shuffle_written=int(record["shuffle_written"]),
        shuffle_read=int(record["shuffle_read"]),
        spilled=int(record["spilled"]),
    )
