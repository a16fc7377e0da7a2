"""How the retail files arrive: the first week at once, then day by day; a landed file is never touched again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from helpers.errors import LakeprepError
from helpers.files import replace_file

FIRST_DAYS = 7
FEEDS = ("transactions", "products", "households")
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\.(?:json|csv)$")


class NoData(LakeprepError):
    """There is nothing to land."""


@dataclass(frozen=True)
class DataFile:
    """One file of a feed; `name` is relative to the data and to the landing folder alike."""

    name: str
    day: date


def data_files(source: Path) -> tuple[DataFile, ...]:
    """List the files of the three feeds by day; NoData when there are no transactions."""
    found = [
        DataFile(f"{feed}/{path.name}", date.fromisoformat(day[1]))
        for feed in FEEDS
        for path in (source / feed).glob("*")
        if (day := _DAY.search(path.name))
    ]
    if not any(file.name.startswith("transactions/") for file in found):
        raise NoData(f"There are no transactions in {source}. Bring them back with `git checkout -- datasets`.")
    return tuple(sorted(found, key=lambda file: (file.day, file.name)))


def first_files(files: Iterable[DataFile]) -> tuple[DataFile, ...]:
    """Give the files that are there from the start: all up to the seventh day of transactions."""
    files = tuple(files)
    last = _days(files)[:FIRST_DAYS][-1]
    return tuple(file for file in files if file.day <= last)


def next_files(files: Iterable[DataFile], *, landed: frozenset[str]) -> tuple[DataFile, ...]:
    """Give what arrives next, to the end of the first day of which something is missing; empty when all has landed."""
    missing = [file for file in files if file.name not in landed]
    if not missing:
        return ()
    return tuple(file for file in missing if file.day == missing[0].day)


def landed_names(landing: Path) -> frozenset[str]:
    """Name the files that have landed."""
    return frozenset(
        f"{feed}/{path.name}" for feed in FEEDS for path in (landing / feed).glob("*") if _DAY.search(path.name)
    )


def land(files: Iterable[DataFile], *, source: Path, landing: Path) -> tuple[str, ...]:
    """Copy those that have not landed yet, each appearing whole or not at all; name the ones that were copied."""
    landed = landed_names(landing)
    new = tuple(file for file in files if file.name not in landed)
    for file in new:
        _land_one(source / file.name, landing / file.name)
    return tuple(file.name for file in new)


def _days(files: Iterable[DataFile]) -> list[date]:
    return sorted({file.day for file in files if file.name.startswith("transactions/")})


def _land_one(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # It is written under a name with a leading dot, which Spark does not list: no reader sees half a file.
    replace_file(target, source.read_bytes())
