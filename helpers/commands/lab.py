"""JupyterLab for one learner: loopback only, with a token, ended by Ctrl-C."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

from helpers.errors import LakeprepError
from helpers.runtime.places import REPO_ROOT, Places

FIRST_PORT = 8888
FIRST_LESSON = "00_start_here.ipynb"
#: JupyterLab looks here too; it keeps its question about news from covering the first lesson.
_CONFIG = Path(__file__).parent / "jupyter"
_PORTS = 50
_START_SECONDS = 60.0
#: A proxy of the environment is not for this machine.
_DIRECT = build_opener(ProxyHandler({}))


class LabNotStarted(LakeprepError):
    """JupyterLab could not be opened."""


class PortTaken(LabNotStarted):
    """Another program took the port between its choice and JupyterLab's start."""


@dataclass(frozen=True)
class Lab:
    """How one JupyterLab is started, and where it answers."""

    places: Places
    port: int
    token: str
    browser: bool

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}{self._page}?token={self.token}"

    @property
    def log(self) -> Path:
        return self.places.root / "jupyterlab.log"

    @property
    def _page(self) -> str:
        return f"/lab/tree/{FIRST_LESSON}" if (self.places.lessons / FIRST_LESSON).exists() else "/lab"

    @property
    def command(self) -> list[str]:
        options = {
            "ServerApp.ip": "127.0.0.1",
            "ServerApp.port": self.port,
            "ServerApp.port_retries": 0,
            "ServerApp.root_dir": self.places.lessons,
            "ServerApp.open_browser": self.browser,
            "ServerApp.answer_yes": True,
            # A container's only user is often root.
            "ServerApp.allow_root": os.geteuid() == 0,
            "LabApp.default_url": self._page,
            # Nothing of the course needs the network.
            "LabApp.news_url": None,
            "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        }
        told = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, "-m", "helpers.commands.lab_process", *told]

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Give the kernels `helpers`, this home and this Python; the token stays out of the process list."""
        path = os.pathsep.join(filter(None, [str(REPO_ROOT), environ.get("PYTHONPATH", "")]))
        config = os.pathsep.join(filter(None, [str(_CONFIG), environ.get("JUPYTER_CONFIG_PATH", "")]))
        own = {"PYTHONPATH": path, "LAKEPREP_HOME": str(self.places.root), "JUPYTER_TOKEN": self.token}
        return {**environ, **own, "JUPYTER_CONFIG_PATH": config, "JUPYTER_PREFER_ENV_PATH": "1"}


def plan_lab(places: Places, *, browser: bool) -> Lab:
    """Choose a port and a token."""
    return Lab(places, port=free_port(FIRST_PORT), token=secrets.token_hex(24), browser=browser)


def free_port(first: int) -> int:
    """Give the first port from `first` on that nobody uses on the loopback address."""
    for port in range(first, first + _PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise LabNotStarted(
        f"The ports {first} to {first + _PORTS - 1} are all busy. Close a JupyterLab that you do not need."
    )


def serve(lab: Lab, *, opened: Callable[[], None]) -> None:
    """Run JupyterLab until it ends or this process is asked to end; `opened` is called once it answers."""
    with lab.log.open("wb") as log:
        process = subprocess.Popen(
            lab.command, env=lab.environment(os.environ), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    with _ended_with_us(process) as asked:
        if answered := _await_answer(process, lab):
            opened()
        process.wait()
        if process.returncode and not asked():
            failed = LabNotStarted if answered or free_port(lab.port) == lab.port else PortTaken
            raise failed(f"JupyterLab ended with code {process.returncode}. What it wrote is in {lab.log}.")


def _await_answer(process: subprocess.Popen[bytes], lab: Lab) -> bool:
    """Wait until this JupyterLab answers; False when it ended before."""
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None:
        if _answers(lab):
            return True
        if time.monotonic() > deadline:
            process.terminate()
            process.wait()
            raise LabNotStarted(
                f"JupyterLab did not answer within {_START_SECONDS:.0f} s. What it wrote is in {lab.log}."
            )
        time.sleep(0.1)
    return False


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[Callable[[], bool]]:
    """Pass on the wish to end; the value says whether there was one."""
    asked: list[int] = []

    def end(number: int, frame: object) -> None:
        # The second time, at once.
        process.kill() if asked else process.terminate()
        asked.append(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if process.poll() is None:
            process.kill()
        process.wait()


def _answers(lab: Lab) -> bool:
    """Whether it is this JupyterLab that listens there: another one refuses the token."""
    request = Request(f"http://127.0.0.1:{lab.port}/api/status", headers={"Authorization": f"token {lab.token}"})
    with suppress(OSError, HTTPException), _DIRECT.open(request, timeout=5) as answer:
        return bool(answer.status == 200)
    return False
