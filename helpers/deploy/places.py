"""Where a target's resources are in a workspace, and what they are called; pure.

Names follow a bundle's `mode: development` (https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes):
`[dev alice] retail`, and for a schema `dev_alice_retail`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

#: The tag of a job or pipeline, whose value is the target; what has no such tag is never touched.
TAG = "lakeprep"
#: A volume has no tags in the API, so its comment tells whose it is.
COMMENTS: Mapping[str, str] = {
    "landing": "Lakeprep: the stores' files, as they arrive",
    "reports": "Lakeprep: the report that each run of the job writes",
}
SCHEMA_COMMENT = "Lakeprep: the tables and volumes of the retail job"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Target:
    """One target of `databricks.yml`; a classic one runs its notebooks on a job cluster, the others serverless."""

    name: str
    catalog: str
    development: bool = True
    classic: bool = False


TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target("free", "workspace"),
        Target("dev", "main"),
        Target("prod", "main", development=False, classic=True),
    )
}


@dataclass(frozen=True)
class Place:
    """One user's copy of one target."""

    target: Target
    user: str
    short_name: str
    catalog: str
    base_schema: str = "retail"

    @property
    def prefix(self) -> str:
        return f"[dev {self.short_name}] " if self.target.development else ""

    @property
    def schema(self) -> str:
        return f"dev_{self.short_name}_{self.base_schema}" if self.target.development else self.base_schema

    @property
    def full_schema(self) -> str:
        return f"{self.catalog}.{self.schema}"

    @property
    def root(self) -> str:
        """The folder of the uploaded files; a dot keeps it from a Git folder of the same name."""
        return f"/Workspace/Users/{self.user}/.lakeprep/{self.target.name}"

    @property
    def tags(self) -> dict[str, str]:
        mine = {TAG: self.target.name}
        return {**mine, "dev": _ascii(self.short_name)} if self.target.development else mine

    def volume(self, name: str) -> str:
        return f"/Volumes/{self.catalog}/{self.schema}/{name}"


def short_name(user: str, *, display_name: str | None = None) -> str:
    """Give `alice_b` for alice.b@example.com; a service principal's name is its display name."""
    named = display_name if display_name and _UUID.fullmatch(user) else user
    return re.sub(r"[\W_]+", "_", named.split("@")[0].lower()).strip("_")


def _ascii(text: str) -> str:
    """Clusters inherit these tags, and some clouds take no other letters."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
