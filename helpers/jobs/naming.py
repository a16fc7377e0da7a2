"""Where a mistake is, in words: by the names that things have, never by their place in a list."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
#: The fields that tell one item of a list from another.
_NAMES = ("task_key", "name", "job_cluster_key", "environment_key", "metric", "id")
_ONE = {"tasks": "task", "parameters": "parameter", "job_clusters": "job_cluster", "environments": "environment"}
_LONGEST = 60


def in_words(path: str, document: Any) -> str:
    """Say `task 'gold', depends_on 'silver', outcome` for `tasks[2].depends_on[0].outcome` of a definition."""
    parts: list[str] = []
    fields: list[str] = []
    place, owner = 0, document
    while match := _STEP.match(path, place):
        key, index = match[1], match[2]
        if key is not None and isinstance(owner, dict) and key in owner:
            fields.append(key)
            owner = owner[key]
        elif index is not None and isinstance(owner, list) and int(index) < len(owner):
            parts.append(_item(".".join(fields), owner, int(index)))
            fields, owner = [], owner[int(index)]
        else:
            break
        place = match.end()
    fields.append(path[place:].removeprefix("."))
    return ", ".join(filter(None, [*parts, ".".join(filter(None, fields))]))


def _item(field: str, items: Sequence[Any], index: int) -> str:
    name = _name(items[index])
    if name is not None:
        return f"{_ONE.get(field, field)} {name}"
    before = _name(items[index - 1]) if index and field == "tasks" else None
    if before:
        return f"the task after {before}"
    # Nothing else tells it from its neighbours than what it holds.
    return f"{_ONE.get(field, field)} {_shortened(json.dumps(items[index], ensure_ascii=False, default=str))}"


def _name(item: Any) -> str | None:
    """What an item is called; a text is called by itself."""
    given = [item.get(field) for field in _NAMES] if isinstance(item, dict) else [item]
    text = next((text for text in given if isinstance(text, str)), None)
    if text is None:
        return None
    return f"'{_shortened(text)}'"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
