"""Servers that are started, killed and stopped; each module has a home of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from helpers.runtime import REPO_ROOT, Places, stop_server

_PROLOGUE = """
from pathlib import Path
from helpers.runtime import *
places = Places(Path({root!r}))
"""


@dataclass
class World:
    """One home, and other processes that use its server; `environ` holds no warm-up, which the claims do not need."""

    places: Places
    environ: dict[str, str] = field(default_factory=lambda: {**os.environ, "LAKEPREP_WARM_UP": "0"})

    def start(self, code: str, **environ: str) -> subprocess.Popen[str]:
        """Run Python in another process, with `places` and the runtime's names at hand."""
        return subprocess.Popen(
            [sys.executable, "-c", _PROLOGUE.format(root=str(self.places.root)) + code],
            env={**self.environ, **environ, "PYTHONPATH": str(REPO_ROOT)},
            cwd=self.places.root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, **environ: str) -> str:
        """Run Python in another process to its end and give what it printed."""
        process = self.start(code, **environ)
        said, complained = process.communicate(timeout=240)
        assert process.returncode == 0, complained
        return said


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(Places(tmp_path_factory.mktemp("home with a space")))
    yield world
    stop_server(world.places)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[World]:
    world = World(Places(tmp_path))
    yield world
    stop_server(world.places)


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
