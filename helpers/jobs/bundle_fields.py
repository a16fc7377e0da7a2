"""Which fields of a bundle mean something here, which are left aside and shown, and which are refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.jobs.errors import BundleError
from helpers.jobs.model import Ignored
from helpers.jobs.schema import nearest

_NOT_DEPLOYED = "nothing is deployed here"
_ASIDE = {
    "workspace": "there is no workspace",
    "permissions": "one user runs everything here",
    "run_as": "tasks run as you",
    "presets": _NOT_DEPLOYED,
    "sync": _NOT_DEPLOYED,
    "artifacts": "nothing is built here; build wheels before",
    "scripts": "they are not looked at",
    "experimental": "it is not looked at",
}
_ROOT = ("bundle", "include", "variables", "resources", "targets")
_TARGET = ("default", "mode", "variables", "resources")
_TARGET_ASIDE = {
    "bundle": _NOT_DEPLOYED, "git": _NOT_DEPLOYED, "cluster_id": "tasks run on this machine",
    "compute_id": "tasks run on this machine",
}  # fmt: skip
_REFUSED = {
    "environments": "it is the old name of targets: write targets",
    "python": "resources that Python code defines are not read here: write them in YAML",
}


def check_file(document: Mapping[str, Any], file: Path) -> None:
    """BundleError for a field that a bundle's file does not have, or that would change the jobs here unseen."""
    _check(document, (*_ROOT, *_ASIDE), str(file))
    experimental = document.get("experimental")
    for name in ("python", "pydabs"):
        if isinstance(experimental, Mapping) and experimental.get(name):
            raise BundleError(f"{file}: experimental.{name} is not supported here; {_REFUSED['python']}")


def check_target(target: Mapping[str, Any], name: str, root: Path) -> None:
    """The same for one target."""
    _check(target, (*_TARGET, *_TARGET_ASIDE, *_ASIDE), f"{root}, target '{name}'")


def set_apart(root: Mapping[str, Any], target: Mapping[str, Any]) -> Iterator[Ignored]:
    """What the bundle and its target say that means nothing on one machine."""
    if target.get("mode"):
        why = f"the job runs as it is written; {_NOT_DEPLOYED}"
        yield Ignored(f"mode: {target['mode']} of the target", why)
    for field, why in {**_ASIDE, **_TARGET_ASIDE}.items():
        if target.get(field) or (field in _ASIDE and root.get(field)):
            yield Ignored(f"{field} of the bundle", why)


def _check(owner: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for field in owner:
        if field in _REFUSED:
            raise BundleError(f"{where}: {field} is not supported here; {_REFUSED[field]}")
        if field not in known:
            raise BundleError(f"{where}: bundles have no field '{field}' here{nearest(field, known)}")
