"""What the catalog says in one update: asked once for the schema, and once for each table elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from helpers.classic import use_in_this_thread
from helpers.pipelines import names, table_log
from helpers.runtime.statements import query

_LOCATION = re.compile(r"^Location: (.+)$", re.MULTILINE)


class Catalog:
    """Where the tables lie, as the session in use of ``schema`` finds them. A name's letters may be of any case.

    What this update makes and drops it must tell: ``made``, ``dropped``.
    """

    def __init__(self, spark: Any, schema: str) -> None:
        self._spark, self.schema = spark, schema
        #: Whether all that is in the schema is known; else a table that is missing here must be asked for.
        self._complete = False
        self._own: dict[str, str | None] = {}
        self._temporary: set[str] = set()
        self._others: dict[str, str | None] = {}
        self._folder: Future[Path | None] | None = None
        self._functions: frozenset[str] | None = None
        self.look()

    def look(self) -> None:
        """Look at all tables of the schema, and forget the user's functions."""
        self._functions = None
        rows = self._listed("SHOW TABLE EXTENDED LIKE '*'")
        self._complete, self._own, self._temporary = rows is not None, {}, set()
        # Temporary views come last: they hide a table of the same name.
        for row in sorted(rows or (), key=lambda row: bool(row.isTemporary)):
            self._own[row.tableName.lower()] = _location(row)
            if row.isTemporary:
                self._temporary.add(row.tableName.lower())

    def made(self, name: str, location: str | None = None) -> None:
        """Note a table of the schema that was made, or made anew where it was; ``location``: its own place, if any."""
        if self._own.get(name) is None:
            place = location or str(self.folder / name if self.folder else "")
            in_place = bool(place) and Path(place, "_delta_log").is_dir()
            self._own[name] = place if in_place else self._asked((self.schema, name))

    def dropped(self, name: str) -> None:
        """Note a table of the schema that is gone."""
        self._own.pop(name, None)

    def lacks(self, name: str) -> bool:
        """Whether the schema had neither a table nor a view of that name when it was looked at."""
        return self._complete and name.lower() not in self._own

    def location(self, name: str) -> str | None:
        """Where a table lies; None for what is no table, or where Spark cannot say."""
        own = names.own(name, self.schema)
        if own is not None:
            return self._own.get(own)
        if name not in self._others:
            self._others[name] = self._asked(names.parts(name))
        return self._others[name]

    def temporary_views(self) -> frozenset[str]:
        """The session's own views, by their names in lower case."""
        if self._complete:
            return frozenset(self._temporary)
        return frozenset(row.viewName.lower() for row in self._spark.sql("SHOW VIEWS").collect() if row.isTemporary)

    @property
    def functions(self) -> frozenset[str]:
        """The names of the user's functions, without their schemas, in lower case; asked for when first needed."""
        if self._functions is None:
            rows = query(self._spark, "SHOW USER FUNCTIONS").collect()
            self._functions = frozenset(row.function.lower().rsplit(".", 1)[-1] for row in rows)
        return self._functions

    def look_for_folder(self) -> Future[Path | None]:
        """Begin to look for the schema's folder, beside whatever else is done before a table is made."""
        if self._folder is None:
            thread = ThreadPoolExecutor(1)
            self._folder = thread.submit(self._asked_folder)
            thread.shutdown(wait=False)
        return self._folder

    @property
    def folder(self) -> Path | None:
        """Where the schema keeps its own tables; None where that is not a folder of this machine."""
        return self.look_for_folder().result()

    def _asked_folder(self) -> Path | None:
        use_in_this_thread(self._spark)
        return table_log.local_folder(self._spark.catalog.getDatabase(self.schema).locationUri)

    def _asked(self, parts: Iterable[str]) -> str | None:
        *schema, table = parts
        if "/" in table:  # delta.`/folder` names its data itself
            return None
        place = ".".join(map(names.quoted_part, schema))
        rows = self._listed(f"SHOW TABLE EXTENDED IN {place} LIKE {names.literal(table)}") or []
        return next((_location(row) for row in rows if row.tableName.lower() == table.lower()), None)

    def _listed(self, statement: str) -> list[Any] | None:
        try:
            return list(query(self._spark, statement).collect())
        except Exception:  # a table that goes while Spark looks at it, or a catalog that cannot tell
            return None


def _location(row: Any) -> str | None:
    """A table's place in what SHOW TABLE EXTENDED says; a comment, which may say anything, stands before it."""
    found = [] if row.isTemporary else _LOCATION.findall(row.information)
    return found[-1] if found else None
