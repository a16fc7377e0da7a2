"""The client of a workspace, and one line for each thing that is done with it."""

from __future__ import annotations

import configparser
import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from helpers.deploy.errors import LOGIN, NoCredentials, explain, unreachable

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

Made = TypeVar("Made")
#: How long to look for a workspace, and how long to try again when it is busy.
_LOOKING_SECONDS, _PATIENT_SECONDS = 8, 120
_PAST = {"create": "created", "update": "updated", "upload": "uploaded", "delete": "deleted"}


def connect(*, profile: str | None = None) -> WorkspaceClient:
    """Find the workspace and its credentials where Databricks' own tools look for them.

    Those are the profile, the environment's DATABRICKS_…, and ~/.databrickscfg. NoCredentials when there are none,
    NotReached when nobody answers there.
    """
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.core import Config

    try:
        with _quiet():
            config = Config(profile=profile, http_timeout_seconds=60, retry_timeout_seconds=_LOOKING_SECONDS)
    except (ValueError, configparser.Error) as error:
        # What follows shows the settings, hidden as the SDK hides them; it is of no use to the reader.
        said = re.split(r"\.? Config: |, please ", str(error))[0]
        raise NoCredentials(f"No workspace to deploy to: {said}. {LOGIN}") from None
    if profile is not None:
        _check_profile(profile, config)
    _check_reachable(str(config.host))
    config.retry_timeout_seconds = _PATIENT_SECONDS
    return WorkspaceClient(config=config)


def _check_profile(profile: str, config: Any) -> None:
    """The SDK prefers the environment to a profile that was asked for, and needs no file where that holds enough."""
    file = Path(config.config_file or "~/.databrickscfg").expanduser()
    profiles = configparser.ConfigParser(interpolation=None)
    profiles.read(file, encoding="utf-8")
    if profile not in profiles:
        raise NoCredentials(f"No workspace to deploy to: there is no profile '{profile}' in {file}. {LOGIN}")
    named = profiles[profile].get("host", "").rstrip("/")
    if named and named != str(config.host).rstrip("/"):
        raise NoCredentials(
            f"The profile '{profile}' is of {named}, and DATABRICKS_HOST is {config.host}. Unset that variable, and "
            "DATABRICKS_TOKEN and the like with it, or leave out --profile."
        )


def _check_reachable(host: str) -> None:
    """Look before the SDK does: it would try again for minutes."""
    import requests

    try:
        requests.head(host, timeout=_LOOKING_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise unreachable(error, host=host, secret=None) from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out the SDK's warning that a workspace does not describe itself: it goes on without that."""
    logger = logging.getLogger("databricks.sdk")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@dataclass(frozen=True)
class Hand:
    """Does what a deployment needs and says so; a dry one changes nothing and says what it would do."""

    client: WorkspaceClient
    say: Callable[[str], None]
    dry: bool = False

    @property
    def host(self) -> str:
        return (self.client.config.host or "").rstrip("/")

    def do(self, verb: str, what: str, call: Callable[[], Made]) -> Made | None:
        """Make one change; None when dry."""
        if self.dry:
            self.say(f"would {verb} {what}")
            return None
        made = call()
        self.say(f"{_PAST[verb]} {what}")
        return made

    @contextlib.contextmanager
    def step(self, doing: str, *, needs: str) -> Iterator[None]:
        """Turn what the workspace refuses in here into an error that says what was wanted and what it needs."""
        from databricks.sdk.errors import DatabricksError
        from requests.exceptions import RequestException

        secret = self.client.config.token
        try:
            yield
        except DatabricksError as error:
            raise explain(error, doing=doing, needs=needs, host=self.host, secret=secret) from None
        except (RequestException, TimeoutError) as error:
            raise unreachable(error, host=self.host, secret=secret) from None
