"""The login that Streamlit's own secrets configure, checked before anything listens beyond this machine."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import LakeprepError

_COOKIE_SECRET = 32
_PROVIDER = ("client_id", "client_secret", "server_metadata_url")


class LoginNotConfigured(LakeprepError):
    """Streamlit's secrets do not say how to log in."""


@dataclass(frozen=True)
class Login:
    """`page` is where a reader begins, `providers` are whom to log in with; the section's own is called auth."""

    page: str
    providers: tuple[str, ...]


def read_login(files: tuple[Path, ...], *, port: int) -> Login:
    """Read the section [auth] as Streamlit does: of several files, the last one that has it counts.

    LoginNotConfigured says what is missing, and where to write it. https://docs.streamlit.io/develop/api-reference/user
    """
    auth = _auth(files)
    if problem := _problem_of(auth):
        raise LoginNotConfigured(
            f"Beyond this machine the dashboard asks for a login, and {problem} Write the section [auth] into "
            f"{files[-1]}, as Streamlit's documentation of st.login says: redirect_uri, cookie_secret, "
            f"{', '.join(_PROVIDER)}. Or leave out --address."
        )
    page = str(auth["redirect_uri"]).replace("{port}", str(port)).removesuffix("oauth2callback")
    return Login(page, _providers(auth))


def _auth(files: tuple[Path, ...]) -> dict[str, Any]:
    found: Any = {}
    for path in files:
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8")).get("auth", found)
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise LoginNotConfigured(f"{path} cannot be read ({error}). Mend it, or leave out --address.") from None
    return found if isinstance(found, dict) else {}


def _problem_of(auth: Mapping[str, Any]) -> str:
    if not auth:
        return "none is configured."
    if not str(auth.get("redirect_uri", "")).endswith("/oauth2callback"):
        return "its redirect_uri does not end with /oauth2callback."
    if len(str(auth.get("cookie_secret", ""))) < _COOKIE_SECRET:
        return f"its cookie_secret has fewer than {_COOKIE_SECRET} characters, so that a login could be forged."
    if not _providers(auth):
        return f"no provider in it has {', '.join(_PROVIDER)}."
    return ""


def _providers(auth: Mapping[str, Any]) -> tuple[str, ...]:
    named = {"auth": auth, **{name: part for name, part in auth.items() if isinstance(part, dict)}}
    return tuple(name for name, part in named.items() if all(part.get(key) for key in _PROVIDER))
