"""The ``spark`` of Python sources while a dataset function runs, and queries that read files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers import autoloader, sql
from helpers.classic import unsent
from helpers.pipelines import names
from helpers.pipelines.errors import InvalidSource, Unsupported
from helpers.pipelines.scope import TempViews
from helpers.runtime import statements

#: How the names of the views begin that stand for `read_files` calls.
FILES = "__files"


@dataclass
class Building:
    """What is known while a flow's DataFrame is made; ``state`` is the folder of its checkpoint and schema."""

    state: Path
    parameters: Mapping[str, str]
    views: TempViews
    discovering: bool = False
    queries: dict[str, sql.Query] = field(default_factory=dict)
    #: Tables that were asked for as streams, whether there are such tables or not.
    streamed: list[str] = field(default_factory=list)


_building: ContextVar[Building | None] = ContextVar("building_flow", default=None)


@contextmanager
def while_building(building: Building) -> Iterator[None]:
    """Dataset functions called inside see this flow's parameters and schema location."""
    token = _building.set(building)
    try:
        with autoloader.managed_schema_location(building.state):
            yield
    finally:
        _building.reset(token)


def current_spark(what: str) -> Any:
    """The session that a dataset function reads with; ``what`` is called, and only inside of one."""
    from pyspark.sql import SparkSession

    building = _building.get()
    if building is None:
        raise InvalidSource(f"{what} is for the functions of datasets. Outside of them, use spark.read.table.")
    return PipelineSession(SparkSession.active())


class PipelineSession:
    """The ``spark`` that Python sources see: the session, with pipeline SQL and managed schema locations."""

    def __init__(self, spark: Any) -> None:
        self._spark = spark

    def __getattr__(self, name: str) -> Any:
        return getattr(self._spark, name)

    def sql(self, sqlQuery: str, args: Any = None, **kwargs: Any) -> Any:
        """As ``SparkSession.sql``; inside a dataset function also ``STREAM read_files(…)`` and ``${parameters}``."""
        building = _building.get()
        if building is None:
            return self._spark.sql(sqlQuery, args, **kwargs)
        if args or kwargs:
            raise Unsupported("spark.sql(…, args) inside a dataset function is not supported here. Write the value "
                              "into the query with an f-string, or as ${parameter}.")
        query = sql.parse_query(sqlQuery, source="spark.sql", parameters=building.parameters)
        building.queries[query.text] = query
        if building.discovering:
            return unsent(self._spark, query.text)
        # The user's code may want to catch what is wrong with it.
        return self._spark.sql(_with_files(self._spark, query, building))

    @property
    def read(self) -> Any:
        """As ``SparkSession.read``; a table may be written LIVE.name, as in old sources."""
        return _Reader(self._spark.read)

    def table(self, tableName: str) -> Any:
        """As ``SparkSession.table``; a table may be written LIVE.name."""
        return self._spark.table(bare(tableName))

    @property
    def readStream(self) -> Any:
        """As ``SparkSession.readStream``; ``cloudFiles`` needs no schemaLocation inside a pipeline."""
        building = _building.get()
        if building is not None and building.discovering:
            return _Discovering(self._spark, building.streamed)
        return _Reader(self._spark.readStream, building.streamed if building else None)


def bare(name: str) -> str:
    """A table's name without the LIVE that older sources put before it, and that pipelines ignore now."""
    return re.sub(r"^\s*(LIVE|`LIVE`)\s*\.\s*", "", name, flags=re.IGNORECASE)


class _Reader:
    """A reader that takes LIVE off a table's name, and notes it in ``asked``; all else is the session's own."""

    def __init__(self, reader: Any, asked: list[str] | None = None) -> None:
        self._reader, self._asked = reader, asked

    def table(self, tableName: str) -> Any:
        if self._asked is not None:
            self._asked.append(bare(tableName))
        return self._reader.table(bare(tableName))

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._reader, name)
        if name not in ("format", "option", "options", "schema"):
            return found

        def chained(*arguments: Any, **named: Any) -> Any:
            return _Reader(found(*arguments, **named), self._asked)

        return chained


class _Discovering:
    """A stream reader that lists and infers nothing: the graph needs only to know that something is read."""

    def __init__(self, spark: Any, asked: list[str]) -> None:
        self._spark, self._asked = spark, asked

    def table(self, tableName: str) -> Any:
        self._asked.append(bare(tableName))
        return self._spark.readStream.table(bare(tableName))

    def load(self, *_: Any, **__: Any) -> Any:
        return self._spark.readStream.format("rate").load()

    def __getattr__(self, name: str) -> Any:
        if name in ("format", "option", "options", "schema"):
            return lambda *_, **__: self
        return self.load


def run_query(spark: Any, query: sql.Query, building: Building) -> Any:
    """The DataFrame of a query; what is wrong with it shows when its columns are asked for."""
    return statements.query(spark, _with_files(spark, query, building))


def _with_files(spark: Any, query: sql.Query, building: Building) -> str:
    """A query with its ``read_files`` calls as temporary views, which only this flow uses."""
    text = query.text
    for source in query.file_sources:
        # Two flows may have the same placeholder: parsing numbers them anew for each source file.
        view = f"{source.placeholder}_{'_'.join(building.state.parts[-2:])}_{len(building.queries)}"
        building.views.make(view, _files(spark, source, query.uses_metadata, building.state))
        text = re.sub(rf"\b{re.escape(source.placeholder)}\b", names.quoted_part(view), text)
    return text


def _files(spark: Any, source: sql.FileSource, metadata: bool, state: Path) -> Any:
    if source.streaming:
        with autoloader.managed_schema_location(state):
            frame = autoloader.stream_read_files(spark, source.path, format=source.format, options=source.options,
                                                 prefixed=source.legacy)
    else:
        frame = autoloader.read_files(spark, source.path, format=source.format, options=source.options)
    return frame.select("*", "_metadata") if metadata else frame
