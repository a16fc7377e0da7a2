"""``import dlt``: the names that declarative pipelines had as Delta Live Tables; each is its successor in :mod:`dp`.

What differs are a few names and the order of arguments: those of the package ``databricks-dlt``.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from helpers.pipelines import dp
from helpers.pipelines.building import bare, current_spark
from helpers.pipelines.dp import (
    create_auto_cdc_flow,
    create_auto_cdc_from_snapshot_flow,
    create_sink,
    create_streaming_table,
    expect,
    expect_all,
    expect_all_or_drop,
    expect_all_or_fail,
    expect_or_drop,
    expect_or_fail,
    on_event_hook,
    table,
)
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.registry import caller

view = dp.temporary_view

__all__ = ["append_flow", "apply_changes", "apply_changes_from_snapshot", "create_auto_cdc_flow",
           "create_auto_cdc_from_snapshot_flow", "create_sink", "create_streaming_live_table",
           "create_streaming_table", "create_table", "create_target_table", "create_view", "expect", "expect_all",
           "expect_all_or_drop", "expect_all_or_fail", "expect_or_drop", "expect_or_fail", "on_event_hook", "read",
           "readStream", "read_stream", "table", "view"]


def append_flow(name: str | None = None, target: str | None = None, comment: str | None = None,
                spark_conf: Mapping[str, str] | None = None, once: bool = False) -> Callable[[Any], Any]:
    """``dp.append_flow``, which takes its arguments by name."""
    if target is None:
        raise InvalidDataset(f"{caller()}: append_flow needs a target: @dlt.append_flow(target=\"t\").")
    return dp.append_flow(target=target, name=name, comment=comment, spark_conf=spark_conf, once=once)


def apply_changes(target: str, source: str, keys: Sequence[Any], sequence_by: Any, where: Any = None,
                  *in_order: Any, flow_name: str | None = None, **others: Any) -> None:
    """``dp.create_auto_cdc_flow``; the flow's name is ``flow_name``, or ``name`` as there."""
    if flow_name is not None:
        others["name"] = flow_name
    create_auto_cdc_flow(target, source, keys, sequence_by, *in_order, where=where, **others)


def apply_changes_from_snapshot(target: str, source: Any = None, keys: Any = (), stored_as_scd_type: Any = 1,
                                snapshot_and_version: Any = None, **others: Any) -> None:
    """``dp.create_auto_cdc_from_snapshot_flow``; ``snapshot_and_version`` is the older name of ``source``."""
    if source is not None and snapshot_and_version is not None:
        raise InvalidDataset(f"{caller()}: give source or snapshot_and_version, not both.")
    create_auto_cdc_from_snapshot_flow(
        target, source if source is not None else snapshot_and_version, keys, stored_as_scd_type or 1, **others)


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
    return current_spark("dlt.read").read.table(bare(name))


def read_stream(name: str) -> Any:
    """A dataset's new rows; ``spark.readStream.table`` today."""
    return current_spark("dlt.read_stream").readStream.table(bare(name))


readStream = read_stream


def __getattr__(name: str) -> Any:
    raise dp.not_here("dlt", name, __all__)
