from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.runtime import Places, server
from helpers.runtime.jvm import start_reaper
from helpers.runtime.locks import holder, try_lock
from helpers.runtime.processes import Process
from helpers.runtime.state import living_clients, read_info, register_client

_PROCESS_THAT_LOCKS = """
import sys, time
from pathlib import Path
from helpers.runtime.locks import try_lock
print(try_lock(Path(sys.argv[1]), now=7.0) is not None, flush=True)
time.sleep(600)
"""

_PROCESS_WHOSE_FIRST_THREAD_ENDS = """
import ctypes, sys, threading
from pathlib import Path
from helpers.runtime.locks import try_lock
try_lock(Path(sys.argv[1]), now=7.0)
threading.Thread(target=sys.stdin.read).start()
print("locked", flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def test_a_process_is_known_by_its_start_and_not_by_its_number_alone(sleeper: subprocess.Popen[bytes]) -> None:
    known = Process.of(sleeper.pid)
    assert known.alive
    assert not Process(sleeper.pid, "ticks:1").alive
    Process(sleeper.pid, "ticks:1").signal(9)
    assert known.alive
    sleeper.kill()
    assert known.wait(10), "a killed child that nobody has waited for counts as dead"
    assert not Process(2**22 + 1, known.start).alive


def test_a_lock_tells_who_holds_it_and_ends_with_its_process(tmp_path: Path) -> None:
    lock = tmp_path / "server.lock"
    assert holder(lock) is None
    command = [sys.executable, "-c", _PROCESS_THAT_LOCKS, str(lock)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": os.getcwd()})
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        held = holder(lock)
        assert held is not None
        assert held.process == Process.of(process.pid)
        assert (held.since, _PROCESS_THAT_LOCKS.split()[0] in held.command) == (7.0, True)
        assert try_lock(lock, now=8.0, patience=0.1) is None
    finally:
        process.kill()
        process.communicate()
    assert holder(lock) is None
    mine = try_lock(lock, now=9.0)
    assert mine is not None
    os.close(mine)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process thread by thread for all to see")
def test_a_process_lives_and_keeps_its_lock_until_its_last_thread_has_ended(tmp_path: Path) -> None:
    lock = tmp_path / "server.lock"
    command = [sys.executable, "-c", _PROCESS_WHOSE_FIRST_THREAD_ENDS, str(lock)]
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"locked\n"
        known, stat = Process.of(process.pid), Path(f"/proc/{process.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            time.sleep(0.01)
        held = holder(lock)
        assert known.alive
        assert held is not None
        assert held.process == known
        process.stdin.close()
        assert known.wait(10)
        assert holder(lock) is None


def test_a_process_is_ended_when_the_one_that_watches_over_it_dies(sleeper: subprocess.Popen[bytes]) -> None:
    reaper = start_reaper(Process.of(sleeper.pid))
    time.sleep(1)
    assert sleeper.poll() is None
    assert reaper.stdin is not None
    reaper.stdin.close()
    assert sleeper.wait(20) == -9
    reaper.wait(20)


def test_clients_that_died_are_forgotten_and_damaged_files_too(tmp_path: Path) -> None:
    places = Places(tmp_path)
    assert living_clients(places) == []
    mine = register_client(places)
    assert living_clients(places) == [Process.current()]
    (places.clients / "1-ticks-1.json").write_text('{"version": 1, "pid": 1, "start": "ticks:no"}')
    (places.clients / "2-ticks-2.json").write_text("{")
    assert living_clients(places, prune=False) == [Process.current()]
    assert len(list(places.clients.iterdir())) == 3
    assert living_clients(places) == [Process.current()]
    assert list(places.clients.iterdir()) == [mine]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1}', '{"version": 1, "port": "x"}'])
def test_a_damaged_server_file_is_like_none(tmp_path: Path, text: str) -> None:
    places = Places(tmp_path)
    places.home.mkdir()
    places.token_file.write_text("t")
    places.server_file.write_text(text)
    assert read_info(places) is None


def test_a_lock_is_free_when_the_last_thread_of_a_process_that_ended_is_gone(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.home.mkdir(parents=True)
    lock = try_lock(places.server_lock, now=1.0)
    assert lock is not None
    assert not server._released(places)  # by somebody who lives
    gone = {"version": 1, "pid": 4194305, "start": "ticks:1", "command": "server", "since": 1.0}
    places.server_lock.write_text(json.dumps(gone))
    assert not server._released(places, patience=0.1)
    last_thread = threading.Timer(0.3, os.close, [lock])
    last_thread.start()
    assert server._released(places)
    last_thread.join()
