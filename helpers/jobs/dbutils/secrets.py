"""dbutils.secrets from environment variables: `LAKEPREP_SECRET_<SCOPE>_<KEY>`, upper case, `_` for other characters."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Iterator, Mapping

from helpers.errors import LakeprepError
from helpers.jobs.dbutils.parts import Part
from helpers.jobs.redaction import PREFIX

_OTHER = re.compile(r"[^A-Z0-9]")


class SecretNotFound(LakeprepError, ValueError):
    """A secret whose variable is not set."""


class SecretScope(namedtuple("SecretScope", ["name"])):
    """One scope, as `listScopes` gives it."""

    def getName(self) -> str:
        return self.name


class SecretMetadata(namedtuple("SecretMetadata", ["key"])):
    """One secret, as `list` gives it."""


class Secrets(Part):
    """Values that no output shows."""

    _name = "dbutils.secrets"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._values = {name: value for name, value in environ.items() if name.startswith(PREFIX) and value}

    def get(self, scope: str, key: str) -> str:
        """Give a secret's value."""
        name = variable(scope, key)
        if name not in self._values:
            said = f"set the environment variable {name}, and start this process again"
            raise SecretNotFound(f"Secret does not exist with scope: {scope} and key: {key}; {said}")
        return self._values[name]

    def getBytes(self, scope: str, key: str) -> bytes:
        """Give a secret's value as bytes of UTF-8."""
        return self.get(scope, key).encode()

    def list(self, scope: str) -> list[SecretMetadata]:
        """Give the keys of a scope, in lower case: a variable does not keep more of a name."""
        prefix = variable(scope, "")
        keys = [SecretMetadata(name.removeprefix(prefix).lower()) for name in self._names() if name.startswith(prefix)]
        if not keys:
            said = f"set an environment variable {prefix}<KEY>, and start this process again"
            raise SecretNotFound(f"Scope {scope} does not exist; {said}")
        return keys

    def listScopes(self) -> list[SecretScope]:
        """Give the scopes, in lower case, as far as the first `_` of a name: no variable says where its key begins."""
        found = dict.fromkeys(name.removeprefix(PREFIX).partition("_")[0].lower() for name in self._names())
        return [SecretScope(name) for name in found]

    def _names(self) -> Iterator[str]:
        return iter(sorted(name for name in self._values if "_" in name.removeprefix(PREFIX)))


def variable(scope: str, key: str) -> str:
    """The environment variable of a secret."""
    return f"{PREFIX}{_OTHER.sub('_', scope.upper())}_{_OTHER.sub('_', key.upper())}"
