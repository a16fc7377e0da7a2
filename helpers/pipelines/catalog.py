"""What the catalog says of tables, in one update: asked once for the schema, and once for each table elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from helpers.pipelines import names, table_log

_LOCATION = re.compile(r"^Location: (.+)$", re.MULTILINE)


class Catalog:
    """Where the tables lie, as the session in use of ``schema`` finds them. A name's letters may be of any case.

    What this update makes shows once ``look`` was called again.
    """

    def __init__(self, spark: Any, schema: str) -> None:
        self._spark, self.schema = spark, schema
        #: Whether all that is in the schema is known; else a table that is missing here must be asked for.
        self._complete = False
        self._own: dict[str, str | None] = {}
        self._temporary: set[str] = set()
        self._others: dict[str, str | None] = {}
        self.look()

    def look(self, like: str = "*") -> None:
        """Look at the tables of the schema whose names are ``like`` this; at all of them when it is left out."""
        rows = self._listed(f"SHOW TABLE EXTENDED LIKE {names.literal(like)}")
        if like == "*":
            self._complete, self._own, self._temporary = rows is not None, {}, set()
        # Temporary views come last: they hide a table of the same name.
        for row in sorted(rows or (), key=lambda row: bool(row.isTemporary)):
            self._own[row.tableName.lower()] = _location(row)
            if row.isTemporary:
                self._temporary.add(row.tableName.lower())

    def lacks(self, name: str) -> bool:
        """Whether the schema had neither a table nor a view of that name when ``look`` was called last."""
        return self._complete and name.lower() not in self._own

    def location(self, name: str) -> str | None:
        """Where a table lies; None for what is no table, or where Spark cannot say."""
        own = names.own(name, self.schema)
        if own is not None:
            return self._own.get(own)
        if name not in self._others:
            self._others[name] = self._elsewhere(names.parts(name))
        return self._others[name]

    def temporary_views(self) -> frozenset[str]:
        """The session's own views, by their names in lower case."""
        if self._complete:
            return frozenset(self._temporary)
        return frozenset(row.viewName.lower() for row in self._spark.sql("SHOW VIEWS").collect() if row.isTemporary)

    @cached_property
    def folder(self) -> Path | None:
        """Where the schema keeps its own tables; None where that is not a folder of this machine."""
        place = self._spark.catalog.getDatabase(self.schema).locationUri or ""
        return Path(table_log.local_path(place)) if place.startswith(("file:", "/")) else None

    def _elsewhere(self, parts: Iterable[str]) -> str | None:
        *schema, table = parts
        if "/" in table:  # delta.`/folder` names its data itself
            return None
        place = ".".join(map(names.quoted_part, schema))
        rows = self._listed(f"SHOW TABLE EXTENDED IN {place} LIKE {names.literal(table)}") or []
        return next((_location(row) for row in rows if row.tableName.lower() == table.lower()), None)

    def _listed(self, statement: str) -> list[Any] | None:
        try:
            return list(self._spark.sql(statement).collect())
        except Exception:  # a table that goes while Spark looks at it, or a catalog that cannot tell
            return None


def _location(row: Any) -> str | None:
    """A table's place in what SHOW TABLE EXTENDED says; a comment, which may say anything, stands before it."""
    found = [] if row.isTemporary else _LOCATION.findall(row.information)
    return found[-1] if found else None
