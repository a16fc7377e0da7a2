"""Look at the machine and say what is wrong and how to mend it; nothing is changed."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from helpers.errors import LakeprepError
from helpers.runtime.jars import jars_folder, missing_jars, needed_jars
from helpers.runtime.java import find_java, find_jdk
from helpers.runtime.places import Places
from helpers.runtime.preflight import NEEDED_DISK_MB, check_memory, check_port, memory_mb
from helpers.runtime.processes import command_of
from helpers.runtime.server import ServerStatus, server_status
from helpers.runtime.settings import Settings
from helpers.runtime.state import living_clients, port_open, read_info

OLDEST_PYTHON = (3, 11)
_COMFORTABLE_DISK_MB = 2048
_STUCK_SECONDS = 300.0
_ELSEWHERE = ("SPARK_REMOTE", "DATABRICKS_RUNTIME_VERSION")
_IGNORED = ("SPARK_HOME", "SPARK_CONF_DIR", "JAVA_TOOL_OPTIONS")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `next_step` is empty when there is nothing to do."""

    level: Literal["ok", "note", "problem"]
    what: str
    next_step: str = ""


def diagnose(places: Places, *, environ: Mapping[str, str] = os.environ, now: float | None = None) -> list[Finding]:
    """Look at Python, memory, disk, Java, JARs, the server with its lock and files, and the variables that are set."""
    now = time.time() if now is None else now
    findings = [_python(sys.version_info[:3])]
    try:
        settings = Settings.from_environment(environ)
    except LakeprepError as error:
        findings.append(Finding("problem", str(error), "Correct that variable, or unset it."))
        settings = Settings()
    status = server_status(places)
    findings += [_memory(settings, status), _disk(places), _java(settings), _jars()]
    findings += [*_server(places, status, now=now), *_leftovers(places, status)]
    findings += [*_port(settings, status), *_variables(environ)]
    return findings


def _python(version: tuple[int, ...]) -> Finding:
    text = ".".join(map(str, version))
    if version[:2] < OLDEST_PYTHON:
        step = "Install Python 3.11 or newer and run this again with it."
        return Finding("problem", f"Python {text} is too old.", step)
    return Finding("ok", f"Python {text} ({sys.executable}).")


def _memory(settings: Settings, status: ServerStatus) -> Finding:
    total, available = memory_mb()
    seen = f"{available / 1024:.1f} of {total / 1024:.1f} GB of memory is free"
    if status.holder is not None:
        return Finding("ok", f"{seen}, with the server running.")
    return _try(lambda: check_memory(settings.heap_mb, total_mb=total, available_mb=available), f"{seen}.")


def _disk(places: Places) -> Finding:
    folder = next(path for path in (places.home, *places.home.parents) if path.exists())
    free = shutil.disk_usage(folder).free // 2**20
    what = f"{free:,} MB of disk are free at {places.root}."
    if not os.access(folder, os.W_OK):
        step = "Make it writable, or name another with LAKEPREP_HOME."
        return Finding("problem", f"{folder} cannot be written.", step)
    if free < _COMFORTABLE_DISK_MB:
        level: Literal["note", "problem"] = "problem" if free < NEEDED_DISK_MB else "note"
        return Finding(level, what, "Free some space, or name a folder on another disk with LAKEPREP_HOME.")
    return Finding("ok", what)


def _java(settings: Settings) -> Finding:
    try:
        java = find_jdk(settings.java) if settings.spark == "classic" else find_java(settings.java)
    except LakeprepError as error:
        return _problem(error)
    return Finding("ok", f"Java {java.major} ({'it came with the environment' if java.bundled else java.binary}).")


def _jars() -> Finding:
    folder, total = jars_folder(), len(needed_jars())
    missing = missing_jars(folder)
    if missing:
        names = ", ".join(jar.file_name for jar in missing)
        step = "They are fetched when the server is started; that needs a network once."
        what = f"{len(missing)} of Delta's {total} JARs are missing or damaged in {folder}: {names}."
        return Finding("note", what, step)
    return Finding("ok", f"All {total} of Delta's JARs are in {folder}, and their SHA-256 is right.")


def _server(places: Places, status: ServerStatus, *, now: float) -> Iterator[Finding]:
    if status.state == "running" and status.info is not None:
        info = status.info
        seen = f"process {info.pid}, JVM {info.jvm_pid}, port {info.port}, since {_moment(info.started)}"
        clients = len(living_clients(places, prune=False))
        yield Finding("ok", f"The Spark {info.spark} server is running ({seen}, {clients} attached).")
    elif status.state == "starting":
        step = "Wait a moment, or run `python3 -m helpers stop`."
        yield Finding("note", "A Spark server is starting or stopping.", step)
    elif status.state == "classic":
        yield Finding("ok", "No Spark server is running: a process has a Spark of its own over this home.")
    elif status.state == "dead":
        step = "Nothing to do: the next start tidies up; your tables are kept."
        yield Finding("note", f"The last Spark server died; what it wrote is in {places.server_log}.", step)
    else:
        yield Finding("ok", "No Spark server is running; the first notebook that needs one starts it.")
    if status.holder is not None:
        yield _holder(status, now=now)


def _holder(status: ServerStatus, *, now: float) -> Finding:
    held = status.holder
    assert held is not None
    if held.process is None:
        return Finding("note", "The server's lock is held by a process without a name yet.", "Look again in a moment.")
    since = _moment(held.since) if held.since else "an unknown time"
    command = command_of(held.process.pid) or held.command
    what = f"Process {held.process.pid} holds the server's lock since {since}: {command}"
    if status.state == "starting" and held.since is not None and now - held.since > _STUCK_SECONDS:
        return Finding("problem", what, "It is stuck: run `python3 -m helpers stop`.")
    return Finding("ok", what)


def _leftovers(places: Places, status: ServerStatus) -> Iterator[Finding]:
    info = read_info(places)
    if status.holder is None and info is not None and info.jvm.alive:
        step = "Run `python3 -m helpers stop`."
        yield Finding("problem", f"The JVM {info.jvm_pid} has lost its supervisor and still runs.", step)
    if places.server_file.exists() and info is None:
        step = "Run `python3 -m helpers stop`, which removes it; your tables are kept."
        yield Finding("problem", f"{places.server_file} is damaged, or of another version.", step)


def _port(settings: Settings, status: ServerStatus) -> Iterator[Finding]:
    if settings.port is None or (status.info is not None and status.info.port == settings.port and status.info.answers):
        return
    if port_open(settings.port):
        yield _try(lambda: check_port(settings.port or 0), "")
    else:
        yield Finding("ok", f"Port {settings.port}, which LAKEPREP_PORT names, is free.")


def _variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    for name in sorted(environ):
        if name.startswith("LAKEPREP_"):
            yield Finding("note", f"{name} is set to {environ[name]!r}.")
    for name in filter(environ.get, _ELSEWHERE):
        # What follows the address may hold a token.
        value = environ[name].split(";")[0]
        yield Finding("note", f"{name} is set to {value!r}.", f"Unset {name} to use the local server.")
    for name in filter(environ.get, _IGNORED):
        yield Finding("note", f"{name} is set; the local server does not use it.")


def _try(check: Callable[[], None], fine: str) -> Finding:
    """Turn one of our checks into a finding."""
    try:
        check()
    except LakeprepError as error:
        return _problem(error)
    return Finding("ok", fine)


def _problem(error: LakeprepError) -> Finding:
    """Our messages say what is wrong in their first sentence and the next step in the others."""
    what, _, step = str(error).partition(". ")
    return Finding("problem", f"{what}.", step)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
