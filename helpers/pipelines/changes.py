"""The change table behind an AUTO CDC target: ``__apply_changes_storage_<target>``, a Delta table in the same schema.

A flow's stream appends to it, exactly once. Then one MERGE brings the target up to it (:mod:`helpers.pipelines.cdc`),
and ``_applied.json`` beside the flows' checkpoints says up to which version. Killed in between, the next update
applies what is left; killed after the MERGE, it applies the same again, which changes nothing. A full refresh empties
both tables and forgets the file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers.pipelines import cdc, leftovers, tables
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.cdc import OPERATION, UPSERT, Field, Span, Target
from helpers.pipelines.change_rows import comparable, packed, rules_of, stored_schema
from helpers.pipelines.errors import FlowFailed, InvalidDataset
from helpers.pipelines.flows import StreamTask
from helpers.pipelines.graph import Dataset, Flow
from helpers.pipelines.home import read_state, write_atomically
from helpers.pipelines.names import quoted

_RULES = "lakeprep.autoCdc"
#: Change rows are looked up by commit, so commits are kept; there are a few of them an update.
_PROPERTIES = {"delta.enableChangeDataFeed": "true", "delta.logRetentionDuration": "interval 3650 days"}
#: A flow and its change rows; None where a snapshot of a table that is there tells them later.
Changing = tuple[Flow, Any]


@dataclass(frozen=True)
class Applied:
    """What a MERGE did to the target's rows."""

    upserted: int
    deleted: int


def table_name(target: str) -> str:
    """The change table of a target; Databricks has the same name for it in the Hive metastore."""
    return f"__apply_changes_storage_{target}"


def redirected(task: StreamTask, flow: Flow) -> StreamTask:
    """The same stream, into the change table. A rule judges upserts: a delete has no values to judge."""
    rules = tuple(replace(rule, condition=f"{OPERATION} <> '{UPSERT}' OR ({rule.condition})") for rule in task.rules)
    return replace(task, target=table_name(task.target), rules=rules, pack=lambda rows: packed(flow, rows))


def create(spark: Any, dataset: Dataset, flows: Sequence[Changing], *, pipeline_id: str, catalog: Catalog) -> None:
    """Make the change table, or empty it."""
    own = _own(dataset)
    tables.stored(spark, own, pipeline_id=pipeline_id, catalog=catalog)  # raises when it is somebody else's
    empty = spark.createDataFrame([], stored_schema(flows[0][1]))
    writer = empty.writeTo(quoted(own.name)).using("delta")
    for key, value in {tables.OWNER: pipeline_id, tables.KIND: own.kind, _RULES: _as_property(flows[0][0]),
                       **_PROPERTIES}.items():
        writer = writer.tableProperty(key, value)
    leftovers.making(writer.createOrReplace)
    catalog.made(own.name)
    tables.add_columns(spark, own.name, empty.schema, [stored_schema(rows) for _, rows in flows])


def keep_up(spark: Any, dataset: Dataset, flows: Sequence[Changing], *, pipeline_id: str, catalog: Catalog) -> None:
    """Check that the change table belongs to these flows, and give it the columns that it lacks."""
    own = _own(dataset)
    table = tables.stored(spark, own, pipeline_id=pipeline_id, catalog=catalog)
    if table is None:
        raise InvalidDataset(f"{dataset.defined_at}: '{own.name}', which keeps the changes of '{dataset.name}', does "
                             f"not exist. Run a full refresh of '{dataset.name}'.")
    flow = flows[0][0]
    if table.properties.get(_RULES) != _as_property(flow):
        raise InvalidDataset(f"{flow.defined_at}: '{flow.name}' has other KEYS, SCD TYPE, TRACK HISTORY or IGNORE NULL "
                             f"UPDATES than when '{dataset.name}' was made. Run a full refresh of '{dataset.name}'.")
    tables.add_columns(spark, own.name, table.schema, [stored_schema(rows) for _, rows in flows if rows is not None])


def _own(dataset: Dataset) -> Dataset:
    return Dataset(name=table_name(dataset.name), kind="STREAMING_TABLE", defined_at=dataset.defined_at)


def _as_property(flow: Flow) -> str:
    rules = rules_of(flow)
    track = rules.track_history
    return json.dumps({"version": 1, "keys": sorted(key.lower() for key in rules.keys), "scd_type": rules.scd_type,
                       "ignore_null_updates": rules.ignore_null_updates,
                       "track_history": track and [track.all_but, *sorted(name.lower() for name in track.names)],
                       **({"snapshots": True} if rules.snapshots else {})})


def apply(spark: Any, flow: Flow, *, schema: str, folder: Path, catalog: Catalog) -> Applied | None:
    """Bring the target up to its change table; None when it is. ``folder``: where the target's checkpoints are."""
    changes = f"{schema}.{table_name(flow.target)}"
    newest = tables.version(spark, changes, folder=catalog.location(changes))
    if newest is None:
        raise unreadable(flow, changes)
    done = read_state(folder / "_applied.json") or {}
    if done.get("mark") == newest.mark:
        return None
    upto, after = newest.number, done.get("changes")
    span = Span(after if isinstance(after, int) and after < upto else None, upto)
    row = spark.sql(cdc.merge(_target(spark, flow, f"{schema}.{flow.target}", changes), span)).collect()[0]
    write_atomically(folder / "_applied.json", json.dumps({"version": 1, "changes": upto, "mark": newest.mark}))
    return Applied(row.num_inserted_rows + row.num_updated_rows, row.num_deleted_rows)


def unreadable(flow: Flow, changes: str) -> FlowFailed:
    """The error for a change table that somebody dropped."""
    return FlowFailed(f"{flow.defined_at}: '{changes}', which keeps the changes of '{flow.target}', cannot be read. "
                      f"Run a full refresh of '{flow.target}'.")


def _target(spark: Any, flow: Flow, name: str, changes: str) -> Target:
    rules = rules_of(flow)
    shown = {field.name.lower() for field in spark.table(quoted(name)).schema.fields}
    row = spark.table(quoted(changes)).schema["row"].dataType
    fields = tuple(as_field(field) for field in row.fields if field.name.lower() in shown)
    return Target(name, changes, fields, cdc.tracked_columns(fields, rules), rules)


def as_field(field: Any) -> Field:
    """A column as the statement needs to know it."""
    inner = tuple(as_field(each) for each in getattr(field.dataType, "fields", ()))
    return Field(field.name, comparable(field.dataType), inner)
