"""How many rows of each landed receipts file a table must hold; a household that asked to be forgotten is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers import looking

#: The household that exercise 10.7 deletes. Other checks leave it out, so that they hold before and after.
FORGOTTEN = 1222
KEPT = f"NOT household_id <=> {FORGOTTEN}"


def landed(lab: Any, *, usable: bool = False) -> dict[str, int]:
    """Lines that each landed file should have given, without the forgotten household; ``usable``: both ids known."""
    counts: dict[str, int] = {}
    lines = looking.landed_lines(lab)
    for name, records in looking.landed_records(lab).items():
        known = [each for each in records if None not in (each.get("household_id"), each.get("product_id"))]
        counted, rows = (known, len(known)) if usable else (records, lines[name])
        counts[name] = rows - sum(each.get("household_id") == FORGOTTEN for each in counted)
    return counts


def problems_by_file(lab: Any, name: str, wanted: Mapping[str, int]) -> list[str]:
    frame = looking.table(lab, name)
    if "source_file" not in frame.columns:
        return [] if name == "silver_receipts" else looking.missing_columns(frame, ["source_file"], name=name)
    found = {row["source_file"]: row["count"] for row in frame.where(KEPT).groupBy("source_file").count().collect()}
    if not set(found) & set(wanted):
        return [f"No row of `{name}` has a landed file's name, such as {next(iter(wanted))}, in `source_file`."]
    return [f"`{name}` has {found.get(file, 0):,} rows of {file}, expected {lines:,}: {_why(found.get(file, 0), lines)}"
            for file, lines in wanted.items() if found.get(file, 0) != lines]


def _why(found: int, expected: int) -> str:
    if not found:
        return "did the file arrive after the last update, or is it gone from its source?"
    return "it was read more than once, or too little is left out." if found > expected else "too much is left out."
