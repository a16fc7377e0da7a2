"""The sources of a job: SQL and Python by their markers, JSON by the names that `publish.json` lists."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.publish.cutting import SIGNS, Derived, PublishError, cut, hidden_lines
from helpers.publish.notebooks import derive_notebook

RULES_FILE = "publish.json"
_SUFFIXES = (".ipynb", ".json", ".py", ".sql")
_NAMES = ("task_key", "name", "job_cluster_key")


@dataclass(frozen=True)
class _Rules:
    """What `publish.json` says: files that are published even when nothing is cut, and what each JSON file loses."""

    copy: frozenset[str] = frozenset()
    remove: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def derive_job_files(folder: Path, *, where: str) -> Iterator[tuple[str, Derived]]:
    """Each file of `folder` that is published, by its name in there; nothing when nothing is marked or listed."""
    rules = _rules(folder / RULES_FILE, where=f"{where}/{RULES_FILE}")
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in _SUFFIXES}
    visible = {name for name in found - {RULES_FILE} if not any(part.startswith(".") for part in Path(name).parts)}
    for name in sorted(visible | rules.copy):
        derived = _derive(folder / name, where=f"{where}/{name}", remove=rules.remove.get(name, ()))
        if derived.hidden or name in rules.copy:
            yield name, derived


def _derive(path: Path, *, where: str, remove: Sequence[str]) -> Derived:
    content = path.read_bytes()
    if path.suffix == ".ipynb":
        return derive_notebook(content, where=where)
    if path.suffix == ".json" and remove:
        return _without(content, remove, where=where)
    if path.suffix not in (".sql", ".py"):
        return Derived(content, content.decode("utf-8", errors="replace"), ())
    parts = cut(content.decode("utf-8"), where=where, signs=("--",) if path.suffix == ".sql" else SIGNS)
    return Derived(parts.kept.encode("utf-8"), parts.kept, hidden_lines(parts.blocks))


def _rules(path: Path, *, where: str) -> _Rules:
    if not path.is_file():
        return _Rules()
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        copy = frozenset(said.pop("copy", ()))
        if wrong := [name for name, rule in said.items() if set(rule) != {"remove"} or not name.endswith(".json")]:
            raise PublishError(f'{where}: {wrong[0]} needs {{"remove": […]}}, and only a JSON file can have it.')
        remove = {name: tuple(rule["remove"]) for name, rule in said.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise PublishError(f'{where} could not be read: {error}. It holds file names, and "copy".') from None
    if missing := sorted(name for name in copy.union(remove) if not (path.parent / name).is_file()):
        raise PublishError(f"{where} names {missing[0]}, which is not there. Correct the name.")
    return _Rules(copy, remove)


def _without(content: bytes, paths: Sequence[str], *, where: str) -> Derived:
    try:
        data = json.loads(content)
    except ValueError as error:
        raise PublishError(f"{where} is not JSON: {error}. Correct it.") from None
    removed = [_remove(data, path.split("."), where=where, path=path) for path in paths]
    text = _json(data)
    return Derived(text.encode("utf-8"), text, hidden_lines([_json(value) for value in removed]))


def _remove(node: Any, parts: list[str], *, where: str, path: str) -> Any:
    # The longest name first, since a key such as spark.sql.shuffle.partitions has dots of its own.
    for size in range(len(parts), 0, -1):
        found = _find(node, ".".join(parts[:size]))
        if len(found) > 1:
            raise PublishError(f"{where}: {path} means {len(found)} items of one list. Give them different names.")
        if found:
            rest = parts[size:]
            return _remove(node[found[0]], rest, where=where, path=path) if rest else node.pop(found[0])
    raise PublishError(
        f"{where}: there is no {path}. An item of a list is named by its {', '.join(_NAMES[:-1])} or {_NAMES[-1]}, "
        "never by its position."
    )


def _find(node: Any, name: str) -> list[Any]:
    if isinstance(node, dict):
        return [name] if name in node else []
    if not isinstance(node, list):
        return []
    items = ((place, item) for place, item in enumerate(node) if isinstance(item, dict))
    return [place for place, item in items if name in [item.get(key) for key in _NAMES]]


def _json(data: Any) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
