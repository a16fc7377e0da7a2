"""``import dlt``: the names that declarative pipelines had as Delta Live Tables; each is its successor in :mod:`dp`.

What differs are a few names and the order of arguments: those of the package ``databricks-dlt``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from helpers.pipelines import dp
from helpers.pipelines.building import current_spark
from helpers.pipelines.dp import (
    create_auto_cdc_flow,
    create_auto_cdc_from_snapshot_flow,
    create_sink,
    expect,
    expect_all,
    expect_all_or_drop,
    expect_all_or_fail,
    expect_or_drop,
    expect_or_fail,
)
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.registry import caller

__all__ = ["append_flow", "apply_changes", "apply_changes_from_snapshot", "create_auto_cdc_flow",
           "create_auto_cdc_from_snapshot_flow", "create_sink", "create_streaming_live_table",
           "create_streaming_table", "create_table", "create_target_table", "create_view", "expect", "expect_all",
           "expect_all_or_drop", "expect_all_or_fail", "expect_or_drop", "expect_or_fail", "on_event_hook", "read",
           "readStream", "read_stream", "table", "view"]


def _given(**arguments: Any) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None and value is not False}


def table(query_function: Any = None, name: str | None = None, comment: str | None = None,
          spark_conf: Mapping[str, str] | None = None, table_properties: Mapping[str, str] | None = None,
          partition_cols: Sequence[str] | None = None, path: str | None = None, schema: Any = None,
          temporary: bool = False, cluster_by: Sequence[str] | None = None, row_filter: str | None = None,
          **others: Any) -> Any:
    """``dp.table``: what the function returns decides whether it is a streaming table or a materialized view."""
    return dp.table(query_function, **_given(
        name=name, comment=comment, spark_conf=spark_conf, table_properties=table_properties,
        partition_cols=partition_cols, path=path, schema=schema, temporary=temporary, cluster_by=cluster_by,
        row_filter=row_filter), **others)


def view(query_function: Any = None, name: str | None = None, comment: str | None = None,
         spark_conf: Mapping[str, str] | None = None, **others: Any) -> Any:
    """``dp.temporary_view``."""
    return dp.temporary_view(query_function, **_given(name=name, comment=comment, spark_conf=spark_conf), **others)


def create_streaming_table(
        name: str, comment: str | None = None, spark_conf: Mapping[str, str] | None = None,
        table_properties: Mapping[str, str] | None = None, partition_cols: Sequence[str] | None = None,
        path: str | None = None, schema: Any = None, expect_all: Mapping[str, str] | None = None,
        expect_all_or_drop: Mapping[str, str] | None = None, expect_all_or_fail: Mapping[str, str] | None = None,
        cluster_by: Sequence[str] | None = None, row_filter: str | None = None, **others: Any) -> None:
    """``dp.create_streaming_table``, which takes its arguments by name."""
    dp.create_streaming_table(name, **_given(
        comment=comment, spark_conf=spark_conf, table_properties=table_properties, partition_cols=partition_cols,
        path=path, schema=schema, expect_all=expect_all, expect_all_or_drop=expect_all_or_drop,
        expect_all_or_fail=expect_all_or_fail, cluster_by=cluster_by, row_filter=row_filter), **others)


def on_event_hook(user_event_hook_fn: Any = None, max_allowable_consecutive_failures: int | None = None) -> Any:
    """``dp.on_event_hook``."""
    return dp.on_event_hook(user_event_hook_fn, max_allowable_consecutive_failures=max_allowable_consecutive_failures)


def append_flow(name: str | None = None, target: str | None = None, comment: str | None = None,
                spark_conf: Mapping[str, str] | None = None, once: bool = False) -> Callable[[Any], Any]:
    """``dp.append_flow``, which takes its arguments by name."""
    if target is None:
        raise InvalidDataset(f"{caller()}: append_flow needs a target: @dlt.append_flow(target=\"t\").")
    return dp.append_flow(target=target, name=name, comment=comment, spark_conf=spark_conf, once=once)


def apply_changes(
        target: str, source: str, keys: Sequence[Any], sequence_by: Any, where: Any = None,
        ignore_null_updates: bool | None = None, apply_as_deletes: Any = None, apply_as_truncates: Any = None,
        column_list: Sequence[Any] | None = None, except_column_list: Sequence[Any] | None = None,
        stored_as_scd_type: str | int = "1", track_history_column_list: Sequence[Any] | None = None,
        track_history_except_column_list: Sequence[Any] | None = None, flow_name: str | None = None,
        once: bool = False, ignore_null_updates_column_list: Sequence[Any] | None = None,
        ignore_null_updates_except_column_list: Sequence[Any] | None = None, columns_to_update: Any = None,
        **others: Any) -> None:
    """``dp.create_auto_cdc_flow``; the flow's name is ``flow_name``, or ``name`` as there."""
    if flow_name is not None and others.get("name") is not None:
        raise InvalidDataset(f"{caller()}: give flow_name or name, not both.")
    create_auto_cdc_flow(target, source, keys, sequence_by, stored_as_scd_type=stored_as_scd_type, **_given(
        where=where, ignore_null_updates=ignore_null_updates, apply_as_deletes=apply_as_deletes,
        apply_as_truncates=apply_as_truncates, column_list=column_list, except_column_list=except_column_list,
        track_history_column_list=track_history_column_list,
        track_history_except_column_list=track_history_except_column_list, name=flow_name, once=once,
        ignore_null_updates_column_list=ignore_null_updates_column_list,
        ignore_null_updates_except_column_list=ignore_null_updates_except_column_list,
        columns_to_update=columns_to_update), **others)


def apply_changes_from_snapshot(
        target: str, source: Any = None, keys: Any = (), stored_as_scd_type: Any = 1, snapshot_and_version: Any = None,
        track_history_column_list: Sequence[Any] | None = None,
        track_history_except_column_list: Sequence[Any] | None = None, **others: Any) -> None:
    """``dp.create_auto_cdc_from_snapshot_flow``; ``snapshot_and_version`` is the older name of ``source``."""
    if source is not None and snapshot_and_version is not None:
        raise InvalidDataset(f"{caller()}: give source or snapshot_and_version, not both.")
    create_auto_cdc_from_snapshot_flow(
        target, source if source is not None else snapshot_and_version, keys, stored_as_scd_type or 1,
        track_history_column_list, track_history_except_column_list, **others)


def _old(name: str, successor: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        warnings.warn(f"dlt.{name} is deprecated. Write {successor.__name__} instead.", stacklevel=2)
        return successor(*arguments, **named)

    return call


create_table, create_view = _old("create_table", table), _old("create_view", view)
create_target_table = _old("create_target_table", create_streaming_table)
create_streaming_live_table = _old("create_streaming_live_table", create_streaming_table)


def read(name: str) -> Any:
    """All rows of a dataset; ``spark.read.table`` today."""
    return current_spark("dlt.read").read.table(name)


def read_stream(name: str) -> Any:
    """A dataset's new rows; ``spark.readStream.table`` today."""
    return current_spark("dlt.read_stream").readStream.table(name)


readStream = read_stream


def __getattr__(name: str) -> Any:
    raise dp.not_here("dlt", name, __all__)
