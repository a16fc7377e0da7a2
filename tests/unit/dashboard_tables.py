"""A small lakehouse for the dashboard's tests: Delta tables, runs and landed files, written without Spark."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from deltalake import write_deltalake

from helpers.jobs.record import RunLog
from helpers.pipelines.event_log import table_name
from helpers.runtime.places import Places
from helpers.runtime.processes import Process

PIPELINE, UPDATE = "0a1b2c3d-0000-4000-8000-000000000001", "0a1b2c3d-0000-4000-8000-0000000000aa"
DEPARTMENTS = ("GROCERY", "DRUG GM", "MEN'S; DROP TABLE silver_sales; --")
HOSTILE = (
    "O'BRIEN''S",
    "x' OR '1'='1",
    "'); DELETE FROM silver_sales; --",
    "back\\slash\\'",
    '"double" `tick`',
    "/* comment */ -- line",
    "nul\x00byte and\ttab",
    "naïve 漢字 🍎 \u202eltr",
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
    "$x$ :smile: **bold** {braces} %_",
)
CATEGORIES = ("MILK", "BREAD", *HOSTILE)
DAYS = 4
_RULES = ("household_known", "product_known", "positive_quantity", "sales_not_negative")
_MONEY, _TIME, _TEXT = pa.decimal128(10, 2), pa.timestamp("us", tz="UTC"), pa.string()
_EXCEPTION = pa.struct([("class_name", _TEXT), ("message", _TEXT)])
_ERROR = pa.struct([("fatal", pa.bool_()), ("exceptions", pa.list_(_EXCEPTION))])
_PLACE = (("department", _TEXT), ("category", _TEXT))
_SALE = (("household_id", pa.int64()), ("basket_id", pa.int64()), ("product_id", pa.int64()), ("quantity", pa.int32()),
         ("sales_value", _MONEY))  # fmt: skip
SCHEMAS = {
    "silver_sales": pa.schema([*_SALE, ("sold_at", _TIME), *_PLACE, ("unit_price", _MONEY), ("price_tier", _TEXT)]),
    "silver_transactions": pa.schema([*_SALE, ("source_file", _TEXT)]),
    "silver_quarantine": pa.schema([*_SALE[1:], ("source_file", _TEXT), ("broken_rules", pa.list_(_TEXT))]),
    "silver_products": pa.schema([("product_id", pa.int64()), *_PLACE]),
    "bronze_transactions": pa.schema([("source_file", _TEXT)]),
}


@dataclass(frozen=True)
class Written:
    """The lakehouse, and what is in it as pandas frames: `sales` has the day, `lines` are all records with `valid`."""

    places: Places
    folder: Path
    sales: pd.DataFrame
    lines: pd.DataFrame

    def add(self, table: str, rows: Sequence[dict[str, Any]], *, mode: str = "append") -> None:
        """Commit rows to a table."""
        write_deltalake(str(self.folder / table), pa.Table.from_pylist(list(rows), SCHEMAS[table]), mode=mode)


def write_lakehouse(root: Path, *, sales: int = 400) -> Written:
    """Write the tables, seeded: the same at every call."""
    dice, places = random.Random(7), Places(root)
    products = [
        {"product_id": key, "department": DEPARTMENTS[key % 3], "category": CATEGORIES[key % len(CATEGORIES)]}
        for key in range(60)
    ]
    sold = [sale(dice, products) for _ in range(sales)]
    good = [{**row, "source_file": f"{row['sold_at']:%Y-%m-%d}.json"} for row in sold]
    good += good[:9]  # copies, which silver_sales no longer has
    bad = [quarantined(dice, products) for _ in range(40)]
    lines = pd.DataFrame([{**row, "valid": True} for row in good] + [{**row, "valid": False} for row in bad])
    frame = pd.DataFrame(sold)
    frame["day"] = [moment.date() for moment in frame["sold_at"]]
    written = Written(places, places.warehouse / "retail.db", frame, _placed(lines, products))
    tables = {"silver_sales": sold, "silver_transactions": good, "silver_quarantine": bad, "silver_products": products,
              "bronze_transactions": [{"source_file": row["source_file"]} for row in (*good, *bad)]}  # fmt: skip
    for table, rows in tables.items():
        written.add(table, rows, mode="error")
    for day in range(DAYS):
        land(places, f"2017-01-0{day + 1}.json")
    return written


def sale(dice: random.Random, products: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make one row of silver_sales."""
    product, quantity = dice.choice(products), dice.choice((1, 1, 2, 6))
    price = Decimal(dice.randrange(50, 900)) / 100
    at = datetime(2017, 1, 1, tzinfo=UTC) + timedelta(days=dice.randrange(DAYS), hours=dice.randrange(6, 23))
    return {**product, "household_id": dice.randrange(9), "basket_id": dice.randrange(90), "quantity": quantity,
            "sales_value": price * quantity, "unit_price": price, "sold_at": at, "price_tier": tier(price)}  # fmt: skip


