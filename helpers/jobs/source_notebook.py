"""Notebooks that Databricks exports as source: a `.py` file whose first line says so, its cells between dividers.

https://docs.databricks.com/aws/en/notebooks/notebook-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.notebooks import import_nbformat

HEADER = "# Databricks notebook source"
_DIVIDER = re.compile(r"^# COMMAND -+[ \t]*\n?", re.MULTILINE)
_MARKED = re.compile(r"^# MAGIC ?", re.MULTILINE)
_MAGIC = re.compile(r"%%?(\w+)[ \t]*")
_INSTEAD = {
    "sql": 'call spark.sql("""…""")',
    "run": "import a module that is beside the notebook, or call dbutils.notebook.run",
    "pip": "install what the notebook needs in this environment",
    "sh": "use subprocess",
    "fs": "use dbutils.fs",
}


def is_source(path: Path) -> bool:
    """Whether a file is such a notebook."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.readline().strip() == HEADER
    except (OSError, UnicodeDecodeError):
        return False


def problems(path: Path) -> Iterator[str]:
    """Say what in a notebook that is there cannot run here: a file that is none, and magics other than Markdown."""
    if not is_source(path):
        yield f"{path.name} is no notebook: its first line is not '{HEADER}'; for a plain file use spark_python_task"
        return
    for number, (magic, _) in enumerate(_cells(path), start=1):
        if magic not in ("", "md", "python"):
            said = f"cell {number} of {path.name} begins with %{magic}, which is not supported here"
            yield f"{said}; {_INSTEAD.get(magic, 'only %md and %python are')}"


def as_notebook(path: Path) -> Any:
    """Give the same cells as an nbformat notebook."""
    nbformat = import_nbformat()
    make = {True: nbformat.v4.new_markdown_cell, False: nbformat.v4.new_code_cell}
    return nbformat.v4.new_notebook(cells=[make[magic == "md"](text) for magic, text in _cells(path)])


def _cells(path: Path) -> Iterator[tuple[str, str]]:
    """Each cell's magic, empty where it has none, and its text without it."""
    _, _, body = path.read_text(encoding="utf-8").partition("\n")
    for part in _DIVIDER.split(body):
        text = _MARKED.sub("", part).strip("\n")
        magic = _MAGIC.match(text)
        yield (magic[1], text[magic.end() :].lstrip("\n")) if magic else ("", text)
