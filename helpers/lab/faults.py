"""Faults that a lesson switches on: what went wrong last night is to be found and repaired."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import landing
from helpers.errors import LakeprepError
from helpers.files import replace_file

_WORDS = {1: "one", 2: "two", 3: "three"}


class UnknownFault(LakeprepError):
    """There is no fault of that name."""


class NothingToBreak(LakeprepError):
    """The fault needs files that have not arrived."""


def break_it(fault: str, *, source: Path, folder: Path) -> str:
    """Switch one fault on in the landing folder, and say what people notice: the symptom, not the cause."""
    if fault not in FAULTS:
        raise UnknownFault(f"There is no fault {fault!r}. There are: {', '.join(FAULTS)}.")
    return FAULTS[fault](source, folder)


def _schema_drift(source: Path, folder: Path) -> str:
    def drifted(number: int, line: dict[str, Any]) -> dict[str, Any]:
        return {**line, "loyalty_tier": ("gold", "silver", "basic")[number % 3]}

    return f"{_land_changed(source, folder, drifted)} The tills have new software since this morning."


def _bad_type(source: Path, folder: Path) -> str:
    def worded(number: int, line: dict[str, Any]) -> dict[str, Any]:
        return {**line, "quantity": _WORDS.get(line["quantity"], "many")} if number % 40 == 0 else line

    return f"{_land_changed(source, folder, worded)} The sum of the quantities looks a little low."


def _duplicate_files(source: Path, folder: Path) -> str:
    landed = sorted((folder / "transactions").glob("????-??-??.json"))
    if not landed:
        raise NothingToBreak("No receipts have arrived yet: call lab.arrive first.")
    last = landed[-1]
    replace_file(last.with_name(f"{last.stem}_redelivered.json"), last.read_bytes())
    return "The transfer of last night broke off and was repeated. Revenue looks higher than the tills say."


def _upstream_task(source: Path, folder: Path) -> str:
    products, moved = folder / "products", folder / "products_moved"
    if products.is_dir() and moved.is_dir():
        said = f"Of an earlier fault, {moved} is still there: bring its files back into {products}, then remove it."
        raise NothingToBreak(f"{said} Or call lab.reset() and begin again.")
    if products.is_dir():
        products.rename(moved)
    elif not moved.is_dir():
        raise NothingToBreak("No products have arrived yet: call lab.arrive first.")
    # Switched on twice, it stays on.
    return "Somebody tidied the landing volume. Run the job and find the first task that fails."


FAULTS: dict[str, Callable[[Path, Path], str]] = {
    "schema drift": _schema_drift,
    "bad type": _bad_type,
    "duplicate files": _duplicate_files,
    "upstream task": _upstream_task,
}


def _land_changed(source: Path, folder: Path, change: Callable[[int, dict[str, Any]], dict[str, Any]]) -> str:
    """Land the first missing day after the lesson's first, each line changed; the file appears whole or not at all."""
    target = folder / "transactions"
    first = min((path.name for path in target.glob("????-??-??.json")), default="")
    missing = [file for file in landing.data_files(source) if file.name.startswith("transactions/")
               and Path(file.name).name > first and not (folder / file.name).exists()]
    if not missing:
        raise NothingToBreak("Every day has arrived already: call lab.reset() and begin again.")
    lines = (source / missing[0].name).read_text(encoding="utf-8").splitlines()
    changed = [json.dumps(change(number, json.loads(line))) + "\n" for number, line in enumerate(lines) if _whole(line)]
    target.mkdir(parents=True, exist_ok=True)
    replace_file(folder / missing[0].name, "".join(changed).encode())
    return f"{missing[0].day} has arrived."


def _whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
