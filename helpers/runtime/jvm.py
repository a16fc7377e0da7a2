"""The JVM as a child of the supervisor: started, waited for, ended, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from helpers.runtime.errors import HomeUnusable, NotEnoughMemory, PortTaken, ServerNotStarted
from helpers.runtime.launch import Launch, environment, jvm_command, with_repository, write_configuration
from helpers.runtime.places import Places
from helpers.runtime.processes import Process
from helpers.runtime.state import port_open

START_SECONDS = 180.0
_GRACE = 10.0
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Jvm:
    """The running child; it must be ended by the process that started it."""

    process: subprocess.Popen[bytes]
    identity: Process
    log: Path
    log_start: int

    @classmethod
    def start(cls, launch: Launch, *, port: int, token: str, environ: Mapping[str, str]) -> Jvm:
        places = launch.places
        properties = write_configuration(launch, port=port)
        with places.server_log.open("ab") as log:
            process = subprocess.Popen(
                jvm_command(launch, properties=properties),
                cwd=places.home,
                env={**environment(launch, environ=environ), "SPARK_CONNECT_AUTHENTICATE_TOKEN": token},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent(),
            )
            log_start = log.tell()
        identity = Process.of(process.pid)
        if sys.platform != "linux":
            start_reaper(identity)
        return cls(process, identity, places.server_log, log_start)

    def wait(self) -> None:
        self.process.wait()

    def wait_for_port(self, port: int) -> None:
        """Return once the server answers; one of our errors when it ends first or stays silent."""
        deadline = time.monotonic() + START_SECONDS
        while not port_open(port):
            if self.process.poll() is not None:
                raise explain(self._said(), log=self.log, port=port)
            if time.monotonic() >= deadline:
                raise ServerNotStarted(
                    f"The Spark server did not answer within {START_SECONDS:.0f} s. What it wrote is in {self.log}."
                )
            time.sleep(0.1)

    def end(self) -> None:
        """TERM, then KILL."""
        for stop, patience in ((self.process.terminate, _GRACE), (self.process.kill, _GRACE)):
            stop()
            try:
                self.process.wait(patience)
                return
            except subprocess.TimeoutExpired:
                continue

    def _said(self) -> str:
        with self.log.open("rb") as stream:
            stream.seek(self.log_start)
            return stream.read().decode(errors="replace")


def end(process: Process) -> bool:
    """End a process that is not our child, TERM and then KILL; False when there was nothing to end."""
    if not process.alive:
        return False
    process.signal(signal.SIGTERM)
    if not process.wait(_GRACE):
        process.signal(signal.SIGKILL)
        process.wait(_GRACE)
    return True


def explain(said: str, *, log: Path, port: int) -> Exception:
    """Turn what a JVM wrote before it ended into the error that a user can act on."""
    if "Address already in use" in said or "BindException" in said:
        return PortTaken(f"Port {port} was taken by another program while the Spark server started. Try again.")
    if "No space left on device" in said:
        return HomeUnusable(f"The disk is full: the Spark server cannot write to {log.parent}. Free some space.")
    if "Could not reserve enough space" in said or "insufficient memory" in said:
        return NotEnoughMemory("There is too little memory for the Spark server. Set LAKEPREP_HEAP to less: 1g.")
    if "ERROR XSDB6" in said:
        return ServerNotStarted(
            f"Another program has the metastore in {log.parent} open. Run `python3 -m helpers doctor` to see who it is."
        )
    lines = [line.strip() for line in said.splitlines() if "Exception" in line or "Error" in line or " ERROR " in line]
    why = f": {lines[0][:300]}" if lines else ""
    return ServerNotStarted(f"The Spark server ended while it was starting{why}. All that it wrote is in {log}.")


def start_warm_up(places: Places) -> subprocess.Popen[bytes]:
    """Let a process of low priority make the first, slow use of the server."""
    return _python("helpers.runtime.warmup", str(places.root), stdin=subprocess.DEVNULL)


def start_reaper(process: Process) -> subprocess.Popen[bytes]:
    """Let another process end this one when we are gone: outside Linux nothing else does."""
    return _python("helpers.runtime.reaper", str(process.pid), process.start, stdin=subprocess.PIPE)


def _python(module: str, *arguments: str, stdin: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, stdin=stdin, env=with_repository(os.environ), start_new_session=True)


def _die_with_parent() -> Callable[[], None] | None:
    """On Linux the kernel kills the JVM when its supervisor ends, however that ends."""
    if sys.platform != "linux":
        return None
    import ctypes

    library, parent = ctypes.CDLL(None), os.getpid()

    def before_exec() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return before_exec
