"""A JSON value against the SDK's dataclasses: every field that the Jobs API would not take, with its path.

`from_dict` itself drops unknown fields and wrong enum values in silence, so each value is compared with its type first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from helpers.jobs.errors import MissingField, Mistake, UnknownField, WrongValue

_JSON_NAMES = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
#: What a value that cannot stay is replaced by; its owner leaves it out.
_GONE = object()


def check(value: Mapping[str, Any], cls: type) -> tuple[dict[str, Any], list[Mistake]]:
    """Give the part of a JSON object that `cls` takes, and a mistake for each part that it does not."""
    mistakes: list[Mistake] = []
    cleaned = _object(value, cls, "", mistakes)
    if not mistakes:
        numbered = for_sdk(cleaned)
        mistakes.extend(_lost(numbered, cls.from_dict(numbered).as_dict(), ""))
    return cleaned, mistakes


def for_sdk(value: Any) -> Any:
    """Give what the SDK takes: 0 in the place of a job's id that a bundle fills in."""
    if isinstance(value, dict):
        named = {"job_id": 0} if isinstance(value.get("job_id"), str) else {}
        return {key: named.get(key, for_sdk(item)) for key, item in value.items()}
    return [for_sdk(item) for item in value] if isinstance(value, list) else value


def nearest(name: str, names: Any) -> str:
    """Say `; did you mean 'x'?`, or nothing when no name is near."""
    found = get_close_matches(str(name), [str(one) for one in names], n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def without_empty(value: Any) -> Any:
    """Leave out nulls, empty objects and empty lists: the API writes them or not as it likes."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in (None, {}, [])}
    if isinstance(value, list):
        return [without_empty(item) for item in value]
    return value


def _object(value: Mapping[str, Any], cls: type, path: str, mistakes: list[Mistake]) -> dict[str, Any]:
    hints = _hints(cls)
    cleaned: dict[str, Any] = {}
    for name, item in value.items():
        where = f"{path}.{name}" if path else str(name)
        if name not in hints:
            mistakes.append(UnknownField(f"there is no field '{name}' here{nearest(name, hints)}", path=where))
        elif (kept := _value(item, hints[name], where, mistakes)) is not _GONE:
            cleaned[name] = kept
    for field in fields(cls):
        if field.default is MISSING and field.default_factory is MISSING and field.name not in value:
            mistakes.append(MissingField(f"'{field.name}' is required", path=path))
    return cleaned


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls)


def _value(value: Any, hint: Any, path: str, mistakes: list[Mistake]) -> Any:
    if get_origin(hint) in (Union, UnionType):
        hint = next(kind for kind in get_args(hint) if kind is not type(None))
    if get_origin(hint) is list:
        return _each(value, get_args(hint)[0], path, mistakes)
    if get_origin(hint) is dict:
        return _mapping(value, get_args(hint)[1], path, mistakes)
    if is_dataclass(hint):
        if isinstance(value, dict):
            return _object(value, hint, path, mistakes)
        return _wrong(value, "an object", path, mistakes)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(value, hint, path, mistakes)
    if path.endswith(".job_id") and isinstance(value, str):
        # A bundle writes `${resources.jobs.NAME.id}` in the place of the number.
        return value
    if hint in _JSON_NAMES and not _is_a(value, hint):
        return _wrong(value, _JSON_NAMES[hint], path, mistakes)
    return value


def _each(value: Any, hint: Any, path: str, mistakes: list[Mistake]) -> Any:
    if not isinstance(value, list):
        return _wrong(value, "a list", path, mistakes)
    kept = [_value(item, hint, f"{path}[{index}]", mistakes) for index, item in enumerate(value)]
    return [item for item in kept if item is not _GONE]


def _mapping(value: Any, hint: Any, path: str, mistakes: list[Mistake]) -> Any:
    if not isinstance(value, dict):
        return _wrong(value, "an object", path, mistakes)
    kept = {key: _value(item, hint, f"{path}.{key}", mistakes) for key, item in value.items()}
    return {key: item for key, item in kept.items() if item is not _GONE}


def _member(value: Any, hint: type[Enum], path: str, mistakes: list[Mistake]) -> Any:
    allowed = [member.value for member in hint]
    if value in allowed:
        return value
    near = nearest(value.upper(), allowed) if isinstance(value, str) else ""
    return _wrong(value, f"one of {', '.join(allowed)}{near}", path, mistakes)


def _is_a(value: Any, kind: type) -> bool:
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, (int, float) if kind is float else kind)


def _wrong(value: Any, expected: str, path: str, mistakes: list[Mistake]) -> Any:
    mistakes.append(WrongValue(f"{value!r} is not {expected}", path=path))
    return _GONE


def _lost(given: Any, back: Any, path: str) -> list[Mistake]:
    """What does not come back from the SDK although its types allowed it."""
    if isinstance(given, dict) and isinstance(back, dict):
        return [
            mistake
            for key, item in given.items()
            for mistake in _lost(item, back.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(given, list) and isinstance(back, list) and len(given) == len(back):
        pairs = enumerate(zip(given, back, strict=True))
        return [mistake for index, (old, new) in pairs for mistake in _lost(old, new, f"{path}[{index}]")]
    return [] if given == back else [WrongValue(f"the Jobs API does not keep {given!r}", path=path)]
