"""How many rows an update will go through: for few, Spark is told to write and compile no Java for its queries.

Nobody knows beforehand what a stream will find, so the guess is what each flow went through the last time that it ran.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache

from helpers.pipelines import table_log
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.graph import Flow
from helpers.pipelines.home import PipelineHome, read_state, write_atomically
from helpers.pipelines.plan import Plan
from helpers.pipelines.report import UpdateReport

#: Rows of one flow. At 25,000 compiling takes a fifth of a warm update's time and gives nothing back that is seen;
#: where it begins to pay was not measured.
FEW = 100_000
#: What is set for few rows.
FOR_FEW = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}
_FILE = "_rows.json"


def configuration(home: PipelineHome, plan: Plan, *, own: Mapping[str, str]) -> Mapping[str, str]:
    """What the session is to be set to while this plan runs, beside the pipeline's ``own`` configuration."""
    known = _remembered(home)
    # A full refresh reads everything again, of which nobody knows how much it is.
    if plan.selection.full or any(known.get(flow.name, FEW + 1) > FEW for flow in _flows(plan)):
        return {}
    return {key: value for key, value in FOR_FEW.items() if key not in own}


def remember(home: PipelineHome, plan: Plan, report: UpdateReport, catalog: Catalog) -> None:
    """Note how many rows the flows that ran would go through if they ran again."""
    ran = [flow for flow in _flows(plan) if report.dataset(flow.target).status == "COMPLETED"]
    if not ran:
        return

    @cache
    def count(table: str) -> int | None:
        return table_log.row_count(catalog.location(table))

    now = {flow.name: _rows(plan, report, flow, count) for flow in ran}
    known = {name: rows for name, rows in {**_remembered(home), **now}.items() if rows is not None}
    with suppress(OSError):  # then the next update knows nothing, and compiles
        write_atomically(home.root / _FILE, json.dumps(known))


def _flows(plan: Plan) -> list[Flow]:
    needed = set(plan.needed)
    return [flow for flow in plan.definitions.flows
            if flow.target in needed and plan.definitions.datasets[flow.target].kind != "VIEW"]


def _rows(plan: Plan, report: UpdateReport, flow: Flow, count: Callable[[str], int | None]) -> int | None:
    """The new rows of a stream, and all rows of the tables that a flow reads as a whole; None where one is unknown."""
    streaming = any(plan.reads[below.name].streaming for below in plan.flows_below(flow))
    if not streaming and plan.base_tables(flow) is None:
        return None  # files, which nobody has counted
    counts = [count(table) for table in plan.tables_read_whole(flow)]
    counts += [report.dataset(flow.target).rows_read] if streaming else []
    counts += [count(flow.target)] if flow.changes else []  # changes are merged into all that is there
    return None if None in counts else sum(rows for rows in counts if rows is not None)


def _remembered(home: PipelineHome) -> dict[str, int]:
    found = read_state(home.root / _FILE) or {}
    return {name: rows for name, rows in found.items() if isinstance(rows, int)}
