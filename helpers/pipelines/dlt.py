"""``import dlt``: the names that declarative pipelines had as Delta Live Tables; each is its successor in :mod:`dp`."""

from __future__ import annotations

from typing import Any

from helpers.pipelines import dp
from helpers.pipelines.dp import (
    append_flow,
    create_auto_cdc_flow,
    create_streaming_table,
    expect,
    expect_all,
    expect_all_or_drop,
    expect_all_or_fail,
    expect_or_drop,
    expect_or_fail,
    table,
)

apply_changes = create_auto_cdc_flow
view = dp.temporary_view
create_target_table = create_streaming_live_table = create_streaming_table
create_table, create_view = table, view

__all__ = ["append_flow", "apply_changes", "create_auto_cdc_flow", "create_streaming_live_table",
           "create_streaming_table", "create_table", "create_target_table", "create_view", "expect", "expect_all",
           "expect_all_or_drop", "expect_all_or_fail", "expect_or_drop", "expect_or_fail", "table", "view"]


def __getattr__(name: str) -> Any:
    raise dp.not_here("dlt", name, __all__)
