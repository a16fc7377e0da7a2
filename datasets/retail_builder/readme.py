"""The tables in the README that the manifest gives."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


class TablesNotFound(ValueError):
    """The README has no place for the tables."""


def with_tables(text: str, *, manifest: Path) -> str:
    """Put the manifest's tables between the two markers of the README's text."""
    if BEGIN not in text or END not in text:
        raise TablesNotFound(f"the README lacks the line {BEGIN} or {END}: put both back")
    files = json.loads(manifest.read_text(encoding="ascii"))["files"]
    before, rest = text.split(BEGIN, 1)
    return f"{before}{BEGIN}\n{_tables(files)}\n{END}{rest.split(END, 1)[1]}"


def _tables(files: Iterable[Mapping[str, Any]]) -> str:
    rows = ["| file | lines | counts | injected |", "|---|---:|---|---|"]
    for entry in files:
        counts = ", ".join(f"{name} {count}" for name, count in entry["counts"].items() if count)
        defects = ", ".join(f"{defect['kind']} {defect['count']}" for defect in entry["defects"])
        rows.append(f"| {entry['path']} | {entry['rows']:,} | {counts} | {defects} |")
    return "\n".join(rows)
