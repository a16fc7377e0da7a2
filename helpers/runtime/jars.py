"""Delta's JARs: fetched once, checked against the SHA-256 that Lakeprep was tested with, shared by all homes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from helpers.runtime import ivy
from helpers.runtime.errors import JarDamaged, JarsUnavailable
from helpers.runtime.java import Java

_LIST = Path(__file__).with_name("jars.json")


@dataclass(frozen=True)
class Jar:
    """One JAR by its coordinates; `size` in bytes."""

    organisation: str
    name: str
    revision: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.organisation}_{self.name}-{self.revision}.jar"

    def is_at(self, path: Path) -> bool:
        """Say whether this file is this JAR, byte for byte."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == self.sha256


def needed_jars() -> tuple[Jar, ...]:
    return tuple(Jar(**entry) for entry in json.loads(_LIST.read_text(encoding="utf-8"))["jars"])


def jars_folder(prefix: str = sys.prefix) -> Path:
    """The JARs belong to the Python environment, so that every home uses the same."""
    return Path(prefix) / "share" / "lakeprep" / "jars"


def spark_home() -> Path:
    """Find pyspark's folder without importing it."""
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise JarsUnavailable("The environment has no pyspark. Run `python3 -m helpers study` to set it up.")
    return Path(found.origin).parent


def missing_jars(folder: Path, jars: tuple[Jar, ...] | None = None) -> list[Jar]:
    """List the JARs that are absent or damaged."""
    return [jar for jar in (needed_jars() if jars is None else jars) if not jar.is_at(folder / jar.file_name)]


def ensure_jars(
    folder: Path,
    *,
    java: Java,
    ivy_settings: str | None = None,
    jars: tuple[Jar, ...] | None = None,
    report: Callable[[str], None] = print,
    environ: Mapping[str, str] = os.environ,
) -> list[Path]:
    """Give the paths of all JARs, fetching what is missing; JarsUnavailable or JarDamaged when that fails."""
    wanted = needed_jars() if jars is None else jars
    if missing_jars(folder, wanted):
        with _disk_errors(folder), _alone(folder):
            missing = missing_jars(folder, wanted)
            if missing:
                ready = len(wanted) - len(missing)
                _fetch(missing, folder, ready=ready, java=java, settings=ivy_settings, report=report, environ=environ)
    return [folder / jar.file_name for jar in wanted]


def _fetch(
    missing: list[Jar],
    folder: Path,
    *,
    ready: int,
    java: Java,
    settings: str | None,
    report: Callable[[str], None],
    environ: Mapping[str, str],
) -> None:
    if shutil.disk_usage(folder).free < 3 * sum(jar.size for jar in missing):
        raise JarsUnavailable(f"The disk is full: Delta's JARs do not fit into {folder}. Free some space.")

    def fetched(count: int) -> None:
        report(f"Fetching Delta's JARs: {ready + count} of {ready + len(missing)}")

    fetched(0)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
        ivy.fetch(
            [(jar.organisation, jar.name, jar.revision) for jar in missing],
            Path(temporary),
            java=java,
            classpath=str(spark_home() / "jars" / "*"),
            settings=settings,
            environ=environ,
            fetched=fetched,
        )
        for jar in missing:
            _check(jar, Path(temporary) / jar.file_name)
        for jar in missing:
            os.replace(Path(temporary) / jar.file_name, folder / jar.file_name)


def _check(jar: Jar, path: Path) -> None:
    if not path.is_file():
        raise JarsUnavailable(f"{jar.file_name} was not among what was fetched. Check LAKEPREP_IVY_SETTINGS.")
    if not jar.is_at(path):
        raise JarDamaged(
            f"{jar.file_name} is not the file that Lakeprep was tested with (its SHA-256 differs), so it was not kept. "
            "Try again; if it stays so, the mirror or proxy in between changes files: use another network."
        )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process fetch; the others wait and find the JARs there."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise JarsUnavailable(
            f"Delta's JARs cannot be kept in {folder}: {error.strerror or error}. Free space there or make it writable."
        ) from None
