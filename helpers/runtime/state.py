"""What the home says about its server: `server.json`, the token and the attached clients."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path

from helpers.runtime.places import Places
from helpers.runtime.processes import Process

VERSION = 1


@dataclass(frozen=True)
class ServerInfo:
    """A server that was ready when this was written; `started` in seconds since 1970."""

    port: int
    token: str = field(repr=False)
    supervisor: Process
    jvm: Process
    spark: str
    started: float
    log: Path

    @property
    def pid(self) -> int:
        return self.supervisor.pid

    @property
    def jvm_pid(self) -> int:
        return self.jvm.pid

    @property
    def remote(self) -> str:
        """The connection string; with any other name for this host the client would demand TLS."""
        return f"sc://localhost:{self.port}/;token={self.token}"

    @property
    def alive(self) -> bool:
        """Both processes exist."""
        return self.supervisor.alive and self.jvm.alive

    @property
    def answers(self) -> bool:
        """The processes exist and the port is open."""
        return self.alive and port_open(self.port)


def port_open(port: int, *, seconds: float = 2.0) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), seconds).close()
    except OSError:
        return False
    return True


def write_info(places: Places, info: ServerInfo) -> None:
    record = {
        "version": VERSION,
        "pid": info.supervisor.pid,
        "pid_start": info.supervisor.start,
        "jvm_pid": info.jvm.pid,
        "jvm_start": info.jvm.start,
        "port": info.port,
        "token_file": str(places.token_file),
        "spark": info.spark,
        "started": info.started,
    }
    write_private(places.token_file, info.token)
    write_private(places.server_file, json.dumps(record, indent=1) + "\n")


def read_info(places: Places) -> ServerInfo | None:
    """Read `server.json`, alive or not; None when there is none or it cannot be understood."""
    try:
        record = json.loads(places.server_file.read_text(encoding="utf-8"))
        if record["version"] != VERSION:
            return None
        return ServerInfo(
            port=int(record["port"]),
            token=places.token_file.read_text(encoding="utf-8"),
            supervisor=Process(int(record["pid"]), str(record["pid_start"])),
            jvm=Process(int(record["jvm_pid"]), str(record["jvm_start"])),
            spark=str(record["spark"]),
            started=float(record["started"]),
            log=places.server_log,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget(places: Places) -> None:
    """Remove what names a server; only for who holds the lock, or found it free."""
    places.server_file.unlink(missing_ok=True)
    places.token_file.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step with one that only its owner can read."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(temporary, path)


def register_client(places: Places) -> Path:
    """Tell the server that this process uses it, so that it does not stop."""
    me = Process.current()
    path = places.clients / f"{me.pid}-{me.start.replace(':', '-')}.json"
    places.clients.mkdir(parents=True, exist_ok=True)
    write_private(path, json.dumps({"version": VERSION, "pid": me.pid, "start": me.start}))
    return path


def living_clients(places: Places, *, prune: bool = True) -> list[Process]:
    """List the processes that use the server, and remove what the dead left unless told not to."""
    living = []
    for path in sorted(places.clients.glob("[0-9]*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            client = Process(int(record["pid"]), str(record["start"]))
        except (OSError, ValueError, KeyError, TypeError):
            client = None
        if client is not None and client.alive:
            living.append(client)
        elif prune:
            path.unlink(missing_ok=True)
    return living
