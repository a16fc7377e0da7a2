"""Spark's classic session, inside of this process, over a home: what a Databricks job cluster gives.

It has its own JVM, which pyspark's launcher starts; the home's lock keeps a server and other such processes away.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkException
from pyspark.sql import DataFrameReader, SparkSession

from helpers.runtime import jvm
from helpers.runtime.launch import (
    Launch,
    environment,
    is_foreign,
    jvm_options,
    lake_properties,
    write_log_configuration,
)
from helpers.runtime.locks import try_lock
from helpers.runtime.places import Places
from helpers.runtime.preflight import prepare
from helpers.runtime.readers import ToldReader
from helpers.runtime.server import home_in_use
from helpers.runtime.settings import Settings
from helpers.runtime.statements import LakeStatements, silence_dumps

if TYPE_CHECKING:
    from helpers.autoloader.classic_reader import ClassicCloudStreamReader

_GRACE = 15.0


class _BatchReader(ToldReader, DataFrameReader):
    """The classic DataFrameReader."""


class ClassicSession(LakeStatements, SparkSession):
    """The `spark` of a process that asked for a classic session; `places` is its home."""

    _lock_held: int | None

    def __init__(self, context: Any, *, places: Places, lock: int, interrupt: Any) -> None:
        super().__init__(context)
        self.places, self._lock_held, self._gateway, self._interrupt = places, lock, context._gateway, interrupt
        silence_dumps()
        atexit.register(self.stop)

    @classmethod
    def over(
        cls, places: Places, *, report: Callable[[str], None] = print, environ: Mapping[str, str] = os.environ
    ) -> ClassicSession:
        """Start a JVM over the home; HomeInUse when another process has it, JavaUnusable without a JDK."""
        launch = prepare(places, Settings.from_environment(environ), report=report, environ=environ)
        lock = try_lock(places.server_lock, now=time.time(), purpose="classic")
        if lock is None:
            raise home_in_use(places)
        report("Starting Spark inside of this process (about 10 seconds)")
        try:
            interrupt = signal.getsignal(signal.SIGINT)
            return cls(_context(launch, lock, environ=environ), places=places, lock=lock, interrupt=interrupt)
        except BaseException:
            _end_jvm()
            os.close(lock)
            raise

    @property
    def alive(self) -> bool:
        """Its JVM runs."""
        return self._gateway.proc.poll() is None  # type: ignore[no-any-return]

    @property
    def read(self) -> DataFrameReader:
        return _BatchReader(self)

    @property
    def readStream(self) -> ClassicCloudStreamReader:  # type: ignore[override]
        from helpers.autoloader.classic_reader import ClassicCloudStreamReader

        return ClassicCloudStreamReader(self)

    def newSession(self) -> SparkSession:
        """Spark's own: a second session of this process, without what this one adds."""
        return SparkSession(self._sc, self._jsparkSession.newSession())

    def stop(self) -> None:
        """End Spark, its JVM and the hold on the home."""
        if self._lock_held is None:
            return
        atexit.unregister(self.stop)
        lock, self._lock_held = self._lock_held, None
        try:
            if self.alive:
                super().stop()
        finally:
            SparkSession._instantiatedSession = SparkSession._activeSession = None
            # pyspark's own handler cancels what the JVM does, and would go on asking one that has ended.
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, self._interrupt)
            _end_jvm()
            os.close(lock)


def _context(launch: Launch, lock: int, *, environ: Mapping[str, str]) -> Any:
    """A SparkContext with a new JVM; what goes wrong is said as for the server's."""
    from pyspark import SparkContext
    from pyspark.conf import SparkConf
    from pyspark.java_gateway import launch_gateway

    write_log_configuration(launch.places)
    conf = SparkConf(loadDefaults=False)
    conf.setAll(list(_properties(launch).items()))
    own = {**environment(launch, environ=environ), "JAVA_HOME": str(launch.java.home)}
    log, start = launch.places.server_log, _size(launch.places.server_log)
    with log.open("ab") as out, _environment(own):
        # The JVM holds the home's lock too: should this process be killed, the home is free once the JVM has ended.
        streams = {"stdout": out, "stderr": out, "cwd": launch.places.home, "pass_fds": (lock,)}
        try:
            gateway = launch_gateway(conf, streams)
            # A SparkContext that exists in the class already would be of another home.
            return SparkContext(conf=conf, gateway=gateway)
        except PySparkException:
            raise jvm.explain(_said(log, start), log=log, port=0) from None


def _properties(launch: Launch) -> dict[str, str]:
    return {
        **lake_properties(launch.places),
        "spark.driver.memory": f"{launch.settings.heap_mb}m",
        "spark.driver.extraClassPath": os.pathsep.join(map(str, launch.jars)),
        "spark.driver.extraJavaOptions": " ".join(_quoted(option) for option in jvm_options(launch)),
        "spark.ui.showConsoleProgress": "false",
    }


def _quoted(option: str) -> str:
    """An option as Spark's launcher splits them again."""
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@contextmanager
def _environment(own: Mapping[str, str]) -> Iterator[None]:
    """While Spark is started, this process' environment has no settings of another Spark or Java."""
    before = dict(os.environ)
    try:
        for name in filter(is_foreign, before):
            del os.environ[name]
        os.environ.update(own)
        yield
    finally:
        for name in {*own, *before}:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)


def _end_jvm() -> None:
    """End the JVM of this process and let pyspark forget it, so that another can be started."""
    from pyspark import SparkContext

    gateway = SparkContext._gateway
    if gateway is None:
        return
    SparkContext._gateway = SparkContext._jvm = SparkContext._active_spark_context = None
    with suppress(Exception):  # it may be dead
        gateway.shutdown()
    process: subprocess.Popen[bytes] = gateway.proc
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_GRACE)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _said(log: Path, start: int) -> str:
    with log.open("rb") as stream:
        stream.seek(start)
        return stream.read().decode(errors="replace")
