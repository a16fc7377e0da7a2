"""Beyond this machine: a visitor logs in with a provider, sees the dashboard, and logs out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from helpers.commands.dashboard import plan_dashboard
from tests.browser.provider import CLIENT, SECRET, login_provider
from tests.browser.reader import Reader, free_port, serving, until
from tests.unit.dashboard_tables import write_lakehouse


def test_beyond_this_machine_nobody_sees_anything_before_the_provider_says_who_it_is(
    browser: Any, tmp_path: Path
) -> None:
    places = write_lakehouse(tmp_path, sales=20).places
    port = free_port()
    page = f"http://127.0.0.1:{port}/"
    with login_provider() as provider:
        login = {
            "redirect_uri": f"{page}oauth2callback",
            "cookie_secret": "c" * 32,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": f"{provider.url}/.well-known/openid-configuration",
        }
        secrets = places.root / ".streamlit" / "secrets.toml"
        secrets.parent.mkdir()
        secrets.write_text("[auth]\n" + "".join(f'{name} = "{value}"\n' for name, value in login.items()))
        # As beyond this machine, but for the address: no test listens there.
        planned = plan_dashboard(places, address="0.0.0.0", port=port, files=(secrets,))
        with serving(replace(planned, address="127.0.0.1")):
            visitor = Reader(browser, page)
            visitor.page.get_by_text("Log in to see the dashboard.").wait_for()
            assert visitor.page.get_by_role("tab").count() == 0
            visitor.page.get_by_role("button", name="Log in").click()
            until(lambda: visitor.page.get_by_test_id("stMetric").count(), lambda cards: cards == 4)
            assert provider.asked[0]["client_id"] == CLIENT
            visitor.page.get_by_role("button", name="Log out").click()
            visitor.page.get_by_text("Log in to see the dashboard.").wait_for()
            assert visitor.errors == []
            visitor.page.context.close()
