"""The process that owns the server's JVM: `python -m helpers.runtime.supervisor ROOT`.

It holds the home's lock for its whole life, writes `server.json` once the port answers, and ends the JVM when
it ends itself, when it is asked to, or when nobody has used the server for an hour. Its first line on standard output
is one JSON object for who started it: `{"ready": true}`, `{"busy": true}` or `{"error": …}`.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from helpers.errors import LakeprepError
from helpers.runtime import jvm
from helpers.runtime.counters import Counters
from helpers.runtime.errors import PortTaken
from helpers.runtime.launch import Launch
from helpers.runtime.locks import try_lock
from helpers.runtime.places import Places
from helpers.runtime.preflight import free_port, prepare
from helpers.runtime.processes import Process
from helpers.runtime.settings import Settings
from helpers.runtime.state import ServerInfo, forget, living_clients, read_info, write_info
from helpers.runtime.usage import record_usage

_STOPPED = "The Spark server was stopped while it was starting. Start it again when you need it."


@dataclass
class _Starter:
    """Who started us and reads the first line of our standard output; it may be gone by then."""

    told: bool = False

    def tell(self, **outcome: object) -> None:
        """Say the outcome, once."""
        if self.told:
            return
        self.told = True
        with suppress(OSError):
            os.write(1, json.dumps(outcome).encode() + b"\n")
        os.dup2(2, 1)


def main(root: str) -> int:
    # Its starter may be a notebook's kernel, which ends all its children when it ends: be nobody's child.
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    return supervise(Places(Path(root)), environ=os.environ)


def _stop(*_: object) -> None:
    # A second request must not interrupt the ending.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(0)


def supervise(places: Places, *, environ: Mapping[str, str]) -> int:
    """Run one server from start to end; the exit code is 0 unless it could not be started."""
    starter = _Starter()
    lock = try_lock(places.server_lock, now=time.time())
    if lock is None:
        starter.tell(busy=True)
        return 0
    try:
        with ExitStack() as stack:
            stack.callback(_clean, places)
            _new_log(places)
            _serve(places, stack, starter, environ=environ)
    except LakeprepError as error:
        starter.tell(error=type(error).__name__, message=str(error))
        return 1
    except OSError as error:
        reason = error.strerror or error
        message = f"The home {places.home} cannot be used: {reason}. Free space there or make it writable."
        starter.tell(error="HomeUnusable", message=message)
        return 1
    finally:
        starter.tell(error="ServerNotStarted", message=_STOPPED)
    return 0


def _serve(places: Places, stack: ExitStack, starter: _Starter, *, environ: Mapping[str, str]) -> None:
    settings = Settings.from_environment(environ)
    launch, counters = prepare(places, settings, report=_no_report, environ=environ), Counters()
    stack.callback(counters.close)
    info, process = _start(replace(launch, properties=counters.properties), stack, environ=environ)
    write_info(places, info)
    stack.callback(forget, places)
    starter.tell(ready=True)
    gone = _sample(process, places, counters)
    _watch(gone, places, idle_seconds=settings.idle_seconds, warm_up=settings.warm_up, stack=stack)


def _start(launch: Launch, stack: ExitStack, *, environ: Mapping[str, str]) -> tuple[ServerInfo, jvm.Jvm]:
    """Start a JVM and wait until it answers; a port that was taken in between is chosen anew."""
    places = launch.places
    orphan = read_info(places)
    if orphan is not None:
        jvm.end(orphan.jvm)
    _clean(places)
    token = secrets.token_hex(24)
    for attempt in (1, 2, 3):
        port = launch.settings.port or free_port()
        process = jvm.Jvm.start(launch, port=port, token=token, environ=environ)
        stack.callback(process.end)
        try:
            process.wait_for_port(port)
            break
        except PortTaken:
            if attempt == 3 or launch.settings.port:
                raise
    info = ServerInfo(
        port=port,
        token=token,
        supervisor=Process.current(),
        jvm=process.identity,
        spark=version("pyspark"),
        started=time.time(),
        log=places.server_log,
    )
    return info, process


def _sample(process: jvm.Jvm, places: Places, counters: Counters) -> threading.Event:
    """Write down what the JVM uses from now on; gives an event that is set once it has ended."""
    gone = threading.Event()
    threading.Thread(target=lambda: (process.wait(), gone.set()), daemon=True).start()
    what = (places, process.identity.pid, gone)
    threading.Thread(target=record_usage, args=what, kwargs={"counted": counters.read}, daemon=True).start()
    return gone


def _watch(gone: threading.Event, places: Places, *, idle_seconds: float, warm_up: bool, stack: ExitStack) -> None:
    """Return when the JVM has ended, or when nobody has used it for so long."""
    if warm_up:
        visitor = jvm.start_warm_up(places)
        stack.callback(visitor.terminate)
        threading.Thread(target=visitor.wait, daemon=True).start()
    last_used = time.monotonic()
    while not gone.wait(min(10.0, idle_seconds / 3)):
        if living_clients(places):
            last_used = time.monotonic()
        elif time.monotonic() - last_used >= idle_seconds:
            return


def _clean(places: Places) -> None:
    """Remove what a server leaves; nobody else uses it while the lock is held."""
    forget(places)
    for leftover in (places.scratch, places.home / "artifacts", places.home / "spark-warehouse"):
        shutil.rmtree(leftover, ignore_errors=True)
    places.scratch.mkdir(parents=True, exist_ok=True)


def _no_report(message: str) -> None:
    """The starter has reported already."""


def _new_log(places: Places) -> None:
    """Keep the last server's log beside the new one."""
    if places.server_log.exists() and places.server_log.stat().st_size:
        os.replace(places.server_log, places.server_log.with_suffix(".log.1"))
    log = os.open(places.server_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.fchmod(log, 0o600)
    os.dup2(log, 2)
    os.close(log)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
