"""What an update tells the event log of its graph before anything runs.

Imitates https://docs.databricks.com/aws/en/ldp/monitor-event-log-schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.pipelines.event_log import EventLog
from helpers.pipelines.plan import Plan


def tell_definitions(log: EventLog, plan: Plan, schemas: Mapping[str, Any]) -> None:
    """Tell of every dataset and flow; ``schemas``: the columns of the flows that were analysed."""
    for dataset in plan.definitions.datasets.values():
        is_sink = dataset.sink is not None
        details = {"format": dataset.sink.format} if dataset.sink else {"dataset_type": dataset.kind}
        log.emit("sink_definition" if is_sink else "dataset_definition",
                 f"{'Sink' if is_sink else 'Dataset'} '{dataset.name}' defined.", details, dataset=dataset.name)
    for flow in plan.definitions.flows:
        kind = "APPEND" if plan.reads[flow.name].streaming or flow.once else "COMPLETE"
        kind = ("SNAPSHOT_CHANGE" if flow.changes.snapshots else "CHANGE") if flow.changes else kind
        log.emit("flow_definition", f"Flow '{flow.name}' defined as {kind}.", {
            "input_datasets": [read.name for read in plan.reads[flow.name].inputs], "output_dataset": flow.target,
            "flow_type": kind, "schema": _columns(schemas.get(flow.name))}, flow=flow.name, dataset=flow.target)


def tell_queue(log: EventLog, plan: Plan) -> None:
    """Say of each flow whether this update runs it."""
    needed = set(plan.needed)
    for flow in plan.definitions.flows:
        status = "QUEUED" if flow.target in needed else "EXCLUDED"
        log.emit("flow_progress", f"Flow '{flow.name}' is {status}.", {"status": status}, flow=flow.name,
                 dataset=flow.target)


def _columns(schema: Any) -> list[dict[str, str]] | None:
    """The columns of a flow as the event log tells them; None where the flow was not analysed."""
    if schema is None:
        return None
    return [{"name": field.name, "data_type": field.dataType.simpleString()} for field in schema.fields]
