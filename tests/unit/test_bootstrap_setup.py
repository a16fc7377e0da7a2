"""Making the environment, with the real venv and pip on a package that is made here."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from helpers import bootstrap
from helpers.bootstrap import Environment, ensure
from helpers.installing import SetupFailed, install

HELPERS = Path(__file__).resolve().parents[2] / "helpers"
#: Instead of the commands: says where it runs and with what.
CLI = "import sys\n\ndef main(arguments):\n    print(sys.prefix, *arguments)\n    return 7\n"
CODE = 7


@dataclass(frozen=True)
class Clone:
    """A repository with the set-up, a lock file and a folder of packages."""

    root: Path
    packages: Path

    def lock(self, *wheels: Path) -> None:
        (self.root / "requirements.lock").write_text("".join(pin(wheel) for wheel in wheels), encoding="utf-8")

    def start(self, *arguments: str, python: str = sys.executable, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [python, "-m", "helpers", *arguments],
            cwd=self.root,
            env=environ({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.packages), **variables}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, python: str = sys.executable, **variables: str) -> tuple[int, str, str]:
        process = self.start(*arguments, python=python, **variables)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    @property
    def environment(self) -> Environment:
        return Environment(self.root)

    @property
    def log(self) -> str:
        return (self.root / "work" / "setup.log").read_text(encoding="utf-8")


def environ(own: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "LAKEPREP_", "PYTHON"))}
    return {**kept, **own}


def wheel(folder: Path, *, name: str = "lakeprep_probe", version: str = "1.0") -> Path:
    """Write an installable package that holds one module."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def pin(path: Path) -> str:
    name, version = path.name.split("-")[:2]
    return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    clone = Clone(tmp_path / "clone", tmp_path / "packages")
    package = clone.root / "helpers"
    package.mkdir(parents=True)
    for name in ("__init__.py", "__main__.py", "bootstrap.py", "installing.py", "errors.py"):
        shutil.copy(HELPERS / name, package)
    (package / "cli.py").write_text(CLI, encoding="utf-8")
    clone.lock(wheel(clone.packages))
    return clone


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment for tests that only install."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"


def test_the_first_command_makes_the_environment_and_runs_in_it(clone: Clone) -> None:
    code, out, err = clone.run("study", "--no-browser")
    assert (code, out) == (CODE, f"{clone.environment.folder} study --no-browser\n")
    assert "Fetching packages: 1 of 1\nInstalling packages: 1 of 1\n" in err
    assert "Successfully installed lakeprep_probe-1.0" in clone.log
    assert "Successfully" not in err


def test_the_second_command_needs_no_package_source_and_runs_no_pip(clone: Clone) -> None:
    clone.run("study")
    before = clone.log
    shutil.rmtree(clone.packages)
    code, out, err = clone.run("run")
    assert (code, out, err) == (CODE, f"{clone.environment.folder} run\n", "")
    assert clone.log == before


def test_a_changed_lock_updates_an_environment_in_place_and_keeps_the_users_own(clone: Clone) -> None:
    venv.create(clone.environment.folder, with_pip=True, symlinks=True)
    own = clone.environment.folder / "own.txt"
    own.write_text("kept")
    assert clone.run("study")[0] == CODE
    clone.lock(wheel(clone.packages, version="2.0"))
    assert not clone.environment.ready()
    assert clone.run("study")[0] == CODE
    assert clone.environment.ready()
    assert own.read_text() == "kept"
    asked = [clone.environment.python, "-c", "import lakeprep_probe; print(lakeprep_probe.VERSION)"]
    assert subprocess.run(asked, capture_output=True, text=True).stdout == "2.0\n"


def test_a_killed_set_up_is_finished_by_the_next_command(clone: Clone) -> None:
    process = clone.start("study")
    while not clone.environment.stamp():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not clone.environment.ready()
    code, out, err = clone.run("study")
    assert (code, out) == (CODE, f"{clone.environment.folder} study\n")
    assert "unfinished" in err
    assert clone.environment.ready()


def test_a_repository_that_was_moved_gets_its_environment_anew(clone: Clone) -> None:
    clone.run("study")
    moved = Clone(clone.root.with_name("moved"), clone.packages)
    clone.root.rename(moved.root)
    code, out, err = moved.run("study")
    assert (code, out) == (CODE, f"{moved.environment.folder} study\n")
    assert "was moved" in err


