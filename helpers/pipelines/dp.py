"""``from pyspark import pipelines as dp``: the decorators of declarative pipelines, with expectations.

Imitates https://docs.databricks.com/aws/en/ldp/developer/python-ref. Everything registers with the pipeline that is
being loaded; outside of one, nothing can be defined.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from helpers.pipelines.building import bare
from helpers.pipelines.dp_cdc import create_auto_cdc_flow, create_auto_cdc_from_snapshot_flow
from helpers.pipelines.dp_sinks import create_sink
from helpers.pipelines.errors import InvalidDataset, Unsupported, nearest
from helpers.pipelines.graph import Dataset, EventHook, Flow, Kind
from helpers.pipelines.names import canonical
from helpers.pipelines.registry import EXPECTATIONS, Registry, caller, current, defining, place
from helpers.sql import Action, Column, Expectation, parse_pipeline

#: What ``from pyspark import pipelines`` offers; Registry and defining are for the loader.
_OFFERED = ("append_flow", "create_auto_cdc_flow", "create_auto_cdc_from_snapshot_flow", "create_sink",
            "create_streaming_table", "expect", "expect_all", "expect_all_or_drop", "expect_all_or_fail",
            "expect_or_drop", "expect_or_fail", "materialized_view", "on_event_hook", "table", "temporary_view")
__all__ = ["Registry", "append_flow", "create_auto_cdc_flow", "create_auto_cdc_from_snapshot_flow", "create_sink",
           "create_streaming_table", "defining", "expect", "expect_all", "expect_all_or_drop", "expect_all_or_fail",
           "expect_or_drop", "expect_or_fail", "materialized_view", "on_event_hook", "table", "temporary_view"]

Function = TypeVar("Function", bound=Callable[..., Any])
_LATER = ("foreach_batch_sink", "update_flow", "view")
_OLD = {"apply_changes": "dp.create_auto_cdc_flow",
        "apply_changes_from_snapshot": "dp.create_auto_cdc_from_snapshot_flow",
        "read": "spark.read.table", "read_stream": "spark.readStream.table"}


def __getattr__(name: str) -> Any:
    raise not_here("pipelines", name, _OFFERED)


def not_here(module: str, name: str, offered: Sequence[str]) -> Exception:
    """The error for a name that ``module`` lacks: Databricks has it, or had it, or it is a slip."""
    if name in _OLD:
        return Unsupported(f"{module}.{name} is an old name, which is not supported here. Write {_OLD[name]}.")
    if name in (*_LATER, *_OFFERED):
        return Unsupported(f"{module}.{name} is not supported here yet. These are: {', '.join(offered)}.")
    return AttributeError(f"module '{'dlt' if module == 'dlt' else 'pyspark.pipelines'}' has no attribute '{name}'."
                          f"{nearest(name, offered)}")


def table(query_function: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
    """A streaming table; a function that returns a batch DataFrame makes a materialized view, as on Databricks."""
    return _dataset("STREAMING_TABLE", query_function, name, options)


def materialized_view(query_function: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
    """A materialized view: the function's batch DataFrame, computed anew where its inputs changed."""
    return _dataset("MATERIALIZED_VIEW", query_function, name, options)


def temporary_view(query_function: Any = None, /, *, name: str | None = None, **options: Any) -> Any:
    """A view inside the pipeline; nothing is stored."""
    return _dataset("VIEW", query_function, name, options)


def create_streaming_table(
    name: str,
    *,
    expect_all: Mapping[str, str] | None = None,
    expect_all_or_drop: Mapping[str, str] | None = None,
    expect_all_or_fail: Mapping[str, str] | None = None,
    **options: Any,
) -> None:
    """A streaming table without a query of its own: flows write into it."""
    rules = (*_rules(expect_all, "warn"), *_rules(expect_all_or_drop, "drop"), *_rules(expect_all_or_fail, "fail"))
    dataset = _described("STREAMING_TABLE", name, options, caller())
    current("create_streaming_table").datasets.append((replace(dataset, expectations=rules), None))


