"""How the dashboard is started, and who may see it: a token on this machine, a login beyond it, and nobody else."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest
from rich.console import Console
from streamlit.testing.v1 import AppTest

from helpers import cli
from helpers.commands.dashboard import LOGIN, TOKEN, Dashboard, DashboardNotStarted, plan_dashboard, show_dashboard
from helpers.dashboard.login import LoginNotConfigured
from helpers.runtime.places import REPO_ROOT, Places

APP = REPO_ROOT / "helpers" / "dashboard" / "app.py"
AUTH = {
    "redirect_uri": "https://shop.example.com/oauth2callback",
    "cookie_secret": "c" * 32,
    "client_id": "me",
    "client_secret": "s",
    "server_metadata_url": "https://login.example.com/.well-known/openid-configuration",
}


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_on_this_machine_the_printed_address_has_a_token_that_no_process_list_shows(address: str) -> None:
    dashboard = _planned(address)
    assert len(dashboard.token) == 48
    assert dashboard.url.endswith(f":8501/?token={dashboard.token}")
    assert dashboard.token != _planned(address).token
    assert not any(dashboard.token in part for part in dashboard.command)
    assert dashboard.environment({LOGIN: "auth"}).get(LOGIN) is None
    assert dashboard.environment({TOKEN: "old"})[TOKEN] == dashboard.token


def test_streamlit_keeps_its_protections_and_tells_nobody() -> None:
    command = _planned("127.0.0.1").command
    for option in (
        "server.address=127.0.0.1",
        "server.allowedHosts=127.0.0.1",
        "server.allowedHosts=localhost",
        "server.enableCORS=true",
        "server.enableXsrfProtection=true",
        "browser.gatherUsageStats=false",
        "server.showEmailPrompt=false",
    ):
        assert f"--{option}" in command


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "::", "shop.example.com"])
def test_beyond_this_machine_it_refuses_to_start_without_a_login(address: str, tmp_path: Path) -> None:
    with pytest.raises(LoginNotConfigured, match=r"asks for a login, and none is configured.*Or leave out --address"):
        _planned(address, tmp_path / "secrets.toml")


def test_the_refusal_is_one_sentence_and_nothing_listens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _enter(monkeypatch, tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *command, **_: started.append(command))
    assert cli.main(["dashboard", "--no-browser", "--address", "0.0.0.0"]) == 1
    assert "Beyond this machine the dashboard asks for a login" in capsys.readouterr().err.replace("\n", " ")
    assert started == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"redirect_uri": "https://shop.example.com/"}, "redirect_uri does not end with /oauth2callback"),
        ({"cookie_secret": "short"}, "fewer than 32 characters"),
        ({"client_secret": ""}, "no provider in it has client_id, client_secret, server_metadata_url"),
        ({"client_id": '"'}, "cannot be read"),
    ],
)
def test_an_incomplete_login_says_what_is_missing(changed: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(LoginNotConfigured, match=said) as raised:
        _planned("0.0.0.0", _secrets(tmp_path, AUTH | changed))
    assert str(tmp_path) in str(raised.value)


def test_with_a_login_there_is_no_token_and_the_last_file_counts(tmp_path: Path) -> None:
    file = _secrets(tmp_path, AUTH)
    dashboard = _planned("0.0.0.0", tmp_path / "missing.toml", file)
    assert (dashboard.login, dashboard.token, dashboard.url) == (("auth",), "", "https://shop.example.com/")
    assert TOKEN not in dashboard.environment({TOKEN: "old"})
    assert [part for part in dashboard.command if "Hosts" in part] == ["--server.allowedHosts=shop.example.com"]
    file.write_text(file.read_text().replace("client_id", "[auth.google]\nclient_id"))
    assert _planned("0.0.0.0", file).login == ("google",)


def test_a_busy_port_is_one_sentence_with_the_next_step(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DashboardNotStarted, match=rf"^Port {port} of 127.0.0.1 cannot be used .*--port 8502\.$"):
            show_dashboard(Places(tmp_path), address="127.0.0.1", port=port, browser=False, console=Console())


def test_nothing_is_shown_without_the_token_and_with_it_what_to_do_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _enter(monkeypatch, tmp_path, **{TOKEN: "t" * 48})
    for given in (None, "u" * 48, "täuschend"):
        page = _page(given)
        assert [info.value for info in page.info] == [
            "This address lacks its token. Open the whole address that `python3 -m helpers dashboard` printed."
        ]
        assert not page.tabs
    page = _page("t" * 48)
    assert not page.exception
    assert page.title[0].value == "Retail analytics"
    assert "There is no table silver_sales yet. Run the job: python3 -m helpers run" in _html(page)
    page.query_params.clear()
    assert page.run(timeout=30).title[0].value == "Retail analytics"


def test_without_its_command_nothing_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter(monkeypatch, tmp_path)
    page = _page("anything")
    assert page.error[0].value == "Start the dashboard with its own command: python3 -m helpers dashboard"
    assert not page.title


def test_beyond_this_machine_a_stranger_sees_the_login_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _enter(monkeypatch, tmp_path, **{LOGIN: "auth,google"})
    page = _page("anything")
    assert [button.label for button in page.button] == ["Log in", "Log in with google"]
    assert not page.tabs
    assert [line.value for line in page.markdown] == ["Log in to see the dashboard."]


def _planned(address: str, *files: Path) -> Dashboard:
    return plan_dashboard(Places(Path("/nowhere")), address=address, port=8501, files=files)


def _secrets(folder: Path, auth: dict[str, str]) -> Path:
    file = folder / "secrets.toml"
    file.write_text("[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in auth.items()))
    return file


def _enter(monkeypatch: pytest.MonkeyPatch, home: Path, **door: str) -> None:
    for name in (TOKEN, LOGIN):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**door, "LAKEPREP_HOME": str(home)}.items():
        monkeypatch.setenv(name, value)
    assert os.environ["LAKEPREP_HOME"] == str(home)


def _page(token: str | None) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=30)
    if token is not None:
        page.query_params["token"] = token
    return page.run()


def _html(page: AppTest) -> str:
    return " ".join(str(block.proto.body) for block in page.get("html"))
