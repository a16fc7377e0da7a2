"""Before flows run: every needed dataset is analysed, then its table is made, brought up to date, or emptied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from helpers.classic import is_classic
from helpers.errors import LakeprepError
from helpers.pipelines import changes, frames, private, snapshots, tables
from helpers.pipelines.analysis import analysed
from helpers.pipelines.building import Building
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.change_rows import target_schema
from helpers.pipelines.errors import InvalidDataset, MissingUpstream, UnknownTable, explained
from helpers.pipelines.graph import Dataset, Definitions, Flow, downstream
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.names import quoted
from helpers.pipelines.plan import Plan, merged_reads, with_reads
from helpers.pipelines.reads import Discovery
from helpers.pipelines.scope import TempViews


class SetUp:
    """One update's tables. ``plan`` may learn more edges here: some functions need tables that exist."""

    def __init__(self, spark: Any, plan: Plan, *, home: PipelineHome, pipeline_id: str, parameters: Mapping[str, str],
                 views: TempViews, discovery: Discovery, catalog: Catalog) -> None:
        self.spark, self.plan, self.home, self.pipeline_id = spark, plan, home, pipeline_id
        self.parameters, self.views, self.discovery, self.catalog = parameters, views, discovery, catalog
        self.ready: dict[str, Any] = {}
        #: The columns that each flow gives its target, once it is analysed.
        self.schemas: dict[str, Any] = {}
        self._made: set[str] = set()
        self._late: set[str] = set()
        #: Views that were there and have other columns now, each with the version that has its rows.
        self._replaced: dict[str, int] = {}

    def analyse(self) -> None:
        """Analyse everything and make the tables that are missing. What fails here leaves every table its rows."""
        try:
            self._analyse()
        except BaseException:
            self.put_back()
            raise

    def put_back(self, filled: Collection[str] = ()) -> None:
        """Give the views that were made anew their old columns and rows again, but for those that were filled since."""
        for name, version in self._replaced.items():
            if name not in filled:
                with suppress(Exception):  # the first error is the one to tell; the next good update fills the view
                    self.spark.sql(f"RESTORE TABLE {quoted(name)} TO VERSION AS OF {version}").collect()

    def _analyse(self) -> None:
        self._check_upstream()
        done: set[str] = set()
        while (name := next((name for name in self.plan.needed if name not in done), None)) is not None:
            before = self.plan
            self._discover_again(name)
            if self.plan is before:  # else its inputs, and so the order, may be others
                done.add(name)
                if name not in self._late:
                    self._prepare(name)

    def frame(self, flow: Flow) -> Any:
        """The flow's DataFrame as it is run; a classic one is made again, for it has the columns of its making."""
        snapshots_ = flow.changes is not None and flow.changes.snapshots
        if snapshots_ or not is_classic(self.spark):
            return self.ready[flow.name]
        return analysed(self.spark, self._dataset(flow.target), flow, self.building(flow))[0]

    def reset(self) -> None:
        """Empty the streaming tables of a full refresh, inputs first; views of all kinds are only computed anew."""
        full = {name for name in self.plan.selection.full - self._made if self._kind(name) == "STREAMING_TABLE"}
        for name in self.plan.needed:
            if name in self.plan.selection.full and self._kind(name) == "SINK":
                self.home.begin_reset(name)  # its rows stay, and all of them come once more
                self._build(name)
            elif name in full:
                with _naming(self._dataset(name)):
                    self.home.begin_reset(name)
                    self._create(self._dataset(name), self._build(name))
            elif name in self._late:
                self._prepare(name)
            if name in self.plan.selection.full:
                self.home.end_reset(name)

    def _check_upstream(self) -> None:
        needed = set(self.plan.needed)
        for name in self.plan.needed:
            for read in self.plan.edges[name]:
                if read not in needed and not tables.exists(self.spark, read):
                    raise MissingUpstream(f"'{name}' reads '{read}', which no update has made yet. "
                                          f"Add '{read}' to the selection, or run an update of everything first.")

    def _discover_again(self, name: str) -> None:
        """Now that its inputs exist, a function that looks at tables while it is called tells what else it reads."""
        for flow in self.plan.definitions.flows_into(name):
            old = self.plan.reads[flow.name]
            if not old.deferred:
                continue
            new = merged_reads(old, self.discovery.of(flow, self.building(flow)))
            if new == old:
                raise UnknownTable(f"{flow.defined_at}: TABLE_OR_VIEW_NOT_FOUND: '{flow.name}' reads "
                                   f"'{old.inputs[-1].name}', which it cannot find. Read it by its bare name.")
            self.plan = with_reads(self.plan, flow.name, new, exists=self._exists)
            self._check_upstream()

    def _exists(self, name: str) -> bool:
        return tables.exists(self.spark, name)

    def _prepare(self, name: str) -> None:
        dataset = self._dataset(name)
        if dataset.kind == "SINK":
            self._build(name)
        elif dataset.kind == "VIEW":
            self._build(name)
            self.views.make(name, self.ready[self.plan.definitions.flows_into(name)[0].name])
        else:
            with _naming(dataset):
                self._prepare_table(dataset)

    def _prepare_table(self, dataset: Dataset) -> None:
        name = dataset.name
        table = tables.stored(self.spark, dataset, pipeline_id=self.pipeline_id, catalog=self.catalog)
        if table is None:
            self.catalog.look_for_folder()
            self.home.forget_started(name)
        schemas = self._build(name)
        if table is None and not dataset.private:
            private.forget(self.catalog, name)
        if table is None or (dataset.kind == "MATERIALIZED_VIEW" and _differs(table, dataset, schemas)):
            newest = tables.version(self.spark, name, folder=table.location) if table else None
            if newest:
                self._replaced[name] = newest.number
            self._create(dataset, schemas)
            self._made.add(name)
        elif name in self.plan.selection.full and dataset.kind == "STREAMING_TABLE":
            if any(tables.retypes(table.schema, schema) for schema in schemas):
                self._late |= downstream([name], self.plan.edges)
        elif not table.laid_out_as(dataset):
            raise InvalidDataset(f"{dataset.defined_at}: '{name}' is not partitioned or clustered as its table is. "
                                 "Run a full refresh of it, or restore the old clause.")
        else:
            if self._changes(name):
                changes.keep_up(self.spark, dataset, self._changes(name), pipeline_id=self.pipeline_id,
                                catalog=self.catalog)
            tables.keep_up(self.spark, dataset, table, schemas)

    def _create(self, dataset: Dataset, schemas: list[Any]) -> None:
        """An AUTO CDC target comes last: while there is none, the next update makes both tables."""
        if self._changes(dataset.name):
            changes.create(self.spark, dataset, self._changes(dataset.name), pipeline_id=self.pipeline_id,
                           catalog=self.catalog)
        tables.create(self.spark, dataset, schemas, pipeline_id=self.pipeline_id)
        self.catalog.made(dataset.name, dataset.location)

    def building(self, flow: Flow) -> Building:
        """What the flow's function may use while it is called."""
        return Building(flow_state(self.home, self.plan.definitions, flow), self.parameters, self.views)

    def _changes(self, name: str) -> list[tuple[Flow, Any]]:
        """A dataset's AUTO CDC flows, each with its change rows."""
        return [(flow, self.ready[flow.name]) for flow in self.plan.definitions.flows_into(name) if flow.changes]

    def _build(self, name: str) -> list[Any]:
        """Make each flow's DataFrame, and give their schemas."""
        schemas = []
        dataset = self._dataset(name)
        for flow in self.plan.definitions.flows_into(name):
            if flow.changes and flow.changes.snapshots:
                frame, schema = self._snapshot(flow)
            else:
                frame, schema = analysed(self.spark, dataset, flow, self.building(flow))
            self.ready[flow.name], self.schemas[flow.name] = frame, schema
            schemas += [schema] if schema is not None else []
        return schemas

    def _snapshot(self, flow: Flow) -> tuple[Any, Any]:
        """The first snapshot's rows and columns; (None, None) where a function is asked for the next later on."""
        made = self._exists(flow.target) and flow.target not in self.plan.selection.full
        if made and flow.next_snapshot:
            return None, None
        try:
            found = snapshots.following(self, flow, None, clock=lambda: datetime.now(UTC))
        except Exception as error:
            raise frames.failure(error, flow, "cannot be analysed") from error
        if found is None:
            raise InvalidDataset(f"{flow.defined_at}: '{flow.target}' has no snapshot yet, so its columns are not "
                                 "known. Let the function give a first one.")
        schema = target_schema(flow, found.rows)
        tables.check_declared(self.spark, self._dataset(flow.target), schema, whole=True)
        return found.rows, schema

    def _dataset(self, name: str) -> Dataset:
        return self.plan.definitions.datasets[name]

    def _kind(self, name: str) -> str:
        return self._dataset(name).kind


@contextmanager
def _naming(dataset: Dataset) -> Iterator[None]:
    """Errors of Spark inside say which table they are about."""
    try:
        yield
    except (LakeprepError, OSError):
        raise
    except Exception as error:
        raise InvalidDataset(f"{dataset.defined_at}: the table of '{dataset.name}' cannot be set up: "
                             f"{explained(error, target=dataset.name)}") from error


def flow_state(home: PipelineHome, definitions: Definitions, flow: Flow) -> Path:
    """Where a flow keeps its checkpoint and inferred schema."""
    kind = definitions.datasets[flow.target].kind
    return home.checkpoint("_views" if kind == "VIEW" else flow.target, flow.name)


def _differs(table: tables.Stored, dataset: Dataset, schemas: list[Any]) -> bool:
    """Whether a materialized view must be made anew, since what reads it is analysed against its columns.

    Where other columns were written over it, it would lose the comments of its columns and its clustering.
    """
    if not table.laid_out_as(dataset) or any(tables.retypes(table.schema, schema) for schema in schemas):
        return True
    kept = bool(dataset.cluster_by) or any(column.comment for column in dataset.columns)
    return kept and not all(tables.same_columns(schema, table.schema) for schema in schemas)
