"""What the charts take: the JSON of a run and of a pipeline update, and pandas frames with the columns named here."""

from typing import TypedDict

import pandas as pd

from helpers.errors import LakeprepError


class ChartInputError(LakeprepError):
    """A table lacks a column that its chart needs."""


class ExpectationDict(TypedDict, total=False):
    """One expectation of a dataset and its counts in this update."""

    name: str
    dataset: str
    passed_records: int
    failed_records: int
    action: str  # warn, drop or fail


class DatasetDict(TypedDict, total=False):
    """One dataset of an update, as `helpers.pipelines` reports it."""

    name: str
    kind: str  # STREAMING_TABLE, MATERIALIZED_VIEW, VIEW or SOURCE
    inputs: list[str]
    status: str
    rows_read: int | None
    num_output_rows: int | None
    num_upserted_rows: int | None
    num_deleted_rows: int | None
    dropped_records: int
    expectations: list[ExpectationDict]
    seconds: float
    error: str | None
    layer: str | None


class UpdateDict(TypedDict, total=False):
    """One update of a pipeline, finished or under way."""

    pipeline_name: str
    update_id: str
    state: str
    started_ms: int
    ended_ms: int | None
    datasets: list[DatasetDict]
    error: str | None


class StateDict(TypedDict, total=False):
    """The state of a run or a task run, named as in the Jobs API."""

    life_cycle_state: str
    result_state: str | None
    state_message: str | None


class IterationDict(TypedDict, total=False):
    """One attempt of one iteration of a for-each task; `iteration` counts from 0."""

    iteration: int
    attempt_number: int
    state: StateDict


class TaskRunDict(TypedDict, total=False):
    """One attempt of one task; times are epoch milliseconds, `outcome` is what a condition task decided."""

    run_id: int
    task_key: str
    type: str
    attempt_number: int
    depends_on: list[str]
    start_time: int | None
    end_time: int | None
    state: StateDict
    error: str | None
    outcome: str | None
    iterations: list[IterationDict]


class RepairDict(TypedDict, total=False):
    """The original run (`type` is ORIGINAL) or one repair of it (REPAIR), with the task runs that ran in it."""

    type: str
    start_time: int
    end_time: int | None
    task_run_ids: list[int]


class RunDict(TypedDict, total=False):
    """One run of a job with every attempt of every task; times are epoch milliseconds, `queue_duration` is in them."""

    run_id: int
    job_id: int
    run_name: str
    start_time: int | None
    end_time: int | None
    state: StateDict
    tasks: list[TaskRunDict]
    queue_duration: int | None
    repair_history: list[RepairDict]


class UsageDict(TypedDict, total=False):
    """What the Spark server used at one moment, as `helpers.runtime.usage` samples it."""

    time: int  # epoch milliseconds
    cpu: float  # processor cores that it kept busy since the sample before
    memory: int  # bytes, its Python workers included
    cores: int  # of the machine
    total: int  # bytes of the machine
    shuffle_written: int  # bytes since the sample before, as are the next two
    shuffle_read: int
    spilled: int  # to disk


COLUMNS = {
    "gold_revenue_by_department": ("department", "revenue", "baskets", "products", "quantity"),
    "gold_revenue_by_category": ("department", "category", "revenue", "quantity"),
    "gold_revenue_by_price_tier": ("price_tier", "revenue", "quantity", "products"),
    "gold_revenue_by_day": ("day", "revenue", "baskets", "quantity"),
    "gold_revenue_by_hour": ("hour", "revenue", "products", "baskets"),
    "gold_quality_by_category": ("department", "category", "records", "valid_records", "valid_share"),
}


RUN_THE_JOB = "Run the job, so that the gold tables have rows: python3 -m helpers run"


def checked(frame: pd.DataFrame, table: str) -> pd.DataFrame:
    """Return the columns that a gold table promises; an empty frame may come without any.

    Raises `ChartInputError`, which names the table and the missing columns.
    """
    wanted = list(COLUMNS[table])
    if frame.empty:
        return pd.DataFrame(columns=wanted)
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        found = ", ".join(map(str, frame.columns)) or "none"
        raise ChartInputError(
            f"{table} has no column {', '.join(missing)}; it has {found}. Select the columns of {table} and draw again."
        )
    return frame[wanted]


def state_word(state: StateDict | None) -> str:
    """Return the one word that tells a run's state: its result once it has one, else where it is in its life."""
    found = state or {}
    return found.get("result_state") or found.get("life_cycle_state") or "PENDING"


def layer_of(dataset: DatasetDict) -> str:
    """Return the layer a dataset says it is in, or the first word of its name when that is a medallion layer."""
    if dataset.get("layer"):
        return str(dataset["layer"])
    head = str(dataset.get("name", "")).rsplit(".", 1)[-1].split("_", 1)[0].lower()
    if head in {"bronze", "silver", "gold"}:
        return head
    return "sources" if dataset.get("kind") == "SOURCE" else "other"
