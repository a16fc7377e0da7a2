"""What must hold for the files of the repository itself."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from helpers.__main__ import NEWEST, OLDEST
from helpers.bootstrap import COMMANDS
from helpers.installing import pins

ROOT = Path(__file__).resolve().parents[2]
MADE = {".venv", ".git", "work", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".ipynb_checkpoints"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Put together here, so that this file holds none of them.
FOREIGN = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "repo1.maven" + ".org",
    "maven.apache" + ".org/maven2",
    "conda.anaconda" + ".org",
    "/work" + "/main",
    "/work" + "/shared",
    "/ro" + "ot/",
]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def locked(name: str) -> dict[str, list[str]]:
    versions: dict[str, list[str]] = {}
    for package, version, _ in pins(text(name)):
        versions.setdefault(package.lower().replace("_", "-"), []).append(version)
    return versions


def own_files() -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE and not name.endswith(".egg-info")]
        yield from (Path(folder) / name for name in names if name != ".venv.lock")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-full.lock"])
def test_a_lock_names_versions_and_hashes_but_no_address(name: str) -> None:
    assert "://" not in text(name)
    assert not re.search(r"^\s*--(?!hash=sha256:)", text(name), re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text(name).strip())
    assert len(entries) == len(pins(text(name)))
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_holds_what_the_project_asks_for() -> None:
    found = locked("requirements.lock")
    for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]:
        wanted = Requirement(line)
        versions = found.get(wanted.name.lower().replace("_", "-"), [])
        assert versions, f"{wanted.name} is not in the lock"
        assert all(wanted.specifier.contains(version) for version in versions), line


def test_the_full_lock_adds_only_the_full_extra() -> None:
    pinned = [f"{name}=={version}" for name, version, _ in pins(text("requirements-full.lock"))]
    assert pinned == PROJECT["optional-dependencies"]["full"]


def test_conda_gets_every_version_from_the_lock() -> None:
    environment = yaml.safe_load(text("environment.yml"))
    python, pip, packages = environment["dependencies"]
    assert environment["name"] == "lakeprep"
    assert pip == "pip"
    # Binder reads the version from this very form.
    version = re.fullmatch(r"python=(\d+\.\d+)", python)
    assert version
    assert SpecifierSet(PROJECT["requires-python"]).contains(version[1])
    assert OLDEST <= tuple(map(int, version[1].split("."))) <= NEWEST
    assert packages == {"pip": ["-r requirements.lock"]}


def test_ci_runs_the_same_script_on_the_oldest_and_the_newest_python() -> None:
    job = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]["test"]
    assert job["strategy"]["matrix"]["python"] == [".".join(map(str, version)) for version in (OLDEST, NEWEST)]
    assert job["steps"][-1] == {"run": ".ci/run"}
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in own_files()
        for word in FOREIGN
        if word.encode() in path.read_bytes()
    ]
    assert found == []


def test_the_readme_names_every_command_and_no_other() -> None:
    readme = text("README.md")
    table = readme.partition("## Commands")[2].partition("##")[0]
    in_table = re.findall(r"^\| `(\w+)[^`…]*` \|", table, re.MULTILINE)
    assert set(in_table) == set(COMMANDS)
    assert set(re.findall(r"python3 -m helpers (\w+)", readme)) <= set(COMMANDS)


def test_every_option_in_the_readme_exists() -> None:
    named = set(re.findall(r"`(?:\w+ )?(--[\w-]+)`", text("README.md")))
    assert named
    assert [option for option in named if f'"{option}"' not in text("helpers/cli.py").replace("/", '"')] == []


def test_contributing_fits_one_screen() -> None:
    assert len(text("CONTRIBUTING.md").splitlines()) <= 60


def test_the_licence_is_apache_2() -> None:
    assert "Apache License" in text("LICENSE")
    assert "Version 2.0, January 2004" in text("LICENSE")
    assert len(text("LICENSE").splitlines()) > 190
    assert PROJECT["license"] == "Apache-2.0"
