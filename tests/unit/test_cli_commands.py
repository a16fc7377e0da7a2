"""What the command line takes, prints and returns."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from helpers import cli
from helpers.bootstrap import COMMANDS
from helpers.commands import study as study_command
from helpers.commands import testing
from helpers.errors import LakeprepError
from helpers.runtime import doctor, server
from helpers.runtime.doctor import Finding

ROOT = Path(__file__).resolve().parents[2]


def failing(error: BaseException) -> Callable[..., None]:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    return fail


def test_help_names_exactly_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    out = capsys.readouterr().out
    names = ["study", "run", "watch", "dashboard", "test", "progress", "publish", "deploy", "export", "stop", "doctor"]
    assert list(COMMANDS) == names
    assert re.findall(rf"^[│\s]*({'|'.join(names)})\s", out, re.MULTILINE) == names


def test_help_loads_nothing_heavy() -> None:
    code = "import sys; from helpers import cli; cli.main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"pyspark", "pandas", "plotly", "databricks", "jupyterlab"}.isdisjoint(done.stderr.split())


@pytest.mark.parametrize(
    "arguments", [["stdy"], ["study", "--brwser"], ["run", "--arrive", "--full-data"], ["run", "--repair", "--arrive"]]
)
def test_what_cannot_be_meant_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    assert "Usage:" in capsys.readouterr().err


def test_an_error_for_the_user_is_one_sentence_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "stop_server", failing(LakeprepError("The thing is broken: mend it.")))
    assert cli.main(["stop"]) == 1
    assert capsys.readouterr() == ("", "The thing is broken: mend it.\n")


def test_a_full_disk_is_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(server, "stop_server", failing(OSError(errno.ENOSPC, "No space left on device")))
    assert cli.main(["stop"]) == 1
    assert capsys.readouterr().err == "The disk is full. Free some space, then run the same command again.\n"


def test_a_home_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study_command, "study", failing(PermissionError(errno.EACCES, "Permission denied", "/home/x")))
    assert cli.main(["study"]) == 1
    assert capsys.readouterr().err.startswith("/home/x cannot be written. Make it writable")


def test_another_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "stop_server", failing(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(OSError, match="Input/output error"):
        cli.main(["stop"])


def test_a_command_that_is_interrupted_says_so_to_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_command, "study", failing(KeyboardInterrupt()))
    assert cli.main(["study"]) == 130


@pytest.mark.parametrize(
    ("stopped", "said"), [(True, "The Spark server is stopped.\n"), (False, "No Spark server was running.\n")]
)
def test_stop_says_what_it_did(
    stopped: bool, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(server, "stop_server", lambda places: stopped)
    assert cli.main(["stop"]) == 0
    assert capsys.readouterr().out == said


@pytest.mark.parametrize(("level", "code"), [("note", 0), ("problem", 1)])
def test_doctor_prints_a_line_a_finding_and_fails_on_a_problem(
    level: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = [Finding("ok", "Java 21."), Finding(level, "The disk is small.", "Free some space.")]  # type: ignore[arg-type]
    monkeypatch.setattr(doctor, "diagnose", lambda places: findings)
    assert cli.main(["doctor"]) == code
    mark = {"note": "·", "problem": "✗"}[level]
    assert capsys.readouterr().out == f"✓ Java 21.\n{mark} The disk is small. Free some space.\n"


@pytest.mark.parametrize(("arguments", "given"), [([], []), (["--", "-k", "landing"], ["-k", "landing"])])
def test_what_follows_the_dashes_goes_to_pytest_whose_code_comes_back(
    arguments: list[str], given: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(testing, "run_tests", lambda given, *, console: seen.append(list(given)) or 5)
    assert cli.main(["test", *arguments]) == 5
    assert seen == [given]


def test_every_suite_and_notebook_is_tested_but_what_is_run_by_hand(tmp_path: Path) -> None:
    for name in (
        "tests/unit/test_a.py",
        "tests/browser/test_b.py",
        "tests/retail/test_e.py",
        "tests/soak/test_c.py",
        "tests/benchmarks/test_d.py",
        "tests/spark/test_f.py",
        "tests/exercises/test_g.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    (tmp_path / "tests/notebooks").mkdir()
    numbers = ["00", "05", "06", "10", "11"]
    for name in ("retail_job/setup_environment", *numbers):
        for room in ("lessons", "solutions"):
            (tmp_path / room / f"{name}.ipynb").parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / room / f"{name}.ipynb").touch()
    first, second = (lane[lane.index("--nbval-current-env") + 1 :] for lane in testing.lanes(tmp_path))
    rooms = ("solutions", "lessons")
    notebooks = [f"{room}/{number}.ipynb" for room in rooms for number in ("00", "10", "11")]
    assert first == [*notebooks, "tests/exercises", "tests/retail"]
    notebooks = [f"{room}/{number}.ipynb" for room in rooms for number in ("05", "06")]
    assert second[2:] == [*notebooks, "tests/unit", "tests/spark", "tests/browser"]


def test_two_test_runs_go_side_by_side_and_both_are_heard(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    met = "import pathlib, sys, time; own, other = map(pathlib.Path, sys.argv[1:3]); own.touch()\n"
    met += "while not other.exists(): time.sleep(0.01)\n"
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    codes = testing.side_by_side(
        [sys.executable, "-c", f"{met}print('first'); sys.exit(1)", one, two],
        [sys.executable, "-c", f"{met}print('second')", two, one],
        dict(os.environ),
        console=Console(),
    )
    assert codes == (1, 0)
    said = capfd.readouterr().out
    assert said.index("first") < said.index("second")


@pytest.mark.parametrize(
    ("codes", "code"), [((0, 0), 0), ((0, 1), 1), ((2, 1), 2), ((5, 0), 0), ((5, 5), 5), ((5, 1), 1)]
)
def test_a_failure_in_either_is_a_failure_and_no_test_only_when_both_have_none(
    codes: tuple[int, int], code: int
) -> None:
    assert testing.worst(codes) == code
