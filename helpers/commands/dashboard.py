"""`dashboard`: the Streamlit page, on the loopback address with a token, or beyond it with a login; ended by Ctrl-C."""

from __future__ import annotations

import html
import ipaddress
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from rich.console import Console

from helpers.dashboard.login import read_login
from helpers.errors import LakeprepError
from helpers.runtime.places import REPO_ROOT, Places
from helpers.runtime.state import write_private

#: How the page learns who may see it; never both.
TOKEN, LOGIN = "LAKEPREP_DASHBOARD_TOKEN", "LAKEPREP_DASHBOARD_LOGIN"
#: What a browser on this machine may call it.
_NAMES = ("localhost", "127.0.0.1", "::1")
_START_SECONDS = 120.0
_END_SECONDS = 0.7


class DashboardNotStarted(LakeprepError):
    """The dashboard could not be opened."""


@dataclass(frozen=True)
class Dashboard:
    """How one Streamlit is started; `login` names the providers to log in with, and then there is no token."""

    places: Places
    address: str
    port: int
    token: str = ""
    login: tuple[str, ...] = ()
    host: str = ""

    @property
    def url(self) -> str:
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return self.host or f"http://{shown}:{self.port}/?token={self.token}"

    @property
    def doorway(self) -> Path:
        """A page that leads to the address, for its owner alone: everybody here may read a browser's command line."""
        return self.places.root / f"dashboard-{self.port}.html"

    @property
    def log(self) -> Path:
        return self.places.root / "dashboard.log"

    @property
    def command(self) -> list[str]:
        from helpers.charts.theme import DARK, LIGHT

        name = urlparse(self.host).hostname
        options: dict[str, Any] = {
            "server.address": self.address,
            "server.port": self.port,
            "server.headless": "true",
            "server.enableCORS": "true",
            "server.enableXsrfProtection": "true",
            "browser.serverAddress": name or self.address,
            "server.fileWatcherType": "none",
            "server.showEmailPrompt": "false",
            "browser.gatherUsageStats": "false",
            "client.toolbarMode": "viewer",
            "client.showErrorDetails": "none",
        }
        for theme, colours in (("light", LIGHT), ("dark", DARK)):
            options |= {
                f"theme.{theme}.primaryColor": colours.blue,
                f"theme.{theme}.backgroundColor": colours.surface,
                f"theme.{theme}.secondaryBackgroundColor": colours.page,
                f"theme.{theme}.textColor": colours.text,
            }
        told = [f"--{option}={value}" for option, value in options.items()]
        # A page elsewhere cannot reach this one under a name of its own.
        told += [f"--server.allowedHosts={one}" for one in ([name] if name else dict.fromkeys((*_NAMES, self.address)))]
        return [sys.executable, "-m", "helpers.dashboard.serve", *told]

    def environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Give the page `helpers` and this home; the token stays out of the process list."""
        path = os.pathsep.join(filter(None, [str(REPO_ROOT), environ.get("PYTHONPATH", "")]))
        kept = {name: value for name, value in environ.items() if name not in (TOKEN, LOGIN)}
        door = {LOGIN: ",".join(self.login)} if self.login else {TOKEN: self.token}
        return {**kept, "PYTHONPATH": path, "LAKEPREP_HOME": str(self.places.root), **door}


def show_dashboard(places: Places, *, address: str, port: int, browser: bool, console: Console) -> None:
    """Run the dashboard until Ctrl-C; DashboardNotStarted says what is in the way."""
    dashboard = plan_dashboard(places, address=address, port=port, files=_secrets_files(places))
    _claim(dashboard)
    try:
        with _serving(dashboard) as process:
            _await(process, dashboard)
            _tell_opened(dashboard, browser=browser, console=console)
            code = process.wait()
    except KeyboardInterrupt:
        console.print("\nThe dashboard is closed.")
        return
    finally:
        dashboard.doorway.unlink(missing_ok=True)
    raise DashboardNotStarted(f"The dashboard ended with code {code}. What it wrote is in {dashboard.log}.")


def plan_dashboard(places: Places, *, address: str, port: int, files: tuple[Path, ...]) -> Dashboard:
    """Choose a token on the loopback address; beyond it, take the login that Streamlit's secrets configure."""
    if _is_loopback(address):
        return Dashboard(places, address, port, token=secrets.token_hex(24))
    login = read_login(files, port=port)
    return Dashboard(places, address, port, login=login.providers, host=login.page)


def _secrets_files(places: Places) -> tuple[Path, ...]:
    """Where the Streamlit that is started in this home looks, the one that counts last."""
    return (Path.home() / ".streamlit" / "secrets.toml", places.root / ".streamlit" / "secrets.toml")


def _tell_opened(dashboard: Dashboard, *, browser: bool, console: Console) -> None:
    console.print(f"The dashboard is open: {dashboard.url}", markup=False, highlight=False, soft_wrap=True)
    console.print("Ctrl-C here closes it.")
    if browser:
        import webbrowser

        webbrowser.open(_opened_doorway(dashboard) if dashboard.token else dashboard.url)


def _opened_doorway(dashboard: Dashboard) -> str:
    address = html.escape(dashboard.url)
    write_private(dashboard.doorway, f"""<!doctype html>
<meta charset="utf-8">
<title>The dashboard of Lakeprep</title>
<meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={address}">
<a href="{address}">Open the dashboard</a>
""")
    return dashboard.doorway.absolute().as_uri()


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _claim(dashboard: Dashboard) -> None:
    """Say that a port or an address cannot be had, before Streamlit looks for another one or writes a traceback."""
    family = socket.AF_INET6 if ":" in dashboard.address else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((dashboard.address, dashboard.port))
        except (OSError, OverflowError) as error:
            raise DashboardNotStarted(
                f"Port {dashboard.port} of {dashboard.address} cannot be used ({getattr(error, 'strerror', error)}). "
                "Close what uses it, or name another one, such as --port 8502."
            ) from None


@contextmanager
def _serving(dashboard: Dashboard) -> Iterator[subprocess.Popen[bytes]]:
    """Run Streamlit for as long as the block runs; it ends within a second, whatever it is doing."""
    dashboard.places.root.mkdir(parents=True, exist_ok=True)
    with dashboard.log.open("wb") as log:
        process = subprocess.Popen(
            dashboard.command,
            cwd=dashboard.places.root,
            env=dashboard.environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    # Ctrl-C too: a shell starts what runs in its background with SIGINT ignored.
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, _end) for number in numbers]
    try:
        yield process
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        process.kill()
        process.wait()


def _end(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _await(process: subprocess.Popen[bytes], dashboard: Dashboard) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + _START_SECONDS
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(dashboard.address, dashboard.address)
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((address, dashboard.port), timeout=0.5):
            return
        time.sleep(0.1)
    raise DashboardNotStarted(f"The dashboard did not start. What it wrote is in {dashboard.log}.")
