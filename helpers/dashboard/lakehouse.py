"""The Delta tables of one schema, read without a JVM, and how to tell cheaply that one has changed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import LakeprepError
from helpers.runtime.places import Places

if TYPE_CHECKING:
    import pandas as pd
    from deltalake import DeltaTable

SALES = ("silver_sales",)
QUALITY = ("silver_transactions", "silver_quarantine", "silver_products")
FILES = ("bronze_transactions",)
MAIN_SCHEMA = "retail"
_COMMIT = re.compile(r"\d{20}\.json")
_READABLE = 160

#: The number of a table's last commit and when it was written, in ns: a table that was dropped and made again differs.
Stamp = tuple[int, int]


class TableMissing(LakeprepError):
    """A table that a part of the page needs does not exist yet."""


class TableUnreadable(LakeprepError):
    """A table is damaged, or is being replaced at this moment."""


def schema_folder(places: Places, schema: str) -> Path:
    return places.warehouse / f"{schema}.db"


def schemas(places: Places) -> list[str]:
    """Name the schemas with the retail job's tables, the main one first."""
    found = [
        folder.name.removesuffix(".db")
        for folder in places.warehouse.glob("*.db")
        if all(stamp(folder / table) for table in (*SALES, *QUALITY))
    ]
    return sorted(found, key=lambda name: (name != MAIN_SCHEMA, name))


def stamp(table: Path) -> Stamp | None:
    """Say which commit of a table is its last; None when there is no table."""
    try:
        commits = [name for name in os.listdir(table / "_delta_log") if _COMMIT.fullmatch(name)]
        last = max(commits, default=None)
        return (int(last[:20]), (table / "_delta_log" / last).stat().st_mtime_ns) if last else None
    except OSError:
        return None


def stamps(folder: Path, tables: Sequence[str]) -> tuple[Stamp | None, ...]:
    return tuple(stamp(folder / table) for table in tables)


@dataclass(frozen=True)
class Lakehouse:
    """Tables as they were when they were opened: what is committed later does not change an answer."""

    tables: Mapping[str, DeltaTable]

    def ask(self, sql: str) -> pd.DataFrame:
        """Answer one query; TableUnreadable says why there is no answer."""
        import pyarrow
        from deltalake import QueryBuilder

        # A builder is cheap, and is not shared by the threads of two readers.
        builder = QueryBuilder()
        with _explained(", ".join(self.tables)):
            for name, table in self.tables.items():
                builder.register(name, table)
            return pyarrow.table(builder.execute(sql).read_all()).to_pandas()

    def answers(self, queries: Mapping[str, str]) -> dict[str, pd.DataFrame]:
        return {name: self.ask(sql) for name, sql in queries.items()}


def open_tables(folder: Path, tables: Mapping[str, str]) -> Lakehouse:
    """Open tables of a schema's folder, given as the name in a query → the table's own name.

    TableMissing and TableUnreadable name the table and the next step.
    """
    return Lakehouse({name: _opened(folder / table) for name, table in tables.items()})


def _opened(table: Path) -> DeltaTable:
    from deltalake import DeltaTable

    if stamp(table) is None:
        raise TableMissing(f"There is no table {table.name} yet. Run the job: python3 -m helpers run")
    with _explained(table.name):
        return DeltaTable(str(table))


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn whatever the Delta reader raises into one sentence; a panic of its native code is no `Exception`."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        why = " ".join(str(error).split())
        said = why if len(why) <= _READABLE else why[:_READABLE].rstrip() + " …"
        raise TableUnreadable(
            f"{name} cannot be read now ({said}). While a run replaces it, this passes by itself; "
            "else make it again: python3 -m helpers run"
        ) from error
