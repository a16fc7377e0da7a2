"""How JupyterLab is started."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from helpers.commands import lab as room
from helpers.commands.lab import FIRST_LESSON, Lab, LabNotStarted, PortTaken, free_port, serve
from helpers.runtime.places import REPO_ROOT, Places


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    places = Places(tmp_path)
    places.lessons.mkdir()
    (places.lessons / FIRST_LESSON).touch()
    return Lab(places, port=8899, token="secret", browser=False)


def test_only_this_machine_reaches_it_and_only_with_the_token(lab: Lab) -> None:
    assert "--ServerApp.ip=127.0.0.1" in lab.command
    assert not any("secret" in word for word in lab.command)
    assert lab.environment({})["JUPYTER_TOKEN"] == "secret"


def test_it_opens_the_first_lesson_in_the_learners_folder(lab: Lab) -> None:
    assert lab.url == f"http://localhost:8899/lab/tree/{FIRST_LESSON}?token=secret"
    assert f"--ServerApp.root_dir={lab.places.lessons}" in lab.command
    assert f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}" in lab.command


def test_a_window_opens_only_when_it_is_wanted(lab: Lab) -> None:
    assert "--ServerApp.open_browser=False" in lab.command
    assert "--ServerApp.open_browser=True" in replace(lab, browser=True).command


def test_the_kernels_find_the_helpers_and_the_home(lab: Lab) -> None:
    environment = lab.environment({"PYTHONPATH": "/own", "HOME": "/home/me"})
    assert environment["PYTHONPATH"] == f"{REPO_ROOT}:/own"
    assert environment["LAKEPREP_HOME"] == str(lab.places.root)
    assert environment["HOME"] == "/home/me"


def test_a_busy_port_is_passed_over() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert port < free_port(port) < port + 50


def test_when_every_port_is_busy_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_PORTS", 1)
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        with pytest.raises(LabNotStarted, match="are all busy"):
            free_port(busy.getsockname()[1])


def test_a_jupyterlab_that_ends_at_once_is_one_sentence_with_its_log(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lab, "command", [sys.executable, "-c", "import sys; sys.exit('no such extension')"])
    with pytest.raises(LabNotStarted, match=r"ended with code 1\. What it wrote is in .*jupyterlab\.log"):
        serve(lab, opened=lambda: None)
    assert lab.log.read_text() == "no such extension\n"


def test_a_port_that_another_program_took_first_is_told_from_other_failures(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[bool] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = replace(lab, port=other.getsockname()[1])
        monkeypatch.setattr(room, "_DIRECT", _Silent())
        monkeypatch.setattr(Lab, "command", [sys.executable, "-c", "raise SystemExit(1)"])
        with pytest.raises(PortTaken, match="ended with code 1"):
            serve(taken, opened=lambda: opened.append(True))
    assert not opened


def test_another_jupyterlab_on_the_port_is_not_taken_for_this_one(lab: Lab) -> None:
    asked: list[str] = []

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.handle_request, daemon=True).start()
        assert not room._answers(replace(lab, port=stranger.server_port))
    assert asked == ["token secret"]


class _Silent:
    def open(self, *_: object, **__: object) -> None:
        raise OSError("no answer")


def test_the_command_is_one_that_jupyterlab_accepts(lab: Lab) -> None:
    done = subprocess.run([*lab.command, "--show-config"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Unrecognized" not in done.stderr
    assert f".default_url = '/lab/tree/{FIRST_LESSON}'" in done.stdout
