"""`${...}` in a bundle: what is known is filled in, the rest stays for the checks to name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from helpers.jobs.errors import BundleError
from helpers.jobs.schema import nearest

_REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")
_DEEPEST = 10


class Substitution:
    """Fills in values by name; a text that is one reference alone becomes the value itself, of whatever type."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __call__(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, Mapping):
            return {key: self(item, depth) for key, item in value.items()}
        if isinstance(value, list):
            return [self(item, depth) for item in value]
        return self._text(value, depth) if isinstance(value, str) else value

    def _text(self, text: str, depth: int) -> Any:
        if depth > _DEEPEST:
            raise BundleError(f"the variables refer to each other in a circle: {text}")
        whole = _REFERENCE.fullmatch(text)
        if whole and self._knows(whole[1]):
            return self(self._values[whole[1]], depth + 1)
        filled = _REFERENCE.sub(lambda match: self._inside(match, depth), text)
        return filled

    def _inside(self, match: re.Match[str], depth: int) -> str:
        if not self._knows(match[1]):
            return match[0]
        value = self(self._values[match[1]], depth + 1)
        return value if isinstance(value, str) else json.dumps(value)

    def _knows(self, name: str) -> bool:
        if name.startswith("var.") and name not in self._values:
            known = [key for key in self._values if key.startswith("var.")]
            raise BundleError(f"${{{name}}} names no variable of the bundle{nearest(name, known)}")
        return name in self._values
