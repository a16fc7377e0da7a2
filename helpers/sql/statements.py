"""What a pipeline's SQL says, as plain data: the statements, their queries and what those read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Action = Literal["warn", "drop", "fail"]


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where something stands in the source as written; line and column count from 1."""

    source: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Expectation:
    """One data quality rule; `condition` is SQL text that Spark reads."""

    name: str
    condition: str
    action: Action = "warn"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A declared column; `type` is None where the list only names (and comments) the query's columns."""

    name: str
    type: str | None = None
    not_null: bool = False
    comment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Input:
    """A table that a query reads; `name` is dotted, without LIVE, each part in backticks only where it needs them."""

    name: str
    streaming: bool
    skip_change_commits: bool = False
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class FileSource:
    """A `read_files` call (options without prefix) or, where legacy, a `cloud_files` call (options with prefix)."""

    placeholder: str
    path: str
    format: str | None
    options: Mapping[str, str]
    streaming: bool
    legacy: bool = False
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query that Spark can read once each file source's placeholder is a temporary view."""

    text: str
    inputs: tuple[Input, ...] = ()
    file_sources: tuple[FileSource, ...] = ()
    uses_metadata: bool = False
    notes: tuple[str, ...] = ()
    position: Position | None = field(default=None, compare=False)

    @property
    def streaming(self) -> bool:
        """Whether anything in it is read as a stream."""
        return any(read.streaming for read in (*self.inputs, *self.file_sources))


@dataclass(frozen=True, kw_only=True)
class SetConf:
    """`SET key = value`: from here on `${key}` means the value."""

    key: str
    value: str
    notes: tuple[str, ...] = ()
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class TableDefinition:
    """What streaming tables and materialized views declare alike."""

    name: str
    query: Query | None
    columns: tuple[Column, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    partition_by: tuple[str, ...] = ()
    cluster_by: tuple[str, ...] = ()
    cluster_by_auto: bool = False
    comment: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    private: bool = False
    or_refresh: bool = False
    if_not_exists: bool = False
    location: str | None = None
    notes: tuple[str, ...] = ()
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class CreateStreamingTable(TableDefinition):
    """`CREATE [OR REFRESH] STREAMING TABLE`; without a query only flows write into it.

    A query after `FLOW` says `once`, or `changes` for AUTO CDC, as in `CREATE FLOW`.
    """

    once: bool = False
    changes: "AutoCdc | None" = None


@dataclass(frozen=True, kw_only=True)
class CreateMaterializedView(TableDefinition):
    """`CREATE [OR REFRESH | OR REPLACE] MATERIALIZED VIEW`; it always has a query."""


@dataclass(frozen=True, kw_only=True)
class CreateView:
    """`CREATE TEMPORARY VIEW`: a dataset inside the pipeline only."""

    name: str
    query: Query
    columns: tuple[Column, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    comment: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    position: Position | None = field(default=None, compare=False)


@dataclass(frozen=True)
class ColumnChoice:
    """The columns that are named or, with `all_but`, every column except these."""

    names: tuple[str, ...]
    all_but: bool = False


@dataclass(frozen=True, kw_only=True)
class AutoCdc:
    """How change rows become rows of a table; an expression is SQL text, or what a Python source has built.

    `snapshots`: the source gives all rows there are, version after version, and not changes; it has no sequence.
    """

    keys: tuple[str, ...]
    sequence_by: Any
    ignore_null_updates: bool = False
    apply_as_deletes: Any = None
    apply_as_truncates: Any = None
    columns: ColumnChoice | None = None
    scd_type: Literal[1, 2] = 1
    track_history: ColumnChoice | None = None
    once: bool = False
    snapshots: bool = False


@dataclass(frozen=True, kw_only=True)
class CreateFlow:
    """`CREATE FLOW … AS INSERT INTO target BY NAME query`, or AUTO CDC, which says `changes`.

    `once` runs it again only on full refresh; the query of AUTO CDC reads all of its source.
    """

    name: str
    target: str
    query: Query
    once: bool = False
    changes: AutoCdc | None = None
    comment: str | None = None
    notes: tuple[str, ...] = ()
    position: Position | None = field(default=None, compare=False)


Statement = SetConf | CreateStreamingTable | CreateMaterializedView | CreateView | CreateFlow
