"""What must hold before a server is started, looked at early, where one sentence can still name it."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Mapping

from helpers.runtime.errors import HomeUnusable, NotEnoughMemory, PortBusy
from helpers.runtime.jars import ensure_jars, jars_folder, spark_home
from helpers.runtime.java import find_java, find_jdk
from helpers.runtime.launch import Launch
from helpers.runtime.places import Places
from helpers.runtime.settings import Settings

NEEDED_DISK_MB = 200


def prepare(
    places: Places,
    settings: Settings,
    *,
    report: Callable[[str], None] = print,
    environ: Mapping[str, str] = os.environ,
) -> Launch:
    """Check Java, memory, port and home, and fetch Delta's JARs when they are missing."""
    java = find_jdk(settings.java) if settings.spark == "classic" else find_java(settings.java)
    total, available = memory_mb()
    check_memory(settings.heap_mb, total_mb=total, available_mb=available)
    if settings.port is not None:
        check_port(settings.port)
    check_home(places)
    jars = ensure_jars(jars_folder(), java=java, ivy_settings=settings.ivy_settings, report=report, environ=environ)
    return Launch(places=places, settings=settings, java=java, jars=tuple(jars), spark_home=spark_home())


def check_memory(heap_mb: int, *, total_mb: float, available_mb: float) -> None:
    """NotEnoughMemory when a heap of this size cannot live here; half of it is rarely touched."""
    needed = heap_mb / 2 + 512
    if total_mb < heap_mb + 512 or available_mb < needed:
        raise NotEnoughMemory(
            f"The Spark server needs {needed / 1024:.1f} GB of free memory for a heap of {heap_mb / 1024:.1f} GB, "
            f"and {available_mb / 1024:.1f} of {total_mb / 1024:.1f} GB is free. "
            "Close other programs, or set LAKEPREP_HEAP to less (1g is enough for the lessons)."
        )


def check_port(port: int) -> None:
    """PortBusy when another program listens there."""
    with socket.socket() as probe:
        # As the JVM binds: a port that a server left a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortBusy(
                f"Port {port}, which LAKEPREP_PORT names, is used by another program. "
                "Name another port, or unset LAKEPREP_PORT to have a free one chosen."
            ) from None


def check_home(places: Places) -> None:
    """Make the home's folders; HomeUnusable when they cannot be written."""
    try:
        for folder in (places.home, places.clients, places.scratch, places.metastore, places.warehouse):
            folder.mkdir(parents=True, exist_ok=True)
        probe = places.scratch / f".probe-{os.getpid()}"
        probe.write_bytes(b"x" * 4096)
        probe.unlink()
        free = shutil.disk_usage(places.home).free
    except OSError as error:
        raise HomeUnusable(
            f"The home {places.home} cannot be written: {error.strerror or error}. "
            "Free space there, make it writable, or name another folder with LAKEPREP_HOME."
        ) from None
    if free < NEEDED_DISK_MB * 2**20:
        raise HomeUnusable(
            f"The disk is full: {free // 2**20} MB are free at {places.home}, and the Spark server needs "
            f"{NEEDED_DISK_MB}. Free some space, or name another folder with LAKEPREP_HOME."
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory_mb() -> tuple[float, float]:
    """Total and available memory, in MiB."""
    import psutil

    memory = psutil.virtual_memory()
    return memory.total / 2**20, memory.available / 2**20
