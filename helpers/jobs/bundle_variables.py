"""The values of a bundle's variables: https://docs.databricks.com/aws/en/dev-tools/bundles/variables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.jobs.errors import BundleError
from helpers.jobs.schema import nearest

_VARIABLE = "BUNDLE_VAR_"


@dataclass(frozen=True)
class Told:
    """Where values come from: the call, the environment, and the target in the bundle's files."""

    given: Mapping[str, str]
    environment: Mapping[str, str]
    target: Mapping[str, Any]


def variable_values(variables: Mapping[str, Any], told: Told, *, root: Path, target: str) -> dict[str, Any]:
    """Give each variable's value, the first of: the call's, `BUNDLE_VAR_<name>`, the overrides file's, the target's,
    its default.

    The overrides file is `.databricks/bundle/<target>/variable-overrides.json` beside `root`, the `databricks.yml`.
    BundleError for a value of a variable that the bundle does not define, and for a variable without a value.
    """
    file = root.parent / ".databricks" / "bundle" / target / "variable-overrides.json"
    overrides = _overrides(file)
    for source, named in (("the call", told.given), (file.name, overrides), ("the target", told.target)):
        for name in named:
            if name not in variables:
                has = ", ".join(map(str, variables)) or "none"
                said = f"{root} has no variable '{name}', which {source} sets{nearest(name, variables)}"
                raise BundleError(f"{said} (it has {has})")
    return {
        name: _value(name, definition, (
            told.given.get(name), told.environment.get(f"{_VARIABLE}{name}"), overrides.get(name),
            _plain(told.target.get(name)),
        ))
        for name, definition in variables.items()
    }  # fmt: skip


def _value(name: str, definition: Any, found: tuple[Any, ...]) -> Any:
    told = definition if isinstance(definition, Mapping) else {"default": definition}
    first = next((value for value in found if value is not None), None)
    if first is None and "lookup" in told:
        raise BundleError(f"variable '{name}' is looked up in a workspace, which is not there; give its value")
    value = told.get("default") if first is None else first
    if value is None:
        said = f"set {_VARIABLE}{name} in the environment, pass variables={{'{name}': ...}} or give it a default"
        raise BundleError(f"variable '{name}' has no value; {said}")
    return value


def _overrides(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BundleError(f"{file} cannot be read as JSON: {error}; mend it, or delete it") from None
    if not isinstance(found, Mapping):
        raise BundleError(f'{file} is no JSON object such as {{"catalog": "main"}}; mend it, or delete it')
    return found


def _plain(value: Any) -> Any:
    """A target's variable is its value, or an object that has it as `default`."""
    return value["default"] if isinstance(value, Mapping) and value.keys() <= {"default", "description"} else value
