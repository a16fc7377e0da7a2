"""A dry run: every flow is analysed against empty stand-ins for the datasets that it reads; nothing is made.

Imitates https://docs.databricks.com/aws/en/ldp/updates (validate a pipeline).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from helpers.errors import LakeprepError
from helpers.pipelines import tables
from helpers.pipelines.analysis import analysed
from helpers.pipelines.building import Building
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.graph import Dataset, Flow
from helpers.pipelines.names import quoted
from helpers.pipelines.plan import Plan
from helpers.pipelines.problems import Problems
from helpers.pipelines.reads import Discovery
from helpers.pipelines.scope import TempViews


class DryRun:
    """One dry run; ``analyse`` tells ``problems`` what is wrong and gives notes about what it could not look at."""

    def __init__(self, plan: Plan, discovery: Discovery, *, building: Callable[[Flow], Building], views: TempViews,
                 problems: Problems, pipeline_id: str, catalog: Catalog) -> None:
        self._plan, self._discovery, self._spark = plan, discovery, discovery.spark
        self._building, self._views, self._problems, self._pipeline_id = building, views, problems, pipeline_id
        self._catalog, self._schemas = catalog, dict[str, Any]()

    def analyse(self) -> tuple[str, ...]:
        """Look at every dataset, inputs first."""
        unseen = []
        for name in self._plan.order:
            dataset = self._plan.definitions.datasets[name]
            with self._problems.noted():
                self._check_table(dataset)
            schemas = [self._flow(dataset, flow) for flow in self._plan.definitions.flows_into(name)]
            known = [schema for schema in schemas if schema is not None]
            self._schemas[name] = _united(known) if len(known) == len(schemas) and known else self._stored(dataset)
            if self._schemas[name] is None:
                unseen.append(name)
        return tuple(f"The dry run could not look at the columns of '{name}'." for name in unseen)

    def _check_table(self, dataset: Dataset) -> None:
        if dataset.kind in ("VIEW", "SINK"):
            return
        table = tables.stored(self._spark, dataset, pipeline_id=self._pipeline_id, catalog=self._catalog)
        moved = table is not None and not table.laid_out_as(dataset)
        if moved and dataset.kind == "STREAMING_TABLE" and dataset.name not in self._plan.selection.full:
            raise InvalidDataset(f"{dataset.defined_at}: '{dataset.name}' is not partitioned or clustered as its table "
                                 "is. Run a full refresh of it, or restore the old clause.")

    def _flow(self, dataset: Dataset, flow: Flow) -> Any:
        """The columns that a flow gives; None where they cannot be known."""
        inside: dict[str, bool] = {}
        for read in self._plan.reads[flow.name].inputs:
            name = self._plan.inside(read.name)
            if name is not None:
                inside[name] = read.streaming
            elif not tables.exists(self._spark, read.name):
                return None  # the graph has told of it
        if flow.next_snapshot or any(self._schemas.get(name) is None for name in inside):
            return None
        for name, streaming in inside.items():
            self._stand_in(name, streaming)
        try:
            return analysed(self._spark, dataset, flow, self._building(flow))[1]
        except LakeprepError as problem:
            if problem.__cause__ is None or self._discovery.missing(problem.__cause__) is None:
                self._problems.tell(problem)
            return None

    def _stand_in(self, name: str, streaming: bool) -> None:
        from pyspark.sql import functions as F

        schema = self._schemas[name]
        frame = self._spark.createDataFrame([], schema)
        if streaming:
            clock = self._spark.readStream.format("rate").load()
            frame = clock.select(*[F.lit(None).cast(field.dataType).alias(field.name) for field in schema.fields])
        self._views.make(name, frame)

    def _stored(self, dataset: Dataset) -> Any:
        stored = dataset.kind not in ("VIEW", "SINK") and tables.exists(self._spark, dataset.name)
        return self._spark.table(quoted(dataset.name)).schema if stored else None


def _united(schemas: Sequence[Any]) -> Any:
    from pyspark.sql.types import StructType

    fields = {field.name.lower(): field for schema in reversed(schemas) for field in schema.fields}
    order = dict.fromkeys(field.name.lower() for schema in schemas for field in schema.fields)
    return StructType([fields[name] for name in order])
