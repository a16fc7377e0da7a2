"""From a flow to its DataFrame."""

from __future__ import annotations

from typing import Any

from helpers import sql
from helpers.errors import LakeprepError
from helpers.pipelines.building import Building, run_query, while_building
from helpers.pipelines.errors import FlowFailed, InvalidDataset, explained
from helpers.pipelines.graph import Flow


def build(flow: Flow, spark: Any, building: Building) -> Any:
    """The flow's DataFrame; file sources keep their schema under ``building.state``."""
    if isinstance(flow.body, sql.Query):
        return run_query(spark, flow.body, building)
    with while_building(building):
        frame = flow.body()
    if not hasattr(type(frame), "writeTo"):
        raise InvalidDataset(f"{flow.defined_at}: the function of '{flow.name}' must return a DataFrame, "
                             f"not {type(frame).__name__}. Return the query; the pipeline writes it.")
    return frame


def failure(error: BaseException, flow: Flow, what: str) -> LakeprepError:
    """An error as one sentence that names the flow; ``what``: "cannot be analysed", or "failed"."""
    if isinstance(error, LakeprepError):
        return error
    return FlowFailed(f"{flow.defined_at}: '{flow.name}' {what}: {explained(error, target=flow.target)}")
