"""The local Spark server from the outside: start it when it is needed, look at it, stop it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from helpers.runtime import errors, jvm
from helpers.runtime.errors import HomeInUse, NotShared, ServerNotStarted
from helpers.runtime.launch import with_repository
from helpers.runtime.locks import Holder, holder
from helpers.runtime.places import Places
from helpers.runtime.preflight import prepare
from helpers.runtime.settings import Settings
from helpers.runtime.state import ServerInfo, forget, read_info

_PATIENCE = jvm.START_SECONDS + 20


@dataclass(frozen=True)
class ServerStatus:
    """What a home's server is doing; `info` when it is running or dead, `holder` when somebody holds its lock.

    "classic": there is none, and a process has a Spark of its own over the home.
    """

    state: Literal["running", "starting", "classic", "dead", "stopped"]
    info: ServerInfo | None
    holder: Holder | None


def server_status(places: Places) -> ServerStatus:
    """Look, without changing anything; "starting" includes the moments in which a server stops."""
    held, info = holder(places.server_lock), read_info(places)
    if info is not None and info.answers:
        return ServerStatus("running", info, held)
    if held is not None:
        return ServerStatus("classic" if held.purpose == "classic" else "starting", info, held)
    return ServerStatus("dead" if places.server_file.exists() else "stopped", info, None)


def ensure_server(
    places: Places, *, report: Callable[[str], None] = print, environ: Mapping[str, str] = os.environ
) -> ServerInfo:
    """Give the home's server, starting it when there is none; one of our errors when it cannot be had."""
    settings = Settings.from_environment(environ)
    if settings.spark == "classic":
        raise NotShared(
            "LAKEPREP_SPARK=classic gives each process a Spark of its own, and this needs the one that all processes "
            "share. Unset LAKEPREP_SPARK."
        )
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        status = server_status(places)
        if status.state == "running" and status.info is not None:
            _check_version(status.info)
            return status.info
        if status.state == "classic":
            raise home_in_use(places)
        if status.holder is None:
            prepare(places, settings, report=report, environ=environ)
            report("Starting the Spark server (about 10 seconds)")
            _start(places, environ=environ)
        else:
            time.sleep(0.1)
    raise ServerNotStarted(
        f"Another process is starting a Spark server for {places.root} and did not finish. "
        f"Run `python3 -m helpers stop` and try again; what it wrote is in {places.server_log}."
    )


def home_in_use(places: Places) -> HomeInUse:
    """Say whose Spark is over the home; the caller found that it is not free."""
    held = _named_holder(places)
    purpose = "a classic Spark session" if held is not None and held.purpose == "classic" else "the Spark server"
    who = f" (process {held.process.pid})" if held is not None and held.process is not None else ""
    return HomeInUse(
        f"The home {places.root} is in use by {purpose}{who}. End that one, or name another folder with LAKEPREP_HOME."
    )


def stop_server(places: Places, *, patience: float = 25.0) -> bool:
    """End the home's server, in whatever state it is; False when there was none.

    It is asked first, and killed when it has not ended after `patience` seconds. A process that has a classic session
    is somebody's notebook and is left alone.
    """
    stopped = False
    held = _named_holder(places)
    if held is not None and held.process is not None and held.purpose != "classic":
        held.process.signal(signal.SIGTERM)
        if not held.process.wait(patience):
            held.process.signal(signal.SIGKILL)
            held.process.wait(10.0)
        stopped = True
    info = read_info(places)
    if info is not None and jvm.end(info.jvm):
        stopped = True
    if _released(places):
        forget(places)
    return stopped


def _released(places: Places, *, patience: float = 5.0) -> bool:
    """Whether nobody holds the lock; a process that ends holds it until the last of its threads is gone."""
    deadline = time.monotonic() + patience
    while (held := holder(places.server_lock)) is not None and held.process is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return held is None


def _start(places: Places, *, environ: Mapping[str, str]) -> None:
    """Start a supervisor and wait for its outcome; nothing happens when another one was quicker."""
    with places.server_log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers.runtime.supervisor", str(places.root)],
            cwd=places.home,
            env=with_repository(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    with process:
        assert process.stdout is not None
        answered = select.select([process.stdout], [], [], _PATIENCE)[0]
        line = process.stdout.readline() if answered else b""
    _judge(places, line)


def _judge(places: Places, line: bytes) -> None:
    try:
        outcome = json.loads(line)
    except ValueError:
        message = f"The Spark server ended while it was starting. What it wrote is in {places.server_log}."
        raise ServerNotStarted(message) from None
    if "error" in outcome:
        raise getattr(errors, outcome["error"], ServerNotStarted)(outcome["message"])


def _named_holder(places: Places) -> Holder | None:
    """Who holds the lock; a process that took it this instant gets two seconds to write its name."""
    for _ in range(20):
        held = holder(places.server_lock)
        if held is None or held.process is not None:
            return held
        time.sleep(0.1)
    return held


def _check_version(info: ServerInfo) -> None:
    if info.spark != version("pyspark"):
        raise ServerNotStarted(
            f"The running server is Spark {info.spark}, but this environment has {version('pyspark')}. "
            "Run `python3 -m helpers stop`, then try again."
        )
