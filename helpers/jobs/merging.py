"""A target's overrides laid over a bundle's resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Lists whose items are the same when this field is: those are merged, others are appended.
_KEYS = {
    "tasks": "task_key", "job_clusters": "job_cluster_key", "parameters": "name", "environments": "environment_key",
}  # fmt: skip


def merged(below: Any, above: Any, field: str = "") -> Any:
    """Give `below` with `above` over it: objects field by field, lists by key or one behind the other."""
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        both = {key: merged(below[key], above[key], key) if key in below else above[key] for key in above}
        return {**below, **both}
    if isinstance(below, list) and isinstance(above, list):
        return _lists(below, above, _KEYS.get(field))
    return above


def _lists(below: Sequence[Any], above: Sequence[Any], key: str | None) -> list[Any]:
    result = list(below)
    for item in above:
        name = _name(item, key)
        place = next((place for place, one in enumerate(result) if name and _name(one, key) == name), None)
        if place is None:
            result.append(item)
        else:
            result[place] = merged(result[place], item)
    return result


def _name(item: Any, key: str | None) -> Any:
    return item.get(key) if key and isinstance(item, Mapping) else None
