"""From source files to definitions: SQL through :mod:`helpers.sql`, Python by running the file as Databricks does."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from helpers import sql
from helpers.errors import LakeprepError
from helpers.pipelines import cells, dlt, dp
from helpers.pipelines.definitions import collect
from helpers.pipelines.errors import InvalidSource, Unsupported
from helpers.pipelines.graph import Dataset, Definitions, Flow
from helpers.pipelines.names import canonical
from helpers.pipelines.problems import Problems


def load_sources(files: Sequence[Path], *, spark: Any, schema: str, parameters: Mapping[str, str],
                 root: Path | None = None, problems: Problems | None = None) -> Definitions:
    """Definitions of all files, in any order. ``spark`` is what Python files see, who may import from ``root``."""
    registry, problems = dp.Registry(), problems or Problems()
    with importable(root):
        for path in files:
            with problems.noted():
                add_file(registry, path, spark=spark, parameters=parameters)
    return collect(*registry.finished(), schema=schema, hooks=registry.hooks, problems=problems)


@contextmanager
def importable(root: Path | None) -> Iterator[None]:
    """Inside, modules of the folder can be imported."""
    before = list(sys.path)
    sys.path[:0] = [str(root)] if root else []
    try:
        yield
    finally:
        sys.path[:] = before


def add_file(registry: dp.Registry, path: Path, *, spark: Any, parameters: Mapping[str, str]) -> None:
    """Register what a ``.sql`` or ``.py`` file or a notebook defines."""
    if cells.is_notebook(path):
        language, found = cells.read(path)
        if language == "sql":
            for cell in found:
                name = f"{path.name} cell {cell.number}" if path.suffix == ".ipynb" else path.name
                parameters = add_sql(registry, cells.shifted(cell), source=name, parameters=parameters)
        elif language == "python":
            _add_python(registry, path, spark, found)
        else:
            raise Unsupported(f"{path.name}: a notebook in {language} is no pipeline source. Use Python or SQL.")
    elif path.suffix == ".sql":
        add_sql(registry, _text(path), source=path.name, parameters=parameters)
    elif path.suffix == ".py":
        _add_python(registry, path, spark)
    else:
        raise Unsupported(f"{path.name}: a pipeline's sources are .sql and .py files and notebooks. Convert it.")


def add_sql(registry: dp.Registry, text: str, *, source: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Register every statement of one SQL text, which messages call ``source``; gives the parameters after its SETs."""
    after = dict(parameters)
    for statement in sql.parse_pipeline(text, source=source, parameters=parameters):
        if isinstance(statement, sql.SetConf):
            after[statement.key] = statement.value
        dataset, flow = _from_statement(statement)
        if dataset is not None:
            registry.datasets.append((dataset, None))
        if flow is not None:
            registry.flows.append(flow)
    return after


def _from_statement(statement: sql.Statement) -> tuple[Dataset | None, Flow | None]:
    where = _where(statement)
    if isinstance(statement, sql.SetConf):
        return None, None
    if isinstance(statement, sql.CreateFlow):
        return None, Flow(name=canonical(statement.name), target=canonical(statement.target), body=statement.query,
                          defined_at=where, changes=statement.changes,
                          once=statement.once and statement.changes is None)
    name = canonical(statement.name)
    if isinstance(statement, sql.CreateView):
        dataset = Dataset(name=name, kind="VIEW", defined_at=where, comment=statement.comment,
                          columns=statement.columns, expectations=statement.expectations, notes=statement.notes)
    else:
        dataset = _table(statement, name, where)
    query = statement.query
    if query is None:
        return dataset, None
    if isinstance(statement, sql.CreateStreamingTable):
        return dataset, Flow(name=name, target=name, body=query, defined_at=where, changes=statement.changes,
                             once=statement.once)
    return dataset, Flow(name=name, target=name, body=query, defined_at=where)


def _table(statement: sql.TableDefinition, name: str, where: str) -> Dataset:
    if statement.location:
        raise Unsupported(f"{where}: LOCATION is not supported here: the pipeline places its tables. "
                          f"Remove it from '{name}'.")
    streaming = isinstance(statement, sql.CreateStreamingTable)
    return Dataset(
        name=name, kind="STREAMING_TABLE" if streaming else "MATERIALIZED_VIEW", defined_at=where,
        columns=statement.columns, expectations=statement.expectations, partition_by=statement.partition_by,
        cluster_by=statement.cluster_by, comment=statement.comment,
        properties=dp.checked_properties(statement.properties, where=where),
        notes=(*statement.notes, *((dp.AUTO_CLUSTERING,) if statement.cluster_by_auto else ())),
        private=statement.private,
    )


def _where(statement: sql.Statement) -> str:
    return str(statement.position) if statement.position else "SQL"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSource(f"{path.name} cannot be read: {error}. Save it as UTF-8 text.") from None


def _add_python(registry: dp.Registry, path: Path, spark: Any, found: Sequence[cells.Cell] | None = None) -> None:
    """Run a Python file, or a notebook's cells one after the other."""
    with databricks_imports(), dp.defining(registry):
        try:
            if found is None:
                runpy.run_path(str(path), init_globals={"spark": spark})
            else:
                _run_cells(path, spark, found)
        except LakeprepError:
            raise
        except SyntaxError as error:
            raise InvalidSource(f"{_file(error.filename, path)}:{error.lineno}: {error.msg}. Mend that line.") from None
        except (Exception, SystemExit) as error:
            where, line = _place_in(path, error)
            raise InvalidSource(f"{where}:{line}: {type(error).__name__}: {error}") from error


def _run_cells(path: Path, spark: Any, found: Sequence[cells.Cell]) -> None:
    """Cells share their names; in messages a cell of an ``.ipynb`` is a file of its own."""
    names = {"spark": spark, "__name__": "__main__", "__file__": str(path)}
    for cell in found:
        file = f"{path} cell {cell.number}" if path.suffix == ".ipynb" else str(path)
        exec(compile(cells.shifted(cell), file, "exec"), names)


def _file(name: str | None, path: Path) -> str:
    return Path(name).name if name and name.startswith(str(path)) else path.name


def _place_in(path: Path, error: BaseException) -> tuple[str, int]:
    where, line, trace = path.name, 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.startswith(str(path)):
            where, line = _file(trace.tb_frame.f_code.co_filename, path), trace.tb_lineno
        trace = trace.tb_next
    return where, line


@contextmanager
def databricks_imports() -> Iterator[ModuleType]:
    """Inside, ``from pyspark import pipelines`` and ``import dlt`` give our decorators, which know expectations."""
    import pyspark

    with suppress(ImportError):  # a lesson on Databricks has none
        from helpers.pipelines import open_source  # noqa: F401 - it holds what is about to be replaced

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
