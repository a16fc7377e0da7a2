"""Which Python may run Lakeprep, and what the others are told."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from helpers.__main__ import python_problem

HELPERS = Path(__file__).resolve().parents[2] / "helpers"


def problem(version: tuple[int, ...], *, platform: str = "linux", installed: tuple[str, ...] = ()) -> str | None:
    return python_problem(version, "/usr/bin/python3", platform, lambda name: name in installed)


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 4), (3, 14, 0)])
def test_a_python_that_the_packages_are_made_for_has_no_problem(version: tuple[int, ...]) -> None:
    assert problem(version) is None


def test_a_python_that_is_too_old_is_named_with_the_way_to_a_new_one() -> None:
    said = problem((3, 9, 18))
    assert said is not None
    assert "3.11 or newer is needed" in said
    assert "3.9.18 (/usr/bin/python3)" in said
    assert "apt install python3.11 python3.11-venv" in said
    assert said.endswith("run `python3.11 -m helpers study`.")


def test_a_newer_python_on_the_machine_is_named_instead_of_an_installation() -> None:
    said = problem((3, 9, 18), installed=("python3.12", "python3.11"))
    assert said is not None
    assert said.endswith("This machine has python3.12: run `python3.12 -m helpers study`.")


def test_a_mac_is_told_to_use_brew() -> None:
    assert "brew install python@3.13" in str(problem((3, 9, 6), platform="darwin"))


def test_a_python_that_is_too_new_is_told_so() -> None:
    assert "3.14 is the newest" in str(problem((3, 15, 0)))


def test_windows_is_pointed_to_wsl() -> None:
    assert "WSL" in str(problem((3, 12, 0), platform="win32"))


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py", "bootstrap.py", "installing.py", "errors.py"])
def test_what_runs_before_the_check_can_be_parsed_by_an_old_python(name: str) -> None:
    text = (HELPERS / name).read_text(encoding="utf-8")
    tree = ast.parse(text, feature_version=(3, 6))
    futures = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    assert futures == []
