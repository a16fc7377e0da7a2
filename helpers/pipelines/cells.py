"""Notebooks as pipeline sources: the cells of an ``.ipynb`` file, or of a file that Databricks exports as source.

As on Databricks a source has one language; Markdown is passed over, and of the magics only the language's own and
``%md`` mean something.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.pipelines.errors import InvalidSource, Unsupported

HEADERS = {"# Databricks notebook source": "python", "-- Databricks notebook source": "sql"}
_DIVIDER = re.compile(r"^(?:#|--) COMMAND -+[ \t]*$", re.MULTILINE)
_MAGIC_LINE = re.compile(r"^(?:#|--) MAGIC ?", re.MULTILINE)
_MAGIC = re.compile(r"\s*%%?(\w+)")


@dataclass(frozen=True)
class Cell:
    """One code cell. ``line``: where its text begins, counted from 1, in an exported file; in others 1."""

    number: int
    language: str
    text: str
    line: int = 1


def is_notebook(path: Path) -> bool:
    """Whether a file is a notebook; an exported one says so in its first line."""
    if path.suffix == ".ipynb":
        return True
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().strip() in HEADERS
    except (OSError, UnicodeDecodeError):
        return False


def read(path: Path) -> tuple[str, tuple[Cell, ...]]:
    """The notebook's language and its code cells."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {error}. Save it as UTF-8 text.") from None
    cells = _of_ipynb(path, text) if path.suffix == ".ipynb" else _of_export(path, text)
    languages = sorted({cell.language for cell in cells})
    if len(languages) > 1:
        first = next(cell for cell in cells if cell.language != cells[0].language)
        raise InvalidSource(f"{path.name} cell {first.number}: the notebook holds {' and '.join(languages)}. A "
                            "pipeline's source has one language: put the cells into two notebooks.")
    return (languages[0] if languages else "python"), cells


def _of_ipynb(path: Path, text: str) -> tuple[Cell, ...]:
    try:
        data = json.loads(text)
        language = _language(data.get("metadata", {}))
        found = [(number, "".join(cell["source"])) for number, cell in enumerate(data["cells"], start=1)
                 if cell["cell_type"] == "code"]
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        raise InvalidSource(f"{path.name} is not a notebook that can be read. Open it in JupyterLab and save it "
                            "again.") from None
    cells = [_cell(path, number, language, source, 1) for number, source in found]
    return tuple(cell for cell in cells if cell is not None)


def _language(metadata: Any) -> str:
    databricks = metadata.get("application/vnd.databricks.v1+notebook", {}).get("language")
    named = databricks or metadata.get("language_info", {}).get("name") or "python"
    return str(named).lower()


def _of_export(path: Path, text: str) -> tuple[Cell, ...]:
    header, _, body = text.partition("\n")
    parts: list[tuple[str, int]] = []
    start = 0
    for divider in [*_DIVIDER.finditer(body), None]:
        end = divider.start() if divider else len(body)
        parts.append((body[start:end], body.count("\n", 0, start) + 2))
        start = divider.end() if divider else end
    language = HEADERS[header.strip()]
    cells = [_cell(path, number, language, source, line) for number, (source, line) in enumerate(parts, start=1)]
    return tuple(cell for cell in cells if cell is not None)


def _cell(path: Path, number: int, language: str, source: str, line: int) -> Cell | None:
    """The cell as code; None when there is none in it."""
    source = _MAGIC_LINE.sub("", source)
    magic = _MAGIC.match(source)
    if magic is None:
        return Cell(number, language, source, line) if source.strip() else None
    if magic[1] == "md":
        return None
    if magic[1] not in ("python", "sql"):
        raise Unsupported(f"{path.name} cell {number}: the magic %{magic[1]} is not supported in a pipeline's source "
                          "here. Remove it.")
    # What stands in the magic's place is as long, so that every line and column stays.
    return Cell(number, magic[1], re.sub(r"\S", " ", magic[0]) + source[magic.end():], line)


def shifted(cell: Cell) -> str:
    """The cell's text behind as many empty lines as stand before it in its file."""
    return "\n" * (cell.line - 1) + cell.text
