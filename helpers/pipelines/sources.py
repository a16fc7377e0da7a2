"""From source files to definitions: SQL through :mod:`helpers.sql`, Python by running the file as Databricks does."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers import sql
from helpers.errors import LakeprepError
from helpers.pipelines import dlt, dp
from helpers.pipelines.errors import InvalidSource, Unsupported
from helpers.pipelines.graph import Dataset, Definitions, Flow, collect
from helpers.pipelines.names import canonical


def load_sources(files: Sequence[Path], *, spark: Any, schema: str, parameters: Mapping[str, str]) -> Definitions:
    """Definitions of all files, in any order. ``spark`` is what Python files see under that name."""
    registry = dp.Registry()
    for path in files:
        add_file(registry, path, spark=spark, parameters=parameters)
    return collect(*registry.finished(), schema=schema)


def add_file(registry: dp.Registry, path: Path, *, spark: Any, parameters: Mapping[str, str]) -> None:
    """Register what a ``.sql`` or ``.py`` file defines."""
    if path.suffix == ".sql":
        add_sql(registry, _text(path), source=path.name, parameters=parameters)
    elif path.suffix == ".py":
        _add_python(registry, path, spark)
    else:
        raise Unsupported(f"{path.name}: a pipeline's sources are .sql and .py files here. Convert it.")


def add_sql(registry: dp.Registry, text: str, *, source: str, parameters: Mapping[str, str]) -> None:
    """Register every statement of one SQL text; ``source`` names it in messages."""
    for statement in sql.parse_pipeline(text, source=source, parameters=parameters):
        dataset, flow = _from_statement(statement)
        if dataset is not None:
            registry.datasets.append((dataset, None))
        if flow is not None:
            registry.flows.append(flow)


def _from_statement(statement: sql.Statement) -> tuple[Dataset | None, Flow | None]:
    where = _where(statement)
    if isinstance(statement, sql.SetConf):
        return None, None
    if isinstance(statement, sql.CreateFlow):
        if statement.once and statement.changes is None:
            raise Unsupported(f"{where}: INSERT INTO ONCE is not supported here yet. Use a streaming flow.")
        return None, Flow(name=canonical(statement.name), target=canonical(statement.target), body=statement.query,
                          defined_at=where, changes=statement.changes)
    name = canonical(statement.name)
    if isinstance(statement, sql.CreateView):
        dataset = Dataset(name=name, kind="VIEW", defined_at=where, comment=statement.comment,
                          columns=statement.columns, expectations=statement.expectations, notes=statement.notes)
    else:
        dataset = _table(statement, name, where)
    query = statement.query
    return dataset, None if query is None else Flow(name=name, target=name, body=query, defined_at=where)


def _table(statement: sql.TableDefinition, name: str, where: str) -> Dataset:
    for option in ("private", "cluster_by_auto", "location"):
        if getattr(statement, option):
            word = {"private": "PRIVATE", "cluster_by_auto": "CLUSTER BY AUTO", "location": "LOCATION"}[option]
            raise Unsupported(f"{where}: {word} is not supported here yet. Remove it from '{name}'.")
    streaming = isinstance(statement, sql.CreateStreamingTable)
    return Dataset(
        name=name, kind="STREAMING_TABLE" if streaming else "MATERIALIZED_VIEW", defined_at=where,
        columns=statement.columns, expectations=statement.expectations, partition_by=statement.partition_by,
        cluster_by=statement.cluster_by, comment=statement.comment,
        properties=dp.checked_properties(statement.properties, where=where),
        notes=statement.notes,
    )


def _where(statement: sql.Statement) -> str:
    return str(statement.position) if statement.position else "SQL"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {error}. Save it as UTF-8 text.") from None


def _add_python(registry: dp.Registry, path: Path, spark: Any) -> None:
    with databricks_imports(), dp.defining(registry):
        try:
            runpy.run_path(str(path), init_globals={"spark": spark})
        except LakeprepError:
            raise
        except SyntaxError as error:
            raise InvalidSource(f"{path.name}:{error.lineno}: {error.msg}. Mend that line.") from None
        except (Exception, SystemExit) as error:
            raise InvalidSource(f"{path.name}:{_line_in(path, error)}: {type(error).__name__}: {error}") from error


def _line_in(path: Path, error: BaseException) -> int:
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


@contextmanager
def databricks_imports() -> Iterator[ModuleType]:
    """Inside, ``from pyspark import pipelines`` and ``import dlt`` give our decorators, which know expectations."""
    import pyspark

    missing = object()
    modules = {name: sys.modules.get(name, missing) for name in ("pyspark.pipelines", "dlt")}
    attribute = getattr(pyspark, "pipelines", missing)
    sys.modules |= {"pyspark.pipelines": dp, "dlt": dlt}
    pyspark.pipelines = dp  # type: ignore[attr-defined]
    try:
        yield dp
    finally:
        _restore(modules, attribute, pyspark, missing)


def _restore(modules: Mapping[str, Any], attribute: Any, pyspark: ModuleType, missing: object) -> None:
    for name, module in modules.items():
        if module is missing:
            sys.modules.pop(name, None)
        else:
            sys.modules[name] = module
    if attribute is missing:
        del pyspark.pipelines  # type: ignore[attr-defined]
    else:
        pyspark.pipelines = attribute  # type: ignore[attr-defined]
