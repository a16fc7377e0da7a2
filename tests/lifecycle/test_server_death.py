"""What a killed server leaves: every table, and one sentence for those who used it."""

from __future__ import annotations

import os
import signal
import time

import pytest

from helpers.runtime import ensure_server, server_status, stop_server

# The claim is that nobody hangs, so it has a deadline; the rest of the suite has none.
_DEADLINE = 10.0


@pytest.fixture(scope="module")
def written(world) -> None:
    """A table that must outlive everything below."""
    world.run("attach(places).range(5).write.saveAsTable('kept')")


def test_a_killed_jvm_is_one_sentence_in_time_and_attaching_again_finds_the_tables(world, written) -> None:
    said = world.run(
        """
import os, signal, time
from helpers.runtime.errors import ServerDied
spark = attach(places, report=lambda message: None)
dead = server_status(places).info
os.kill(dead.jvm_pid, signal.SIGKILL)
started = time.monotonic()
try:
    spark.table("kept").count()
except ServerDied as error:
    print(time.monotonic() - started)
    print(error)
print(dead.jvm_pid, dead.supervisor.wait(10), places.server_file.exists())
# The dead session is still open here, as in a notebook: attaching replaces it.
again = attach(places, report=lambda message: None)
print(again is spark, again.table("kept").count())
"""
    ).splitlines()
    seconds, sentence, ended, answer = said
    pid = ended.split()[0]
    assert float(seconds) < _DEADLINE
    assert sentence.startswith(f"The Spark server (process {pid}) has ended. ")
    assert "your tables are kept" in sentence
    assert ended == f"{pid} True False", "the supervisor outlived its JVM"
    assert answer == "False 5"


def test_a_query_that_runs_while_the_jvm_is_killed_ends_in_one_sentence(world, written) -> None:
    process = world.start(
        """
import time
from pyspark.sql.functions import udf
spark = attach(places, report=lambda message: None)
@udf("int")
def slow(x):
    time.sleep(120)
    return 1
print("running", flush=True)
try:
    spark.range(1).select(slow("id")).collect()
except Exception as error:
    print(type(error).__name__, flush=True)
"""
    )
    assert process.stdout.readline() == "running\n"
    info = server_status(world.places).info
    time.sleep(2)
    os.kill(info.jvm_pid, signal.SIGKILL)
    started = time.monotonic()
    said, complained = process.communicate(timeout=60)
    assert (said, process.returncode) == ("ServerDied\n", 0), complained
    assert time.monotonic() - started < _DEADLINE


def test_a_killed_supervisor_takes_its_jvm_with_it_and_the_tables_stay(world, written) -> None:
    info = ensure_server(world.places, environ=world.environ)
    os.kill(info.pid, signal.SIGKILL)
    assert info.jvm.wait(_DEADLINE), "the JVM outlived its supervisor"
    assert server_status(world.places).state == "dead"
    assert world.run("print(attach(places, report=lambda message: None).table('kept').count())") == "5\n"


def test_a_supervisor_that_does_not_react_is_stopped_all_the_same(world, written) -> None:
    info = ensure_server(world.places, environ=world.environ)
    os.kill(info.pid, signal.SIGSTOP)
    assert stop_server(world.places, patience=1.0)
    assert info.supervisor.wait(0)
    assert info.jvm.wait(_DEADLINE)
    assert server_status(world.places).state == "stopped"


def test_a_server_is_stopped_while_it_starts(fresh) -> None:
    process = fresh.start(
        """
try:
    ensure_server(places, report=lambda message: None)
except Exception as error:
    print(type(error).__name__, error)
"""
    )
    deadline = time.monotonic() + 60
    while (held := server_status(fresh.places).holder) is None or held.process is None:
        assert time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    assert stop_server(fresh.places)
    said, _ = process.communicate(timeout=60)
    assert said.startswith("ServerNotStarted The Spark server was stopped while it was starting")
    assert server_status(fresh.places).state == "stopped"
    assert not held.process.alive


def test_a_server_that_nobody_uses_stops_itself_and_one_that_is_used_does_not(fresh) -> None:
    fresh.environ["LAKEPREP_IDLE_SECONDS"] = "3"
    user = fresh.start("attach(places)\nprint('attached', flush=True)\ninput()", PYTHONUNBUFFERED="1")
    while user.stdout.readline() != "attached\n":
        assert user.poll() is None
    info = server_status(fresh.places).info
    time.sleep(6)
    assert info.answers
    user.communicate("\n", timeout=60)
    assert info.supervisor.wait(30)
    assert server_status(fresh.places).state == "stopped"
