"""Jobs of a bundle: `databricks.yml` and what it includes, with a target's variables and overrides filled in.

Imitates https://docs.databricks.com/aws/en/dev-tools/bundles/ as far as a job on one machine needs it: nothing is
deployed, so workspace, presets and permissions mean nothing here, and names get no prefix.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers.jobs.bundle_fields import check_file, check_target, set_apart
from helpers.jobs.bundle_variables import Told, variable_values
from helpers.jobs.definition import parse_resource
from helpers.jobs.errors import BundleError
from helpers.jobs.files import Around, Resource
from helpers.jobs.merging import merged
from helpers.jobs.model import Job
from helpers.jobs.schema import nearest
from helpers.jobs.substitution import Substitution
from helpers.jobs.yaml_text import read_yaml


@dataclass(frozen=True)
class _Files:
    """What the bundle's files say together; each resource keeps the file it came from."""

    root: Path
    document: Mapping[str, Any]
    bundle: Mapping[str, Any]
    variables: Mapping[str, Any]
    targets: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Resource]]


def load_bundle_job(
    path: Path,
    job: str,
    *,
    target: str | None = None,
    variables: Mapping[str, str] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Job:
    """Read and check the job with this key in a bundle's `databricks.yml`.

    `target` is the default one when None; where a variable's value comes from is in
    :func:`helpers.jobs.bundle_variables.variable_values`. BundleError for the bundle itself, JobSyntaxError for text
    that is no YAML, JobDefinitionError with every mistake of the job.
    """
    files = _read(path)
    chosen = _target(files, target)
    resources = _resources(files, chosen, variables or {}, environment)
    jobs = resources.get("jobs", {})
    if job not in jobs:
        raise BundleError(
            f"{path} has no job '{job}'{nearest(job, jobs)} (it has {', '.join(map(str, jobs)) or 'none'})"
        )
    around = Around(jobs[job].source.parent, jobs, resources.get("pipelines", {}))
    found = parse_resource(jobs[job], around)
    return replace(found, ignored=(*found.ignored, *set_apart(files.document, chosen[1])))


def _read(path: Path) -> _Files:
    root = read_yaml(path)
    parts = [(root, path), *((read_yaml(file), file) for file in _included(root, path))]
    resources: dict[str, dict[str, Resource]] = {}
    variables: dict[str, Any] = {}
    targets: dict[str, Any] = {}
    for document, file in parts:
        check_file(document, file)
        variables |= _object(document, "variables", file)
        targets = merged(targets, _object(document, "targets", file))
        for kind, found in _object(document, "resources", file).items():
            for key, item in _object({kind: found}, kind, file).items():
                if not isinstance(item, Mapping):
                    raise BundleError(f"{file}: resources.{kind}.{key} is no object")
                if key in resources.setdefault(kind, {}):
                    both = f"{resources[kind][key].source} and in {file}"
                    raise BundleError(f"resources.{kind}.{key} is both in {both}; give one another key")
                resources[kind][key] = Resource(key, item, file)
    return _Files(path, root, _object(root, "bundle", path), variables, targets, resources)


def _included(root: Mapping[str, Any], path: Path) -> Iterator[Path]:
    patterns = root.get("include") or ()
    if not isinstance(patterns, list | tuple):
        raise BundleError(f"{path}: include is no list such as [resources/*.yml]")
    for pattern in patterns:
        found = sorted(path.parent.glob(str(pattern)))
        if not found:
            raise BundleError(f"{path}: no file matches '{pattern}' of include")
        yield from (file for file in found if file.resolve() != path.resolve())


def _object(document: Mapping[str, Any], field: str, file: Path) -> Mapping[str, Any]:
    found = document.get(field) or {}
    if not isinstance(found, Mapping):
        raise BundleError(f"{file}: {field} is no object")
    return found


def _target(files: _Files, named: str | None) -> tuple[str, Mapping[str, Any]]:
    """The named target, or the default one, or the only one; without any, the bundle as it is."""
    targets = files.targets
    if named is not None and named not in targets:
        has = ", ".join(map(str, targets)) or "none"
        raise BundleError(f"{files.root} has no target '{named}'{nearest(named, targets)} (it has {has})")
    defaults = [key for key, item in targets.items() if isinstance(item, Mapping) and item.get("default")]
    if named is None and len(defaults) > 1:
        raise BundleError(
            f"{files.root}: {' and '.join(map(str, defaults))} are both the default target; only one may be"
        )
    if named is None and targets and not defaults and len(targets) > 1:
        raise BundleError(f"{files.root} has no default target; name one of {', '.join(map(str, targets))}")
    chosen = named or (defaults or list(targets) or ["default"])[0]
    target = _object(targets, chosen, files.root)
    check_target(target, chosen, files.root)
    return chosen, target


def _resources(
    files: _Files, chosen: tuple[str, Mapping[str, Any]], given: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, dict[str, Resource]]:
    name, target = chosen
    told = Told(given, environment, _object(target, "variables", files.root))
    values = variable_values(files.variables, told, root=files.root, target=name)
    known = {"bundle.name": files.bundle.get("name", ""), "bundle.target": name, "bundle.environment": name}
    found = {(kind, key): item for kind, items in files.resources.items() for key, item in items.items()}
    for kind, key, override in _overrides(target, files.root):
        item = found.get((kind, key), Resource(key, {}, files.root))
        found[kind, key] = replace(item, document=merged(item.document, override))
    fill = Substitution(known | {f"var.{key}": value for key, value in values.items()} | _fields(found))
    resources: dict[str, dict[str, Resource]] = {}
    for (kind, key), item in found.items():
        resources.setdefault(kind, {})[key] = replace(item, document=fill(item.document))
    return resources


def _overrides(target: Mapping[str, Any], root: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """What a target says of each resource: of one that is there, or of one that only this target has."""
    resources = _object(target, "resources", root)
    for kind in resources:
        items = _object(resources, kind, root)
        yield from ((kind, key, _object(items, key, root)) for key in items)


def _fields(resources: Mapping[tuple[str, str], Resource]) -> dict[str, Any]:
    """What a resource says of itself, such as `resources.schemas.retail.name`; an id is the workspace's to give."""
    return {
        f"resources.{kind}.{key}.{field}": value
        for (kind, key), item in resources.items()
        for field, value in item.document.items()
        if isinstance(value, str | int | float)
    }
