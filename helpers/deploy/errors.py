"""What can go wrong with a workspace, each in a sentence or two that end with the next step."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from helpers.errors import LakeprepError

if TYPE_CHECKING:
    from databricks.sdk.errors import DatabricksError

AGAIN = "What was done before stays; run the same command again to finish it."
LOGIN = (
    "Sign in with `databricks auth login --host https://<your workspace>` (the Databricks CLI; Free Edition too), "
    "name a profile of ~/.databrickscfg with --profile, or set DATABRICKS_HOST with DATABRICKS_TOKEN, or with "
    "DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET."
)
_SYSTEM = re.compile(r"\[Errno -?\d+\] ([^'\")]+)")
_QUOTA_CODES = frozenset({"QUOTA_EXCEEDED", "RESOURCE_EXHAUSTED", "RESOURCE_LIMIT_EXCEEDED"})


class DeployError(LakeprepError):
    """A deployment stopped."""


class NoCredentials(DeployError):
    """No workspace is named, or it does not know who asks."""


class NotAllowed(DeployError):
    """The user lacks a privilege."""


class CatalogMissing(DeployError):
    """The catalog is not in the workspace, or the user cannot see it."""


class Occupied(DeployError):
    """Something of the same name is there that this command did not make."""


class QuotaReached(DeployError):
    """The workspace's quota is used up."""


class NotReached(DeployError):
    """The workspace does not answer."""


def explain(error: DatabricksError, *, doing: str, needs: str, host: str, secret: str | None) -> DeployError:
    """Turn what the workspace answered into one of the errors above; `secret` is left out of the text."""
    from databricks.sdk.errors import PermissionDenied, TooManyRequests, Unauthenticated

    said = _text(error, secret)
    # A token that is no longer valid is answered with 403, as a missing privilege is.
    if isinstance(error, Unauthenticated) or "access token" in said.lower():
        return NoCredentials(f"{host} does not accept the credentials ({said}). They may have expired. {LOGIN}")
    if isinstance(error, PermissionDenied):
        return NotAllowed(f"You may not {doing}: {said}. It needs {needs}. {AGAIN}")
    if isinstance(error, TooManyRequests) or error.error_code in _QUOTA_CODES or "quota" in said.lower():
        return QuotaReached(
            f"The workspace's quota ended the deployment when it was to {doing}: {said}. Wait (Free Edition's quotas "
            f"begin anew each day or month) or delete what you do not need. {AGAIN}"
        )
    return DeployError(f"The workspace could not {doing}: {said}. {AGAIN}")


def unreachable(error: Exception, *, host: str, secret: str | None) -> NotReached:
    """Say that nobody answers."""
    said = _text(error, secret)
    # The system's own words are the last of a long chain of wrapped errors.
    reason = found[1] if (found := _SYSTEM.search(said)) else said
    return NotReached(f"{host} does not answer ({reason}). Check the address and your network. {AGAIN}")


def _text(error: Exception, secret: str | None) -> str:
    """What the error says, without the settings that the SDK puts behind it."""
    said = (" ".join(str(error).split()) or type(error).__name__).split(". Config: ")[0]
    return (said.replace(secret, "***") if secret else said).rstrip(".")
