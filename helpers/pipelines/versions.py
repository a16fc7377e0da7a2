"""What decides a flow's result: its definition and the version of each table that it reads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from helpers.pipelines import table_log, tables
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.graph import Flow
from helpers.pipelines.names import quoted
from helpers.pipelines.plan import Plan

#: Session settings that change what a query gives.
_DECISIVE = ("spark.sql.session.timeZone", "spark.sql.ansi.enabled", "spark.sql.caseSensitive")


class Versions:
    """Tables' versions in one update, each looked up once, before its first reader starts.

    A version that is too old makes the next update do its work again; one that is too new would lose rows.
    """

    def __init__(self, spark: Any, plan: Plan, *, configuration: Mapping[str, str],
                 may_change: Callable[[str], bool], catalog: Catalog) -> None:
        self._spark, self._plan, self._may_change, self._catalog = spark, plan, may_change, catalog
        self._settings = {key: value for key, value in configuration.items() if key.startswith("spark.")}
        self._settings |= {key: spark.conf.get(key, None) for key in _DECISIVE}
        self._marks: dict[str, str | None] = {}
        self._rows: dict[str, int] = {}

    def read_by(self, flow: Flow) -> dict[str, Any] | None:
        """The versions that a stream reads; None where it also reads files, or a table without versions."""
        base = self._plan.base_tables(flow)
        marks = {table: self._mark(table) for table in base or ()}
        return {"version": 1, "inputs": marks} if marks and None not in marks.values() else None

    def decisive(self, flow: Flow) -> dict[str, Any] | None:
        """All that a view's rows depend on; None when they may differ though all of it is the same."""
        definition = self._plan.definition(flow, self._may_change)
        read = self.read_by(flow)
        if definition is None or read is None:
            return None
        return {**read, "settings": self._settings, "definition": hashlib.sha256(definition.encode()).hexdigest()}

    def metadata(self, table: str) -> Mapping[str, Any]:
        """What the newest commit of a table carries; nothing when somebody else made it."""
        found = tables.version(self._spark, table, folder=self._catalog.location(table))
        return found.metadata if found else {}

    def rows_read_by(self, flow: Flow) -> int | None:
        """Rows of all tables that a view reads; None where counting them would mean reading them again."""
        base = self._plan.base_tables(flow)
        if not base or any(self._mark(table) is None for table in base):
            return None
        for table in base:
            if table not in self._rows:
                counted = table_log.row_count(self._catalog.location(table))
                self._rows[table] = self._spark.table(quoted(table)).count() if counted is None else counted
        return sum(self._rows[table] for table in base)

    def _mark(self, table: str) -> str | None:
        if table not in self._marks:
            found = tables.version(self._spark, table, folder=self._catalog.location(table))
            self._marks[table] = found.mark if found else None
        return self._marks[table]
