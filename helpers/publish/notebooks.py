"""Notebooks: read a solution, take out what is marked, and write the lesson; the same input gives the same bytes."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.publish.cutting import Cut, Derived, PublishError, cut, hidden_lines, without_markers

SOLUTION_TAG = "solution"
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def derive_notebook(content: bytes, *, where: str) -> Derived:
    """The lesson of a solution notebook; raises `PublishError`, which names file, cell and line."""
    kept: list[dict[str, Any]] = []
    hidden: list[str] = []
    for cell, place in _checked(_cells(content, where=where), where=where):
        parts = _cut_cell(cell, place)
        if SOLUTION_TAG in tags(cell):
            hidden += [parts.kept, *parts.blocks]
            continue
        if parts.blocks and not _has_scaffold(parts.kept):
            raise PublishError(
                f"{place}, line 1: nothing is left to fill in. Keep a line such as `answer = ...` above BEGIN SOLUTION."
            )
        hidden += parts.blocks
        kept.append(_cell(cell, parts.kept))
    text = "\n".join("".join(cell["source"]) for cell in kept)
    return Derived(_written(kept), text, hidden_lines(hidden))


def solution_of(notebook_path: Path, exercise_id: str) -> str | None:
    """The marked block of the cell that calls `lab.check("05.3", …)`; None without such a notebook, cell or block."""
    path = Path(notebook_path)
    if not path.is_file():
        return None
    call = re.compile(rf"""^[^#\n]*\blab\.check\(\s*(["']){re.escape(exercise_id)}\1""", re.MULTILINE)
    for cell in _cells(path.read_bytes(), where=path.name):
        if cell.get("cell_type") == "code" and call.search(source_of(cell)):
            blocks = cut(source_of(cell), where=f"{path.name}, cell {cell.get('id')}").blocks
            return "\n".join(textwrap.dedent(block) for block in blocks) or None
    return None


def source_of(cell: Mapping[str, Any]) -> str:
    """A cell's source as one text; both forms of the format are read."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def tags(cell: Mapping[str, Any]) -> Sequence[str]:
    return (cell.get("metadata") or {}).get("tags") or ()


def _cells(content: bytes, *, where: str) -> list[dict[str, Any]]:
    try:
        notebook = json.loads(content)
        cells, major = notebook["cells"], notebook["nbformat"]
    except (ValueError, KeyError, TypeError) as error:
        raise PublishError(f"{where} is not a notebook: {error}. Save it again in JupyterLab.") from None
    if major != 4:
        raise PublishError(f"{where} has nbformat {major}, expected 4. Save it again in JupyterLab.")
    return cells


def _checked(cells: Sequence[dict[str, Any]], *, where: str) -> list[tuple[dict[str, Any], str]]:
    """Each cell with the words that name it; ids are there and differ, and nothing has been run."""
    named: dict[str, str] = {}
    checked = []
    for number, cell in enumerate(cells, start=1):
        name = cell.get("id")
        if not isinstance(name, str) or not name:
            raise PublishError(f"{where}, cell number {number}, line 1: it has no cell id. Save it in JupyterLab.")
        place = f"{where}, cell {name}"
        if name in named:
            raise PublishError(f"{place}, line 1: cells {named[name]} and {number} have the same id. Change one.")
        if cell.get("outputs") or cell.get("execution_count") is not None:
            raise PublishError(f"{place}, line 1: the cell has outputs or a run count. Clear all outputs and save.")
        named[name] = str(number)
        checked.append((cell, place))
    return checked


def _cut_cell(cell: Mapping[str, Any], place: str) -> Cut:
    source = source_of(cell)
    if cell["cell_type"] == "code":
        return cut(source, where=place)
    without_markers(source, where=place)
    return Cut(source, ())


def _has_scaffold(source: str) -> bool:
    lines = (line for line in source.split("\n") if not line.lstrip().startswith("--"))
    return any("..." in line.partition("#")[0] for line in lines)


def _cell(cell: Mapping[str, Any], source: str) -> dict[str, Any]:
    """A cell with its keys in the order of every committed lesson, and no metadata but tags."""
    code = cell["cell_type"] == "code"
    return {
        "cell_type": cell["cell_type"],
        "id": cell["id"],
        "metadata": {"tags": list(tags(cell))} if tags(cell) else {},
        **({"attachments": cell["attachments"]} if cell.get("attachments") else {}),
        **({"execution_count": None, "outputs": []} if code else {}),
        "source": source.splitlines(keepends=True),
    }


def _written(cells: Sequence[Mapping[str, Any]]) -> bytes:
    notebook = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
