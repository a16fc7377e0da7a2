"""Spark's counters come over the loopback address, and only those with the token count."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from helpers.runtime.counters import NAMES, Counters

SINK = "spark.metrics.conf.*.sink.graphite"


@pytest.fixture
def counters() -> Iterator[Counters]:
    counters = Counters()
    yield counters
    counters.close()


def send(counters: Counters, *lines: str) -> None:
    told = counters.properties
    with socket.create_connection((told[f"{SINK}.host"], int(told[f"{SINK}.port"]))) as connection:
        connection.sendall("".join(f"{line}\n" for line in lines).encode())


def test_the_newest_value_of_each_counter_is_read_and_strangers_are_not_heard(counters: Counters) -> None:
    token = counters.properties[f"{SINK}.prefix"]
    assert counters.read() == {}
    send(
        counters,
        f"{token}.local-1.driver.executor.shuffleBytesWritten.count 10 1700000000",
        f"{token}.local-1.driver.executor.shuffleBytesWritten.count 30 1700000001",
        f"{token}.local-1.driver.executor.shuffleTotalBytesRead.count 25 1700000001",
        "guess.local-1.driver.executor.diskBytesSpilled.count 9 1700000001",
        f"{token}.local-1.driver.executor.memoryBytesSpilled.count 8 1700000001",
        f"{token}.local-1.driver.executor.diskBytesSpilled.count -1 1700000001",
        "\N{SNOWMAN}",
        f"{token}.local-1.driver.executor.diskBytesSpilled.count 4 1700000002",
    )
    deadline = time.monotonic() + 30
    while "spilled" not in counters.read() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert counters.read() == {"shuffle_written": 30, "shuffle_read": 25, "spilled": 4}


def test_it_listens_on_loopback_only_and_asks_spark_for_these_counters(counters: Counters) -> None:
    told = counters.properties
    assert told[f"{SINK}.host"] == "127.0.0.1"
    assert all(name in told[f"{SINK}.regex"] for name in NAMES)
    assert len(told[f"{SINK}.prefix"]) == 32


def test_where_nothing_can_listen_a_server_is_asked_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)
    counters = Counters()
    assert counters.properties == {}
    assert counters.read() == {}
    counters.close()