def test_of_two_set_ups_at_once_one_waits_and_says_so(clone: Clone) -> None:
    processes = [clone.start("study"), clone.start("study")]
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [CODE, CODE]
    assert sorted("waiting for it to end" in text for text in said) == [False, True]
    assert clone.log.count("-m pip install") == 1


def test_a_python_that_holds_every_package_is_used_as_it_is(clone: Clone, python: Path, tmp_path: Path) -> None:
    package = wheel(clone.packages, name="lakeprep_present")
    subprocess.run([python, "-m", "pip", "install", "--no-index", "-q", package], check=True)
    clone.lock(package)
    code, out, _ = clone.run("study", python=str(python))
    assert (code, out) == (CODE, f"{python.parent.parent} study\n")
    assert not clone.environment.folder.exists()


@pytest.mark.parametrize("arguments", [(), ("stdy",)])
def test_without_a_known_command_nothing_is_made(clone: Clone, arguments: tuple[str, ...]) -> None:
    code, out, err = clone.run(*arguments)
    assert (code, out) == (2, "")
    assert "  study     Open the lessons" in err
    assert not clone.environment.folder.exists()


def test_help_comes_before_any_set_up(clone: Clone) -> None:
    code, out, err = clone.run("study", "--help")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: python3 -m helpers")
    assert not clone.environment.folder.exists()


def test_no_network_is_one_sentence_and_the_next_command_goes_on(clone: Clone) -> None:
    nobody = "http://127.0.0.1:9/simple"
    code, out, err = clone.run("study", PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL=nobody, PIP_RETRIES="1")
    assert (code, out) == (1, "")
    assert err.splitlines()[-1].startswith("The packages could not be fetched. Check the network")
    assert "Traceback" not in err
    assert clone.run("study")[0] == CODE


def test_a_package_with_another_hash_is_refused(tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(pin(wheel(tmp_path / "one")))
    path = tmp_path / "one" / "lakeprep_probe-1.0-py3-none-any.whl"
    path.write_bytes(path.read_bytes() + b"\0")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "one"))
    with pytest.raises(SetupFailed, match="not the one that the lock names"):
        install(python, lock, log=tmp_path / "setup.log")


def test_what_pip_cannot_find_is_named(tmp_path: Path, python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(pin(wheel(tmp_path / "one", name="lakeprep_absent")))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nothing"))
    with pytest.raises(SetupFailed, match=r"No matching distribution found for lakeprep.absent==1\.0.*setup\.log"):
        install(python, lock, log=tmp_path / "setup.log")


def test_a_disk_that_is_too_small_is_told_before_anything_is_made(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**10, 10**10, 10**9))
    with pytest.raises(SetupFailed, match=r"1\.0 GB are free in .*; the packages need 3 GB"):
        ensure(clone.environment, log=tmp_path / "setup.log")
    assert not clone.environment.folder.exists()


@pytest.mark.parametrize(
    ("wrote", "expected"),
    [
        ("The virtual environment was not created because ensurepip is not available.", "sudo apt install python3."),
        ("OSError: [Errno 28] No space left on device: '/clone/.venv'", "The disk is full. Free about 4 GB"),
        ("Error: something else", "it said: Error: something else"),
    ],
)
def test_a_python_that_cannot_make_an_environment_is_explained(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrote: str, expected: str
) -> None:
    fake = tmp_path / "python3"
    fake.write_text(f"#!/bin/sh\ncat <<'EOF'\n{wrote}\nEOF\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    with pytest.raises(SetupFailed, match=expected.replace(".", r"\.")):
        ensure(clone.environment, log=tmp_path / "setup.log")
    assert not clone.environment.ready()


def test_a_damaged_stamp_counts_as_none(clone: Clone) -> None:
    clone.environment.folder.mkdir()
    (clone.environment.folder / "lakeprep.json").write_text("{")
    assert clone.environment.stamp() is None
    (clone.environment.folder / "lakeprep.json").write_text(json.dumps(["no", "object"]))
    assert clone.environment.stamp() is None
    assert not clone.environment.ready()