def quarantined(dice: random.Random, products: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Make one row of silver_quarantine: without a product, a quantity or a household, or with a value below zero."""
    rules = dice.sample(_RULES, dice.choice((1, 1, 2)))
    return {
        "basket_id": dice.randrange(90),
        "product_id": None if "product_known" in rules else dice.choice(products)["product_id"],
        "quantity": None if "positive_quantity" in rules else 2,
        "sales_value": Decimal("-3.00") if "sales_not_negative" in rules else Decimal(dice.randrange(100, 1900)) / 100,
        "source_file": f"2017-01-0{dice.randrange(DAYS) + 1}.json",
        "broken_rules": rules,
    }


def tier(price: Decimal) -> str:
    return "budget" if price < 2 else "standard" if price < 5 else "premium"


def _placed(lines: pd.DataFrame, products: Sequence[dict[str, Any]]) -> pd.DataFrame:
    lines = lines.drop(columns="price_tier")
    places = {row["product_id"]: row for row in products}
    nowhere = {"department": "UNKNOWN", "category": "UNKNOWN"}
    rows = list(lines.to_dict("records"))
    lines["department"] = [places.get(row["product_id"], nowhere)["department"] for row in rows]
    lines["category"] = [places.get(row["product_id"], nowhere)["category"] for row in rows]
    priced = [row["quantity"] > 0 and row["sales_value"] >= 0 for row in rows]
    lines["tier"] = [
        tier(row["sales_value"] / Decimal(int(row["quantity"]))) if known else None
        for row, known in zip(rows, priced, strict=True)
    ]
    lines["day"] = [datetime.fromisoformat(name[:10]).date() for name in lines["source_file"]]
    return lines


def land(places: Places, name: str) -> None:
    """Let a file of transactions arrive."""
    path = places.volume("retail", "landing") / "transactions" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")


def update(state: str = "COMPLETED") -> dict[str, Any]:
    """A pipeline's update as the job's record holds it."""
    counted = {"name": "positive_quantity", "dataset": "silver_transactions", "passed_records": 409,
               "failed_records": 40, "action": "drop"}  # fmt: skip
    shared = {"rows_read": 449, "dropped_records": 0, "seconds": 1.0, "error": None, "layer": None,
              "num_upserted_rows": None, "num_deleted_rows": None, "status": state}  # fmt: skip
    return {
        "pipeline_id": PIPELINE, "pipeline_name": "retail", "update_id": UPDATE, "state": state, "cause": "JOB_TASK",
        "full_refresh": False, "started_ms": 1_483_574_400_000, "ended_ms": None, "error": None, "notes": [],
        "datasets": [
            {**shared, "name": "bronze_transactions", "kind": "STREAMING_TABLE", "inputs": [], "num_output_rows": 449,
             "expectations": []},
            {**shared, "name": "silver_transactions", "kind": "STREAMING_TABLE", "inputs": ["bronze_transactions"],
             "num_output_rows": 409, "expectations": [counted]},
        ],
    }  # fmt: skip


def write_run(places: Places, run_id: int, *, result: str | None = "SUCCESS", runner: Process | None = None) -> None:
    """Write the record of a run of two tasks; without a result its second task goes on."""
    alive = runner or Process.current()
    folder = places.runs / str(run_id)
    (folder / "tasks" / "bronze_ingestion-0").mkdir(parents=True)
    tasks = [{"run_id": run_id * 10, "task_key": "setup_environment", "type": "notebook", "depends_on": []},
             {"run_id": run_id * 10 + 1, "task_key": "bronze_ingestion", "type": "pipeline",
              "depends_on": ["setup_environment"]}]  # fmt: skip
    log = RunLog(folder)
    told: list[dict[str, Any]] = [
        {"type": "run_started", "run_id": run_id, "job_id": 9, "run_name": "retail <b>job</b>", "ignored": [],
         "job_parameters": {"schema": "retail"}, "pid": alive.pid, "process_start": alive.start, "tasks": tasks}
    ]  # fmt: skip
    for place, task in enumerate(tasks):
        known = {"task_key": task["task_key"], "run_id": task["run_id"], "attempt_number": 0}
        told.append({**known, "type": "task_started", "folder": f"tasks/{task['task_key']}-0"})
        if result or not place:
            ended = {"result_state": result or "SUCCESS", "error": None, "update": update() if place else None}
            told.append({**known, **ended, "type": "task_ended"})
    if result:
        told.append({"type": "run_ended", "life_cycle_state": "TERMINATED", "result_state": result})
    for second, event in enumerate(told):
        log.add(event, now_ms=run_id + second * 1000)
    log.close()


def progress(places: Places, run_id: int, text: str) -> None:
    """Let the running task of a run tell how far its update is."""
    with (places.runs / str(run_id) / "tasks" / "bronze_ingestion-0" / "progress.jsonl").open("a") as file:
        file.write(text)


def event(number: int) -> dict[str, Any]:
    """An event of the update, as its file has it; a higher number is later."""
    dataset = "silver_transactions"
    counted = {"passed_records": 9, "failed_records": number, "name": "positive_quantity", "dataset": dataset}
    details = {"flow_progress": {"data_quality": {"dropped_records": 0, "expectations": [counted]}}}
    return {"id": f"event-{number}", "timestamp": f"2026-11-23T18:42:0{number}.000+00:00", "level": "INFO",
            "message": f"Flow number {number}", "event_type": "flow_progress", "details": json.dumps(details),
            "origin": {"update_id": UPDATE, "pipeline_id": PIPELINE, "dataset_name": dataset}}  # fmt: skip


def write_event_log(written: Written, numbers: Sequence[int], *, stopped: str = "", update: str = UPDATE) -> None:
    """Write events into the event log's table, as the end of an update does; `stopped` is why the last one failed."""
    rows: list[dict[str, Any]] = [
        {**event(one), "timestamp": datetime.fromisoformat(event(one)["timestamp"]), "error": None} for one in numbers
    ]
    for row in rows:
        row["origin"]["update_id"] = update
        row["id"] += update.removeprefix(UPDATE)
    if stopped:
        failed = {"class_name": "FlowFailed", "message": stopped}
        rows[-1] |= {"level": "ERROR", "error": {"fatal": True, "exceptions": [failed]}, "details": "{}"}
    told = pa.Table.from_pylist(rows)
    told = told.set_column(told.column_names.index("error"), "error", told["error"].cast(_ERROR))
    write_deltalake(str(written.folder / table_name(PIPELINE)), told, mode="append")