def append_flow(*, target: str, name: str | None = None, spark_conf: Mapping[str, str] | None = None,
                once: bool = False, comment: str | None = None, depends_on: Any = None,
                import_checkpoint: str | None = None) -> Callable[[Function], Function]:
    """A flow that appends the function's streaming DataFrame to ``target``; its name identifies its checkpoint.

    With ``once`` the function gives a batch DataFrame, which is appended once, and again on full refresh only.
    ``comment`` describes the flow, and nothing shows it here either.
    """
    for argument, value in (("spark_conf", spark_conf), ("depends_on", depends_on),
                            ("import_checkpoint", import_checkpoint)):
        if value:
            raise Unsupported(f"{caller()}: append_flow({argument}=…) is not supported here yet. Remove it.")

    def register(function: Function) -> Function:
        _check_function(function)
        where = place(function)
        current("append_flow").flows.append(
            Flow(name=canonical(name or function.__name__), target=canonical(bare(target)), body=function,
                 defined_at=where, once=bool(once)))
        return function

    return register


def on_event_hook(hook: Any = None, /, *, max_allowable_consecutive_failures: int | None = None) -> Any:
    """Call the function with each event of an update, as a dictionary; one that keeps failing is called no more."""
    def register(function: Function) -> Function:
        if not callable(function) or len(inspect.signature(function).parameters) != 1:
            raise InvalidDataset(f"{place(function)}: an event hook is a function of one argument, the event.")
        current("on_event_hook").hooks.append(EventHook(function, max_allowable_consecutive_failures))
        return function

    return register if hook is None else register(hook)


def expect(name: str, inv: str) -> Callable[[Function], Function]:
    """Count the rows that break the rule, and keep them."""
    return _expecting({name: inv}, "warn")


def expect_or_drop(name: str, inv: str) -> Callable[[Function], Function]:
    """Leave out the rows that break the rule, and count them."""
    return _expecting({name: inv}, "drop")


def expect_or_fail(name: str, inv: str) -> Callable[[Function], Function]:
    """Fail the flow at a row that breaks the rule; nothing of that micro-batch is written."""
    return _expecting({name: inv}, "fail")


def expect_all(expectations: Mapping[str, str]) -> Callable[[Function], Function]:
    """Several :func:`expect` at once."""
    return _expecting(expectations, "warn")


def expect_all_or_drop(expectations: Mapping[str, str]) -> Callable[[Function], Function]:
    """Several :func:`expect_or_drop` at once."""
    return _expecting(expectations, "drop")


def expect_all_or_fail(expectations: Mapping[str, str]) -> Callable[[Function], Function]:
    """Several :func:`expect_or_fail` at once."""
    return _expecting(expectations, "fail")


def _expecting(rules: Mapping[str, str], action: Action) -> Callable[[Function], Function]:
    added = _rules(rules, action)

    def attach(function: Function) -> Function:
        # Decorators run from the inside out, and the outermost stands first in the source.
        setattr(function, EXPECTATIONS, (*added, *getattr(function, EXPECTATIONS, ())))
        return function

    return attach


def _rules(rules: Mapping[str, str] | None, action: Action) -> tuple[Expectation, ...]:
    for name, condition in (rules or {}).items():
        if not isinstance(name, str) or not isinstance(condition, str) or not condition.strip():
            raise InvalidDataset(f"The expectation {name!r} has the condition {condition!r}. Write a name and a "
                                 "condition in SQL text: @dp.expect(\"positive\", \"amount > 0\").")
    return tuple(Expectation(name, condition, action) for name, condition in (rules or {}).items())


def _dataset(kind: Kind, function: Any, name: str | None, options: Mapping[str, Any]) -> Any:
    def register(function: Function) -> Function:
        _check_function(function)
        dataset = _described(kind, name or function.__name__, options, place(function))
        registry = current(function.__name__)
        registry.datasets.append((dataset, function))
        registry.flows.append(Flow(name=dataset.name, target=dataset.name, body=function, defined_at=place(function)))
        return function

    return register if function is None else register(function)


