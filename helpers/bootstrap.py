"""Make `.venv` from requirements.lock on first use, then run the command with its Python; standard library only.

A Python that already holds every package of the lock (conda, Binder) is used as it is, and no `.venv` is made.
"""

import contextlib
import errno
import fcntl
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import LakeprepError
from helpers.installing import AGAIN, SetupFailed, explain, install, pins, running

COMMANDS = {
    "study": "Open the lessons in JupyterLab.",
    "run": "Run the main job, solutions/retail_job/job.json.",
    "watch": "Start a job whenever its schedule or trigger says so.",
    "dashboard": "Open the dashboard: sales, data quality, the pipeline and its runs.",
    "test": "Run every test.",
    "progress": "Show what you have done of each exam objective, and what to do next.",
    "publish": "Derive the lessons from their solutions; for authors.",
    "deploy": "Deploy the main job to a Databricks workspace.",
    "export": "Write the archive that a Databricks workspace imports.",
    "stop": "Stop the local Spark server.",
    "doctor": "Say what is wrong with this machine, and how to mend it.",
}
NEEDED_BYTES = 3_000_000_000


@dataclass(frozen=True)
class Environment:
    """The `.venv` of one clone; its stamp says what it was made from, and is written last."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def lock_file(self) -> Path:
        return self.root / "requirements.lock"

    def stamp(self) -> "dict | None":
        """Read the stamp; None when there is none that can be read."""
        try:
            found = json.loads((self.folder / "lakeprep.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def write_stamp(self, stamp: dict) -> None:
        unfinished = self.folder / "lakeprep.json.part"
        unfinished.write_text(json.dumps(stamp), encoding="utf-8")
        os.replace(unfinished, self.folder / "lakeprep.json")

    def finished(self) -> dict:
        """The stamp of an environment that is complete, current and where it was made."""
        digest = hashlib.sha256(self.lock_file.read_bytes()).hexdigest()
        return {"version": 1, "folder": str(self.folder), "lock": digest}

    def ready(self) -> bool:
        return self.stamp() == self.finished() and os.access(self.python, os.X_OK)

    def runs_us(self) -> bool:
        return os.path.realpath(sys.prefix) == os.path.realpath(self.folder)


def main(arguments: "list[str]") -> int:
    """Run one command, after making its environment where that is missing; give the exit code."""
    root = Path(__file__).resolve().parents[1]
    environment = Environment(root)
    if (environment.runs_us() and environment.ready()) or holds_every_package(environment.lock_file):
        from helpers import cli

        return cli.main(arguments)
    if not environment.ready():
        if not arguments or arguments[0] not in COMMANDS or "--help" in arguments:
            return _usage(wanted=bool(arguments) and "--help" in arguments)
        try:
            ensure(environment, log=_log_file(root))
        except LakeprepError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        except KeyboardInterrupt:
            sys.stderr.write("\nSet-up stopped. Run the same command again to finish it.\n")
            return 130
    sys.stdout.flush()
    os.execv(environment.python, [str(environment.python), "-m", "helpers", *arguments])


def holds_every_package(lock_file: Path) -> bool:
    """Say whether the running Python has each package that the lock names for all machines, in its version."""
    needed = [(name, version) for name, version, always in pins(lock_file.read_text(encoding="utf-8")) if always]
    try:
        return all(importlib.metadata.version(name) == version for name, version in needed)
    except importlib.metadata.PackageNotFoundError:
        return False


def ensure(environment: Environment, *, log: Path) -> None:
    """Make or update `.venv`, one process at a time; SetupFailed says why it could not be done."""
    try:
        with _alone(environment.root / ".venv.lock") as descriptor:
            if not environment.ready():
                _make(environment, log=log, descriptor=descriptor)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SetupFailed(f"The disk is full. Free about 4 GB, {AGAIN}.") from None
        raise SetupFailed(f"The environment could not be made: {error}. Mend that, {AGAIN}.") from None


def _make(environment: Environment, *, log: Path, descriptor: int) -> None:
    started = time.monotonic()
    if not _usable(environment):
        if environment.folder.is_symlink() or environment.folder.exists():
            _say("The environment in .venv is unfinished, broken or was moved: making it anew.")
            _remove(environment.folder)
        _check_space(environment.root)
    environment.folder.mkdir(exist_ok=True)
    # Until the last line, any interruption leaves an environment that says it is unfinished.
    environment.write_stamp({"version": 1, "unfinished": True})
    if not os.access(environment.python, os.X_OK):
        _create(environment, log=log, descriptor=descriptor)
    install(environment.python, environment.lock_file, log=log, keep_open=(descriptor,))
    environment.write_stamp(environment.finished())
    _say(f"The environment is ready ({time.monotonic() - started:.0f} s).")


def _usable(environment: Environment) -> bool:
    """Say whether to keep it: it was finished here once, or the user made it with a Python that is new enough."""
    stamp = environment.stamp()
    if stamp is not None and ("unfinished" in stamp or stamp.get("folder") != str(environment.folder)):
        return False
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    try:
        return subprocess.run([environment.python, "-c", check], capture_output=True).returncode == 0
    except OSError:
        return False


def _create(environment: Environment, *, log: Path, descriptor: int) -> None:
    # The real path, so that the environment outlives an activated one, a version manager's shim or a PATH entry.
    python, version = os.path.realpath(sys.executable), ".".join(str(part) for part in sys.version_info[:3])
    _say(f"Making .venv with Python {version}")
    command = [python, "-m", "venv", str(environment.folder)]
    with running(command, log=log, keep_open=(descriptor,)) as (process, said):
        process.wait()
    if process.returncode and "ensurepip" in said():
        package = "python{}.{}-venv".format(*sys.version_info[:2])
        raise SetupFailed(f"This Python cannot make environments: run `sudo apt install {package}`, {AGAIN}.")
    if process.returncode:
        raise SetupFailed(explain(said(), log))


def _check_space(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < NEEDED_BYTES:
        wanted = f"{NEEDED_BYTES / 1e9:.0f} GB"
        raise SetupFailed(f"{free / 1e9:.1f} GB are free in {root}; the packages need {wanted}. Free some, {AGAIN}.")


def _remove(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink()
    else:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _alone(path: Path) -> "Iterator[int]":
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Another set-up of this folder is running; waiting for it to end.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _log_file(root: Path) -> Path:
    home = os.environ.get("LAKEPREP_HOME", "").strip()
    return (Path(home).expanduser() if home else root / "work").resolve() / "setup.log"


def _usage(*, wanted: bool) -> int:
    commands = "\n".join(f"  {name:10}{text}" for name, text in COMMANDS.items())
    (sys.stdout if wanted else sys.stderr).write(f"Usage: python3 -m helpers COMMAND [OPTIONS]\n\n{commands}\n")
    return 0 if wanted else 2


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
