"""Run pip on a lock file: its chatter goes to a log, the user sees counts, a failure is one sentence.

Standard library only.
"""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from helpers.errors import LakeprepError

AGAIN = "then run the same command again"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)\s*(;[^\\]*)?", re.MULTILINE)
_FETCHED = re.compile(r"^(?:Collecting|Processing|Requirement already satisfied:) ", re.MULTILINE)
_IGNORED = re.compile(r"^Ignoring ", re.MULTILINE)
_INSTALLING = re.compile(r"^Installing collected packages: (.*)$", re.MULTILINE)
_CAUSES = (
    (r"No space left on device|Errno 28\b|Disk quota exceeded", f"The disk is full. Free about 4 GB, {AGAIN}."),
    (r"DO NOT MATCH THE HASHES", f"A package is not the one that the lock names. Check your package mirror, {AGAIN}."),
    (
        r"after connection broken by|Max retries exceeded|Temporary failure in name resolution|ReadTimeout",
        f"The packages could not be fetched. Check the network (and a proxy, if you use one), {AGAIN}.",
    ),
)


class SetupFailed(LakeprepError):
    """The environment could not be made."""


class Line:
    """Progress: rewritten in place on a terminal, else one line when a phase begins and one when it ends."""

    def __init__(self, stream: "TextIO") -> None:
        self._stream = stream
        self._phases: dict[str, str] = {}

    def show(self, phase: str, done: int, total: int) -> None:
        text = f"{phase}: {done} of {total}"
        first = phase not in self._phases
        if self._phases.get(phase) == text or (not first and phase != list(self._phases)[-1]):
            return
        if self._stream.isatty():
            self._stream.write(("\n" if first and self._phases else "\r") + text + "\x1b[K")
        elif first or done == total:
            self._stream.write(f"{text}\n")
        self._stream.flush()
        self._phases[phase] = text

    def end(self) -> None:
        if self._phases and self._stream.isatty():
            self._stream.write("\n")


def pins(lock_text: str) -> "list[tuple[str, str, bool]]":
    """Read (name, version, needed on every machine) of each package in a lock file."""
    return [(name, version, not marker) for name, version, marker in _PIN.findall(lock_text)]


def install(
    python: Path, lock_file: Path, *, log: Path, options: "tuple[str, ...]" = (), keep_open: "tuple[int, ...]" = ()
) -> None:
    """Install the locked packages for `python`; `keep_open` are descriptors that pip holds for as long as it runs."""
    command = [str(python), "-m", "pip", "install", "--require-hashes", "--no-input", "--progress-bar=off"]
    command += ["--disable-pip-version-check", *options, "-r", str(lock_file)]
    total, started = len(pins(lock_file.read_text(encoding="utf-8"))), time.time()
    line = Line(sys.stderr)
    with running(command, log=log, keep_open=keep_open) as (process, said):
        while process.poll() is None:
            _report(line, said(), total, lambda: _written_since(started, python))
            time.sleep(0.2)
        _report(line, said(), total, lambda: _written_since(started, python))
    line.end()
    if process.returncode:
        raise SetupFailed(explain(said(), log))


@contextlib.contextmanager
def running(command: "list[str]", *, log: Path, keep_open: "tuple[int, ...]" = ()):
    """Start a command that writes to the end of `log`; give the process and a function that reads what it has said.

    It writes to a file and not to a pipe, so it ends well even when this process is killed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        out.write(f"\n$ {' '.join(command)}\n".encode())
        out.flush()
        start = out.tell()
        environ = {**os.environ, "PYTHONUNBUFFERED": "1", "PIP_USER": "0"}
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environ, pass_fds=keep_open
        )

    def said() -> str:
        with log.open("rb") as written:
            written.seek(start)
            return written.read().decode(errors="replace")

    try:
        yield process, said
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def explain(said: str, log: Path) -> str:
    """Turn what pip said into one sentence with the next step."""
    for pattern, sentence in _CAUSES:
        if re.search(pattern, said):
            return f"{sentence} Details: {log}"
    errors = [text for text in said.splitlines() if re.match(r"\s*(ERROR|error):?", text)]
    last = errors[-1].strip() if errors else (said.strip().splitlines() or ["nothing"])[-1]
    return f"pip could not install the packages; it said: {last}. Mend that, {AGAIN}. Details: {log}"


def _report(line: Line, said: str, total: int, written: "Callable[[], int]") -> None:
    wanted = total - len(_IGNORED.findall(said))
    fetched = min(len(_FETCHED.findall(said)), wanted)
    chosen = _INSTALLING.search(said)
    # Before the first package, pip has not yet said which ones this machine does not need.
    if fetched:
        line.show("Fetching packages", wanted if chosen else fetched, wanted)
    if chosen:
        names = chosen[1].count(",") + 1
        done = names if "\nSuccessfully installed " in said else min(written(), names)
        line.show("Installing packages", done, names)


def _written_since(moment: float, python: Path) -> int:
    folders = python.parent.parent.glob("lib/python3*/site-packages/*.dist-info")
    return sum(1 for folder in folders if folder.stat().st_mtime >= moment)