_TABLE_OPTIONS = ("cluster_by", "comment", "format", "partition_cols", "schema", "table_properties", "cluster_by_auto",
                  "private", "temporary")
_VIEW_OPTIONS = ("comment",)
_REFUSED = ("path", "refresh_policy", "replace_using", "row_filter", "sequence_by", "spark_conf")
#: What an update says where a definition leaves the clustering to Databricks.
AUTO_CLUSTERING = "CLUSTER BY AUTO chooses no columns here: the table is not clustered"
AUTO_CLUSTERING_FROM = "CLUSTER BY AUTO changes no columns here: the table stays clustered by those of cluster_by"


def _check_function(function: Any) -> None:
    if not callable(function):
        raise InvalidDataset(f"A dataset decorator stands above {function!r}, which is no function. Write its options "
                             "by name: @dp.table(name=\"orders\").")
    if inspect.signature(function).parameters:
        raise InvalidDataset(f"{place(function)}: the dataset function '{function.__name__}' takes arguments. The "
                             "pipeline calls it without any: remove them.")


def _described(kind: Kind, name: str, options: Mapping[str, Any], where: str) -> Dataset:
    given = {option: value for option, value in options.items() if value}
    _check_options(given, options, where, _VIEW_OPTIONS if kind == "VIEW" else _TABLE_OPTIONS)
    properties = {key: str(value) for key, value in given.get("table_properties", {}).items()}
    return Dataset(
        name=canonical(name), kind=kind, defined_at=where, comment=given.get("comment"),
        properties=checked_properties(properties, where=where), partition_by=_texts(given, "partition_cols", where),
        cluster_by=_texts(given, "cluster_by", where), columns=_columns(given.get("schema"), where),
        private=bool(given.get("private") or given.get("temporary")),
        notes=_notes(given),
    )


def _notes(given: Mapping[str, Any]) -> tuple[str, ...]:
    if not given.get("cluster_by_auto"):
        return ()
    return (AUTO_CLUSTERING_FROM if given.get("cluster_by") else AUTO_CLUSTERING,)


def _check_options(given: Mapping[str, Any], options: Mapping[str, Any], where: str, known: Sequence[str]) -> None:
    for option in options:
        if option not in (*known, *_REFUSED):
            raise InvalidDataset(f"{where}: '{option}' is not an argument here.{nearest(option, ('name', *known))} "
                                 f"These are: name, {', '.join(known)}.")
    clustering = next((option for option in ("cluster_by", "cluster_by_auto") if option in given), None)
    if clustering and "partition_cols" in given:
        raise InvalidDataset(f"{where}: partition_cols and {clustering} exclude each other. Keep one of them.")
    refused = next((option for option in _REFUSED if option in given), None)
    if refused or given.get("format", "delta") != "delta":
        named = refused or f"format='{given['format']}'"
        raise Unsupported(f"{where}: the argument {named} is not supported here yet. Remove it.")


def _texts(given: Mapping[str, Any], option: str, where: str) -> tuple[str, ...]:
    value = given.get(option, ())
    if isinstance(value, str) or not all(isinstance(name, str) for name in value):
        raise InvalidDataset(f"{where}: {option} takes a list of column names, for example ['{value}'].")
    return tuple(value)


def checked_properties(properties: Mapping[str, str], *, where: str) -> Mapping[str, str]:
    """Table properties; those of Databricks' engine that this one does not have are refused, not passed over."""
    for key in properties:
        if key.startswith("pipelines.") and key != "pipelines.reset.allowed":
            raise Unsupported(f"{where}: the table property '{key}' is not supported here yet. Remove it.")
    return properties


def _columns(schema: Any, where: str) -> tuple[Column, ...]:
    if not schema:
        return ()
    if isinstance(schema, str):
        statement = f"CREATE STREAMING TABLE t ({schema})"
        return parse_pipeline(statement, source=f"{where} schema", parameters={})[0].columns
    fields: Sequence[Any] = schema.fields
    return tuple(Column(name=f.name, type=f.dataType.simpleString(), not_null=not f.nullable,
                        comment=f.metadata.get("comment")) for f in fields)
