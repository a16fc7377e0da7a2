"""A pipeline that a notebook defines cell by cell and updates as often as it likes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from helpers.pipelines import event_log, sources
from helpers.pipelines.building import PipelineSession
from helpers.pipelines.definitions import collect
from helpers.pipelines.dp import Registry, defining
from helpers.pipelines.graph import Definitions
from helpers.pipelines.names import quoted
from helpers.pipelines.problems import Problems
from helpers.pipelines.report import UpdateReport
from helpers.pipelines.settings import PipelineSettings
from helpers.pipelines.update import Request, run_update


class Pipeline:
    """Definitions, updates and the event log of one pipeline.

    ``with pipeline:`` around decorated functions, ``pipeline.sql("CREATE …")`` or ``pipeline.file(path)`` add
    definitions; what is defined again under the same name is replaced. ``update()`` runs one update.
    """

    def __init__(self, spark: Any, settings: PipelineSettings, *, checkpoints: Path,
                 show: Callable[[], Callable[[UpdateReport], None]] | None = None) -> None:
        self._spark, self._settings, self._checkpoints, self._show = spark, settings, checkpoints, show
        self._parts: list[Registry] = []
        self._pending = Registry()
        self._open: ExitStack | None = None

    @property
    def pipeline_id(self) -> str:
        """A UUID; the same for the same schema and name."""
        return self._settings.pipeline_id

    def sql(self, text: str) -> None:
        """Add every statement of a SQL text; what is defined again replaces the old definition."""
        self._add(lambda registry: sources.add_sql(registry, text, source="notebook",
                                                   parameters=self._settings.configuration))

    def file(self, path: str | Path) -> None:
        """Add the definitions of a ``.sql`` or ``.py`` file or a notebook."""
        self._add(lambda registry: sources.add_file(registry, Path(path), spark=PipelineSession(self._spark),
                                                    parameters=self._settings.configuration))

    def __enter__(self) -> Pipeline:
        self._pending = Registry()
        self._open = ExitStack()
        self._open.enter_context(sources.databricks_imports())
        self._open.enter_context(defining(self._pending))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._open is not None:
            self._open.close()
        if kind is None:
            self._replace(self._pending)

    def _add(self, fill: Callable[[Registry], None]) -> None:
        registry = Registry()
        fill(registry)
        self._replace(registry)

    def _replace(self, registry: Registry) -> None:
        """A cell that runs again replaces its own definitions, so running it twice is not an error."""
        datasets = {dataset.name for dataset, _ in registry.datasets}
        flows = {flow.name for flow in registry.flows} | datasets
        for old in self._parts:
            old.datasets = [pair for pair in old.datasets if pair[0].name not in datasets]
            old.flows = [flow for flow in old.flows if flow.name not in flows]
        self._parts.append(registry)

    def _definitions(self, _: PipelineSession, problems: Problems) -> Definitions:
        parts = [registry.finished() for registry in self._parts]
        hooks = {getattr(hook.function, "__name__", ""): hook for registry in self._parts for hook in registry.hooks}
        return collect([dataset for datasets, _ in parts for dataset in datasets],
                       [flow for _, flows in parts for flow in flows], schema=self._settings.schema,
                       hooks=tuple(hooks.values()), problems=problems)

    def update(self, *, refresh: Sequence[str] = (), full_refresh: bool | Sequence[str] = False,
               on_change: Callable[[UpdateReport], None] | None = None) -> UpdateReport:
        """Run one update; ``full_refresh`` is True for everything, or a list of tables."""
        everything = full_refresh is True
        request = Request(refresh=refresh, full_refresh=everything,
                          full_refresh_selection=() if isinstance(full_refresh, bool) else full_refresh)
        return run_update(self._spark, self._settings, request, checkpoints=self._checkpoints,
                          definitions=self._definitions, on_change=on_change or (self._show() if self._show else None))

    def dry_run(self) -> UpdateReport:
        """Validate without an update: ``error`` of the report tells every problem; nothing is made or read."""
        return run_update(self._spark, self._settings, Request(validate_only=True), checkpoints=self._checkpoints,
                          definitions=self._definitions)

    def event_log(self) -> Any:
        """The event log as a DataFrame, oldest event first."""
        name = f"{self._settings.schema}.{event_log.table_name(self.pipeline_id)}"
        return self._spark.table(quoted(name)).orderBy("timestamp", "sequence.data_plane_id.seq_no")


def notebook_pipeline(spark: Any, name: str, *, schema: str, checkpoints: Path, parameters: Mapping[str, str],
                      show: Callable[[], Callable[[UpdateReport], None]] | None = None) -> Pipeline:
    """A pipeline without a settings file; ``parameters`` are read as ``${key}`` in SQL."""
    settings = PipelineSettings(name=name, schema=schema, configuration=dict(parameters))
    return Pipeline(spark, settings, checkpoints=checkpoints, show=show)
