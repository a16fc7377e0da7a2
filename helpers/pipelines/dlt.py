"""``import dlt``: the names that declarative pipelines had as Delta Live Tables; each is its successor in :mod:`dp`."""

from __future__ import annotations

from typing import Any

from helpers.pipelines import dp
from helpers.pipelines.building import current_spark
from helpers.pipelines.dp import (
    append_flow,
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

apply_changes = create_auto_cdc_flow
apply_changes_from_snapshot = create_auto_cdc_from_snapshot_flow
view = dp.temporary_view
create_target_table = create_streaming_live_table = create_streaming_table
create_table, create_view = table, view

__all__ = ["append_flow", "apply_changes", "apply_changes_from_snapshot", "create_auto_cdc_flow",
           "create_auto_cdc_from_snapshot_flow", "create_sink", "create_streaming_live_table",
           "create_streaming_table", "create_table", "create_target_table", "create_view", "expect", "expect_all",
           "expect_all_or_drop", "expect_all_or_fail", "expect_or_drop", "expect_or_fail", "on_event_hook", "read",
           "read_stream", "table", "view"]


def read(name: str) -> Any:
    """All rows of a dataset; ``spark.read.table`` today."""
    return current_spark("dlt.read").read.table(_bare(name))


def read_stream(name: str) -> Any:
    """A dataset's new rows; ``spark.readStream.table`` today."""
    return current_spark("dlt.read_stream").readStream.table(_bare(name))


def _bare(name: str) -> str:
    return name[len("LIVE."):] if name.upper().startswith("LIVE.") else name


def __getattr__(name: str) -> Any:
    raise dp.not_here("dlt", name, __all__)
