"""Who may see the page: whoever has the token that the command printed, or, beyond this machine, whoever logged in."""

from __future__ import annotations

import hmac
import os

import streamlit as st

from helpers.commands.dashboard import LOGIN, TOKEN

_ADMITTED = "admitted"


def admitted() -> bool:
    """Say whether this session may see data; where it may not, show what to do instead."""
    if providers := os.environ.get(LOGIN):
        return _logged_in(providers.split(","))
    token = os.environ.get(TOKEN)
    if not token:
        st.error("Start the dashboard with its own command: python3 -m helpers dashboard")
        return False
    if not st.session_state.get(_ADMITTED) and same(st.query_params.get("token", ""), token):
        st.session_state[_ADMITTED] = True
    if st.session_state.get(_ADMITTED):
        return True
    st.title("Lakeprep")
    st.info("This address lacks its token. Open the whole address that `python3 -m helpers dashboard` printed.")
    return False


def same(given: str, token: str) -> bool:
    """Compare in a time that tells nothing about the token."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _logged_in(providers: list[str]) -> bool:
    if getattr(st.user, "is_logged_in", False):  # there is no such attribute where no login is configured
        with st.sidebar:
            st.button("Log out", on_click=st.logout)
        return True
    st.title("Lakeprep")
    st.write("Log in to see the dashboard.")
    for name in providers:
        # The provider of the section [auth] itself has no name.
        own = None if name == "auth" else name
        st.button(f"Log in with {own}" if own else "Log in", on_click=st.login, args=[own] if own else [], key=name)
    return False
