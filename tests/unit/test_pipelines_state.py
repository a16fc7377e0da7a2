"""The report, the board that threads share, the event log's file, and the folder: all without Spark."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections import namedtuple
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from deltalake import DeltaTable, write_deltalake

from helpers.pipelines import DatasetReport, ExpectationCount, UpdateReport, once, table_log, tables
from helpers.pipelines.errors import InvalidDataset, StateUnusable, explained, may_recover
from helpers.pipelines.event_log import EventLog, flush, table_name
from helpers.pipelines.expectations import Counts, violation
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.report import combined, from_dict, merged
from helpers.pipelines.state import Board, quality
from helpers.sql import Expectation


def report(*datasets: DatasetReport, **values: Any) -> UpdateReport:
    return UpdateReport(
        **{
            "pipeline_id": "p",
            "pipeline_name": "retail",
            "update_id": "u",
            "state": "COMPLETED",
            "cause": "JOB_TASK",
            "full_refresh": False,
            "started_ms": 1,
            "ended_ms": 2,
            "datasets": datasets,
            **values,
        }
    )


def dataset(name: str, status: str, rows: int | None, **values: Any) -> DatasetReport:
    counts = (ExpectationCount("r", name, rows, 1, "drop"),) if rows else ()
    return DatasetReport(
        **{
            "name": name,
            "kind": "STREAMING_TABLE",
            "status": status,
            "rows_read": rows,
            "seconds": 1.0,
            "num_output_rows": rows,
            "dropped_records": 1,
            "expectations": counts,
            **values,
        }
    )


def test_a_report_survives_json() -> None:
    one = report(dataset("t", "COMPLETED", 3, inputs=("s",)), notes=("a note",))
    assert from_dict(json.loads(json.dumps(one.as_dict()))) == one


def test_an_update_that_a_schema_change_restarted_is_one() -> None:
    first = report(
        dataset("t", "FAILED", 3, error="new column"),
        dataset("done", "COMPLETED", 5),
        dataset("m", "COMPLETED", 7, kind="MATERIALIZED_VIEW"),
        full_refresh=True,
        state="FAILED",
        notes=("n",),
    )
    second = report(
        dataset("t", "COMPLETED", 4),
        dataset("done", "IDLE", 0, dropped_records=0),
        dataset("m", "COMPLETED", 8, kind="MATERIALIZED_VIEW"),
        cause="SCHEMA_CHANGE",
        started_ms=5,
        ended_ms=6,
    )
    both = merged([first, second])
    assert (both.state, both.cause, both.full_refresh, both.started_ms, both.ended_ms) == (
        "COMPLETED",
        "JOB_TASK",
        True,
        1,
        6,
    )
    t, done, m = both.datasets
    assert (t.status, t.num_output_rows, t.dropped_records, t.seconds, t.error) == ("COMPLETED", 7, 2, 2.0, None)
    assert t.expectations == (ExpectationCount("r", "t", 7, 2, "drop"),)
    assert (done.status, done.num_output_rows) == ("COMPLETED", 5)
    assert (m.num_output_rows, m.expectations[0].passed_records) == (8, 8)
    assert both.notes == ("n",)


def test_selected_refreshes_make_one_picture() -> None:
    bronze = report(dataset("bronze", "COMPLETED", 3), dataset("gold", "EXCLUDED", None))
    gold = report(dataset("bronze", "EXCLUDED", None), dataset("gold", "COMPLETED", 1), started_ms=9, ended_ms=10)
    both = combined([bronze, gold])
    assert [(each.name, each.status, each.num_output_rows) for each in both.datasets] == [
        ("bronze", "COMPLETED", 3),
        ("gold", "COMPLETED", 1),
    ]
    assert (both.started_ms, both.ended_ms) == (1, 10)


RULES = (Expectation("positive", "a > 0", "drop"), Expectation("known", "b > 0", "warn"))


def test_counts_of_many_threads_add_up_and_every_change_is_shown() -> None:
    shown: list[int] = []
    board = Board(
        report(DatasetReport("t", "STREAMING_TABLE")), lambda now: shown.append(now.datasets[0].rows_read or 0)
    )

    def work() -> None:
        for _ in range(50):
            board.add("t", rows_read=10, counts=Counts(rows=10, kept=8, failed=(2, 3)), rules=RULES)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t = board.report.dataset("t")
    assert (t.rows_read, t.num_output_rows, t.dropped_records) == (4000, 3200, 800)
    assert [(count.passed_records, count.failed_records) for count in t.expectations] == [(3200, 800), (2800, 1200)]
    assert shown == sorted(shown)
    assert shown[-1] == 4000
    assert len(shown) == 400


def test_a_display_that_breaks_does_not_end_the_update() -> None:
    def broken(_: UpdateReport) -> None:
        raise RuntimeError("no screen")

    board = Board(report(DatasetReport("t", "VIEW")), broken)
    with pytest.warns(UserWarning, match="no longer shown: RuntimeError: no screen"):
        board.set("t", status="RUNNING")
    assert board.set("t", status="COMPLETED").status == "COMPLETED"


def test_data_quality_has_the_event_logs_shape() -> None:
    counts = Counts(rows=5, kept=4, failed=(1, 2)).by_expectation(RULES, "t")
    assert quality(counts, 1) == {
        "dropped_records": 1,
        "expectations": [
            {"name": "positive", "dataset": "t", "passed_records": 4, "failed_records": 1},
            {"name": "known", "dataset": "t", "passed_records": 3, "failed_records": 2},
        ],
    }


@pytest.fixture
def log(tmp_path: Path) -> EventLog:
    return EventLog(tmp_path, "p-1", "retail", "update-1", clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def lines(log: EventLog) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (log.folder / "update-1.jsonl").read_text().splitlines()]


def test_a_micro_batch_that_is_told_twice_is_one_event(log: EventLog) -> None:
    heard: list[Any] = []
    log.listener = heard.append
    for number in (0, 0, 1):
        log.emit("flow_progress", "wrote", {"status": "RUNNING"}, flow="f", dataset="t", batch=number, level="METRICS")
    for _ in range(2):
        log.emit("flow_progress", "is RUNNING", {"status": "RUNNING"}, flow="f", dataset="t")
    events = lines(log)
    assert [event["origin"].get("batch_id") for event in events] == [0, 1, None, None]
    assert len({event["id"] for event in events}) == 4
    assert heard == events


def test_an_event_has_databricks_columns(log: EventLog) -> None:
    log.emit(
        "flow_progress", "failed", {"status": "FAILED"}, flow="f", dataset="t", level="ERROR", error=ValueError("why")
    )
    (event,) = lines(log)
    assert set(event) == {
        "id",
        "sequence",
        "origin",
        "timestamp",
        "message",
        "level",
        "maturity_level",
        "error",
        "details",
        "event_type",
    }
    assert json.loads(event["details"]) == {"flow_progress": {"status": "FAILED"}}
    assert event["timestamp"] == "2026-01-02T03:04:05.000+00:00"
    assert event["error"]["exceptions"] == [{"class_name": "ValueError", "message": "why"}]
    assert event["origin"]["flow_name"] == "f"


class FakeSpark:
    """Keeps the lines that would be written; fails while ``broken``."""

    def __init__(self) -> None:
        self.broken, self.written = False, list[list[str]]()


def test_events_of_a_killed_update_are_brought_once_without_its_torn_line(
    log: EventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    spark = FakeSpark()

    def write(fake: FakeSpark, found: list[str], table: str, catalog: None, *, update: str) -> None:
        if fake.broken:
            raise RuntimeError("[SOME_CONDITION] the table is gone")
        assert (table, update) == ("event_log_p_1", "update-1")
        fake.written.append(found)

    monkeypatch.setattr("helpers.pipelines.event_log._write", write)
    log.emit("update_progress", "is RUNNING", {"state": "RUNNING"})
    path = log.folder / "update-1.jsonl"
    with path.open("a") as file:
        file.write('{"id": "to')
    spark.broken = True
    with pytest.raises(StateUnusable, match=r"event_log_p_1.*the table is gone.*The events wait in .*update-1\.jsonl"):
        flush(spark, log.folder, "p-1", None)
    spark.broken = False
    for _ in range(2):
        flush(spark, log.folder, "p-1", None)
    assert [[json.loads(line)["message"] for line in found] for found in spark.written] == [
        ["is RUNNING", "Update update-1 was cut off: the counts of its last micro-batches may be incomplete."]
    ]
    assert json.loads(json.loads(spark.written[0][1])["details"]) == {
        "update_progress": {"state": "FAILED", "incomplete": True}
    }
    assert table_name("p-1") == "event_log_p_1"


def test_a_transactions_number_grows_even_when_it_was_lost(tmp_path: Path) -> None:
    home = PipelineHome(tmp_path)
    first = home.next_number(1000)
    assert home.next_number(900) == first + 1
    (tmp_path / "_number").write_text("torn")
    assert home.next_number(2000) == 2000


def test_a_reset_is_noted_before_anything_is_forgotten(tmp_path: Path) -> None:
    home = PipelineHome(tmp_path)
    for table in ("t", "u"):
        home.checkpoint(table, "f").mkdir(parents=True)
    home.begin_reset("t")
    assert home.to_reset() == ("t",)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("_")] == ["u"]
    home.forget_started("u")
    assert home.checkpoint("u", "f").is_dir()
    (home.checkpoint("u", "f") / "metadata").touch()
    home.forget_started("u")
    assert not home.checkpoint("u", "f").exists()
    home.end_reset("t")
    assert home.to_reset() == ()


def test_a_violation_is_found_in_the_text_around_it() -> None:
    message = (
        "[EXPECTATION_VIOLATION.VERBOSITY_ALL] Flow 'f' failed to meet the expectation. "
        "Violated expectations: 'a', 'b'. "
        'Output record: {"n":-1,"v":"} (end"}'
    )
    plan = (
        "raise_error(concat([EXPECTATION_VIOLATION.VERBOSITY_ALL] Flow 'f' failed, "
        "'. Output record: , to_json(struct(n))))"
    )
    around = (
        f"[STREAM_FAILED] Query [id = 1] terminated: {message} (end of record) SQLSTATE: P0001\n=== Plan ===\n{plan}"
    )
    assert violation(around) == message
    assert violation(plan) is None
    assert violation("[DIVIDE_BY_ZERO] no") is None


def test_a_stream_error_is_one_line_with_a_next_step() -> None:
    text = (
        "[STREAM_FAILED] Query [id = 1, runId = 2] terminated with exception: [DELTA_SOURCE_TABLE_IGNORE_CHANGES] "
        "Detected a data update. SQLSTATE: XXKST\n=== Streaming Query ===\nplan"
    )
    assert explained(RuntimeError(text), target="silver") == (
        "[DELTA_SOURCE_TABLE_IGNORE_CHANGES] Detected a data update. A stream reads rows that were added; this source "
        "had rows changed or deleted. Pass over such commits with WITH (SKIPCHANGECOMMITS) after the table (Python: "
        '.option("skipChangeCommits", "true")), or run a full refresh of \'silver\'.'
    )


def test_a_one_time_flow_keeps_its_number_until_a_full_refresh_forgets_it(tmp_path: Path) -> None:
    home = PipelineHome(tmp_path)
    checkpoint = home.checkpoint("t", "f")
    assert (once.was_run(checkpoint), once.turn(checkpoint, 5)) == (False, 5)
    # Cut off before it was noted: the same number makes Delta drop what it has.
    assert (once.was_run(checkpoint), once.turn(checkpoint, 8)) == (False, 5)
    once.note_run(checkpoint, 5)
    assert once.was_run(checkpoint)
    home.forget_started("t")  # its table was dropped
    assert (once.was_run(checkpoint), once.turn(checkpoint, 9)) == (False, 9)


def test_a_tables_own_log_tells_its_newest_commit(tmp_path: Path) -> None:
    log = tmp_path / "_delta_log"
    log.mkdir()
    commits = [{"commitInfo": {"timestamp": 1}}, {"commitInfo": {"userMetadata": '{"a": 1}', "inCommitTimestamp": 7}}]
    for number, commit in enumerate(commits):
        (log / f"{number:020}.json").write_text(json.dumps({"protocol": {}}) + "\n" + json.dumps(commit))
    (log / "00000000000000000009.checkpoint.parquet").touch()
    found = tables.version(None, "t", folder=f"file:{tmp_path}")
    assert found is not None
    assert (found.mark[:2], found.mark[-10:], found.metadata) == ("1@", ":00.007000", {"a": 1})
    assert tables.version(None, "t", folder=str(tmp_path / "gone")) is None  # then Spark is asked


def test_only_what_may_pass_is_tried_again() -> None:
    assert may_recover(RuntimeError("[DELTA_CONCURRENT_APPEND] Files were added"))
    assert not may_recover(RuntimeError("[DIVIDE_BY_ZERO] Division by zero"))
    assert not may_recover(InvalidDataset("[DELTA_CONCURRENT_APPEND] said by us"))


def test_a_tables_own_log_tells_its_rows(tmp_path: Path) -> None:
    folder = str(tmp_path / "t")
    for rows in ([1, 2, 3], [4]):
        write_deltalake(folder, pyarrow.table({"a": rows}), mode="append")
    assert table_log.row_count(f"file:{folder}") == 4
    DeltaTable(folder).delete("a = 2")
    assert table_log.row_count(folder) == 3
    # Then Spark is asked: there is no such table, it is elsewhere, or its log does not tell the rows of a file.
    assert table_log.row_count(str(tmp_path / "gone")) is None
    assert table_log.row_count("s3://bucket/t") is None
    assert table_log.row_count(None) is None
    newest = max((tmp_path / "t" / "_delta_log").glob("*.json"))
    newest.write_text(re.sub(r',"stats":"(\\.|[^"])*"', "", newest.read_text()))
    assert table_log.row_count(folder) is None


def test_a_tables_own_log_tells_its_protocol_as_a_property(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path / "t"), pyarrow.table({"a": [1]}), configuration={"delta.appendOnly": "true"})
    found = tables._from_log(str(tmp_path / "t"))
    assert found is not None
    versions = {"delta.minReaderVersion": "1", "delta.minWriterVersion": "2"}
    assert found.properties == {"delta.appendOnly": "true", **versions}
    assert found.schema.simpleString() == "struct<a:bigint>"


def test_where_there_is_no_deltalake_spark_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_deltalake(str(tmp_path / "t"), pyarrow.table({"a": [1]}))
    monkeypatch.setitem(sys.modules, "deltalake", None)
    for place in (str(tmp_path / "t"), "dbfs:/t", None):
        assert (table_log.row_count(place), tables._from_log(place)) == (None, None)


def test_a_described_table_tells_its_partitions_and_details_whatever_its_columns_are_called() -> None:
    Row = namedtuple("Row", "col_name data_type comment")
    columns = [Row("# Detailed Table Information", "int", None), Row("Location", "string", None)]
    details = [Row("", "", ""), Row("# Detailed Table Information", "", ""), Row("Type", "MANAGED", ""),
               Row("Location", "file:/t", "")]
    parts = [Row("# Partition Information", "", ""), Row("# col_name", "data_type", "comment"),
             Row("day", "date", None), Row("`a b`", "int", None)]
    assert tables._described([*columns, *details]) == ((), {"Type": "MANAGED", "Location": "file:/t"})
    assert tables._described([*columns, *parts, *details])[0] == ("day", "`a b`")
    assert tables._described(columns) == ((), {})  # a temporary view
