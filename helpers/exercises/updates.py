"""What checks look at after an update: its report, and the event log of its pipeline."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from helpers import looking
from helpers.pipelines.event_log import table_name


def problems_of_update(answer: Any) -> list[str]:
    """Whether the answer is the report of an update that went well."""
    if not hasattr(answer, "datasets"):
        return [f"`update` is a {type(answer).__name__}, expected what `retail.update()` gives back."]
    return [f"The update failed: {answer.error}"] if answer.error else []


def problems_of_table(report: Any, name: str, kind: str, why: str) -> list[str]:
    """Whether the update went well and made a table of this kind; ``why`` says how it comes to be another."""
    if problems := problems_of_update(report):
        return problems
    found = {dataset.name: dataset.kind for dataset in report.datasets}.get(name)
    if found is None:
        return [f"The update knows no `{name}`. Was it defined in `retail`, by exactly this name, before the update?"]
    words = {"STREAMING_TABLE": "streaming table", "MATERIALIZED_VIEW": "materialized view", "VIEW": "temporary view"}
    return [] if found == kind else [f"`{name}` is a {words.get(found, found)}, expected a {words[kind]}. {why}"]


def events(lab: Any, name: str) -> list[dict[str, Any]]:
    """The event log of one of the lesson's pipelines, oldest first, with `details` as data."""
    pipeline = lab.pipeline(name)
    looking.table(lab, table_name(pipeline.pipeline_id))
    rows = pipeline.event_log().select("origin.update_id", "origin.flow_name", "details").collect()
    return [{"update_id": row["update_id"], "flow_name": row["flow_name"], "details": json.loads(row["details"])}
            for row in rows]


def rows_written(events: Iterable[dict[str, Any]]) -> dict[str, int]:
    """Rows that each streaming flow wrote, micro-batch by micro-batch."""
    rows: Counter[str] = Counter()
    for event in events:
        progress = event["details"].get("flow_progress", {})
        if progress.get("status") == "RUNNING" and "num_output_rows" in progress.get("metrics", {}):
            rows[event["flow_name"]] += progress["metrics"]["num_output_rows"]
    return dict(rows)


def protected(lab: Any, name: str) -> bool:
    """Whether a full refresh of everything leaves the table's rows where they are."""
    looking.table(lab, name)
    rows = lab.spark.sql(f"SHOW TBLPROPERTIES {name}").collect()
    return any(row["key"] == "pipelines.reset.allowed" and row["value"].lower() == "false" for row in rows)


def counted(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{flow} {number:,} rows" for flow, number in sorted(rows.items()))
