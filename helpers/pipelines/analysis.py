"""One flow's DataFrame, analysed: its columns, its expectations, and what its target declares."""

from __future__ import annotations

from typing import Any

from helpers.pipelines import expectations, frames, tables
from helpers.pipelines.building import Building
from helpers.pipelines.change_rows import change_rows, target_schema
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.graph import Dataset, Flow


def analysed(spark: Any, dataset: Dataset, flow: Flow, building: Building) -> tuple[Any, Any]:
    """The flow's DataFrame, and the columns that it gives the dataset; what is wrong with them is raised."""
    try:
        frame = tables.named(dataset, frames.build(flow, spark, building))
        if flow.changes:
            frame = change_rows(flow, frame)
        schema = target_schema(flow, frame) if flow.changes else frame.schema
    except Exception as error:
        raise frames.failure(error, flow, "cannot be analysed") from error
    if dataset.expectations:
        _check_expectations(dataset, flow, frame)
    tables.check_declared(spark, dataset, schema, whole=flow.name == dataset.name)
    return frame, schema


def _check_expectations(dataset: Dataset, flow: Flow, frame: Any) -> None:
    rules = dataset.expectations
    try:
        schema = frame.agg(*expectations.metrics(rules), *expectations.answers(rules)).schema
    except Exception as error:
        raise frames.failure(error, flow, "has an expectation that cannot be analysed") from error
    found = expectations.not_boolean(schema, rules)
    if found:
        rule, kind = found
        raise InvalidDataset(f"{dataset.defined_at}: the condition of the expectation '{rule.name}' of "
                             f"'{dataset.name}' gives {kind}, and must be true or false. Write a comparison.")
