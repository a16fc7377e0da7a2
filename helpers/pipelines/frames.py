"""From a flow to its DataFrame."""

from __future__ import annotations

from typing import Any

from helpers import sql
from helpers.errors import LakeprepError
from helpers.pipelines.building import Building, run_query, while_building
from helpers.pipelines.errors import FlowFailed, InvalidDataset, explained
from helpers.pipelines.graph import Flow
from helpers.pipelines.guard import no_actions


def build(flow: Flow, spark: Any, building: Building) -> Any:
    """The flow's DataFrame; file sources keep their schema under ``building.state``."""
    if isinstance(flow.body, sql.Query):
        return run_query(spark, flow.body, building)
    with while_building(building), no_actions(spark, flow):
        frame = flow.body()
    if not hasattr(type(frame), "writeTo"):
        raise InvalidDataset(f"{flow.defined_at}: the function of '{flow.name}' must return a DataFrame, "
                             f"not {type(frame).__name__}. Return the query; the pipeline writes it.")
    return frame


def snapshot(flow: Flow, building: Building, latest: Any) -> tuple[Any, Any] | None:
    """What the flow's function gives after the version ``latest``: a snapshot and its version, or None at the end."""
    assert flow.next_snapshot is not None
    with while_building(building):
        found = flow.next_snapshot(latest)
    if found is None or (isinstance(found, tuple) and len(found) == 2 and found[0] is None):
        return None
    if not isinstance(found, tuple) or len(found) != 2 or not hasattr(type(found[0]), "writeTo"):
        raise InvalidDataset(f"{flow.defined_at}: the snapshot function of '{flow.target}' must return (DataFrame, "
                             f"version) or None, not {found!r}.")
    return found


def failure(error: BaseException, flow: Flow, what: str) -> LakeprepError:
    """An error as one sentence that names the flow; ``what``: "cannot be analysed", or "failed"."""
    if isinstance(error, LakeprepError):
        return error
    return FlowFailed(f"{flow.defined_at}: '{flow.name}' {what}: {explained(error, target=flow.target)}")
