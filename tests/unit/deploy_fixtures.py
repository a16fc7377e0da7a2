"""A workspace to deploy to and a repository to deploy, for the tests of `helpers.deploy`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.deploy import TARGETS, Deployment, connect
from helpers.deploy.connection import Hand
from tests.unit.deploy_workspace import TOKEN, USER, Workspace, serving

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = "workspace.dev_alice_b_retail"
FILES = f"/Workspace/Users/{USER}/.lakeprep/free"
LANDING = "/Volumes/workspace/dev_alice_b_retail/landing"


@pytest.fixture(autouse=True)
def no_workspace(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's own: no profile, no variable."""
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    for name in ("DATABRICKS_CONFIG_PROFILE", "DATABRICKS_CONFIG_FILE", "DATABRICKS_HOST", "DATABRICKS_TOKEN",
                 "DATABRICKS_CLIENT_ID", "DATABRICKS_CLIENT_SECRET"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def workspace(monkeypatch: pytest.MonkeyPatch, no_workspace: None) -> Iterator[Workspace]:
    with serving(Workspace()) as served:
        monkeypatch.setenv("DATABRICKS_HOST", served.host)
        monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
        yield served


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The real job, nine days of the real data, and a package small enough to be uploaded often."""
    root = tmp_path / "repository"
    shutil.copytree(ROOT / "solutions/retail_job", root / "solutions/retail_job")
    for file in (ROOT / "datasets/retail").glob("*/*2017-01-0*"):
        link = root / file.relative_to(ROOT)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    package = root / "helpers"
    (package / "__pycache__").mkdir(parents=True)
    (package / "__pycache__" / "here.pyc").write_bytes(b"made by running it")
    (package / "__init__.py").write_text('"""Helpers."""\n', encoding="utf-8")
    return root


def hand(lines: list[str] | None = None, *, dry: bool = False) -> Hand:
    return Hand(connect(), (lines if lines is not None else []).append, dry=dry)


def free(repository: Path) -> Deployment:
    return Deployment(TARGETS["free"], repository)
