"""What a person sees of a run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from rich.console import Console, RenderableType

from helpers.jobs import summary, task_table
from helpers.jobs.attempt import PROGRESS, doing
from helpers.jobs.live import live_view, report_of
from helpers.jobs.record import Run, State, TaskRun

VALID_ID = {
    "name": "valid_id", "dataset": "bronze_sales", "passed_records": 990, "failed_records": 10, "action": "drop"
}  # fmt: skip
DATASETS = [
    {"name": "bronze_sales", "kind": "STREAMING_TABLE", "layer": "bronze", "status": "COMPLETED", "rows_read": 1000,
     "num_output_rows": 990, "dropped_records": 10, "expectations": [VALID_ID]},
    {"name": "bronze_products", "kind": "STREAMING_TABLE", "layer": "bronze", "status": "RUNNING", "rows_read": 234,
     "num_output_rows": 234, "dropped_records": 0, "expectations": []},
    {"name": "gold_sales", "kind": "MATERIALIZED_VIEW", "layer": "gold", "status": "EXCLUDED", "rows_read": None,
     "num_output_rows": None, "dropped_records": 0, "expectations": []},
]  # fmt: skip
BRONZE = TaskRun(
    2, "bronze", 0, "pipeline", State("TERMINATED", "SUCCESS"), start_time=1000, end_time=3500,
    update={"datasets": DATASETS},
)  # fmt: skip
REPORT = TaskRun(
    3, "report", 0, "notebook", State("TERMINATED", "SUCCESS"), ("bronze",), 3500, 4000, exit_value="/w/report.html"
)
RUN = Run(1, 7, "retail", State("TERMINATED", "SUCCESS"), 1000, {}, 4000, tasks=(BRONZE, REPORT))


def text(shown: RenderableType) -> str:
    console = Console(width=160, record=True, file=Path("/dev/null").open("w"))  # noqa: SIM115
    console.print(shown)
    return console.export_text()


def rows(shown: RenderableType) -> list[list[str]]:
    lines = [line for line in text(shown).splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_the_table_has_a_line_a_task_with_state_attempt_and_seconds():
    assert rows(task_table(RUN)) == [
        ["bronze", "pipeline", "SUCCESS", "1", "2.5", ""],
        ["report", "notebook", "SUCCESS", "1", "0.5", "/w/report.html"],
    ]


def test_a_task_that_runs_shows_the_seconds_so_far_and_what_it_does():
    running = replace(BRONZE, state=State("RUNNING"), end_time=None, update=None)
    table = task_table(replace(RUN, tasks=(running,)), now_ms=2200, now_doing={"bronze": "1 datasets done"})
    assert rows(table) == [["bronze", "pipeline", "RUNNING", "1", "1.2", "1 datasets done"]]


def test_only_the_last_attempt_of_a_task_is_in_the_table():
    failed = replace(BRONZE, state=State("TERMINATED", "FAILED"), error="boom")
    again = replace(BRONZE, run_id=4, attempt_number=1)
    assert [row[3] for row in rows(task_table(replace(RUN, tasks=(failed, again))))] == ["2"]


def test_a_task_that_never_ran_shows_no_attempt():
    state = State("TERMINATED", "EXCLUDED", "did not run: large is false, not true")
    left_out = replace(BRONZE, state=state, start_time=None, end_time=None)
    run = replace(RUN, tasks=(left_out,))
    assert [row[3] for row in rows(task_table(run))] == [""]
    console = Console(width=60, record=True, file=Path("/dev/null").open("w"), force_terminal=False)  # noqa: SIM115
    with live_view(console) as watch:
        watch(run, {"type": "task_ended", "task_key": "bronze", "run_id": 2})
    assert console.export_text().endswith("bronze: EXCLUDED: did not run: large is false, not true\n")


def test_square_brackets_in_an_error_are_shown_as_they_are():
    failed = replace(BRONZE, error="[TABLE_OR_VIEW_NOT_FOUND] no [red]table[/]")
    assert "[TABLE_OR_VIEW_NOT_FOUND] no [red]table[/]" in text(task_table(replace(RUN, tasks=(failed,))))


def test_the_summary_has_the_rows_of_each_layer_and_each_expectations_counts():
    shown = rows(summary(RUN))
    assert ["bronze", "1,234", "10", "1,224"] in shown
    assert ["bronze_sales", "valid_id", "drop", "990", "10"] in shown
    assert not any(row[0] == "gold" for row in shown)


def test_the_summary_says_where_the_report_is_what_is_ignored_and_which_mail_failed():
    told = {"event": "on_failure", "recipients": ["a@x"], "where": None, "error": "no server"}
    ignored = {"path": "queue", "why": "it is skipped"}
    reported = replace(REPORT, values={"report": "/w/report.html"})
    run = replace(
        RUN, tasks=(BRONZE, reported), ignored=(ignored,), notifications=(told,), warnings=("line 3 is damaged",)
    )
    lines = text(summary(run)).splitlines()
    assert "report: /w/report.html" in lines
    assert "ignored here: queue: it is skipped" in lines
    assert "mail not delivered: no server" in lines
    assert "line 3 is damaged" in lines


def test_only_a_task_value_named_report_says_where_the_report_is():
    valued = replace(BRONZE, values={"report": "/w/other.html"})
    assert report_of(replace(RUN, tasks=(valued, REPORT))) == "/w/other.html"
    assert report_of(replace(RUN, tasks=(BRONZE,))) is None


def test_without_a_terminal_each_change_is_one_line():
    console = Console(width=60, record=True, file=Path("/dev/null").open("w"), force_terminal=False)  # noqa: SIM115
    long = replace(BRONZE, state=State("TERMINATED", "FAILED"), error="ValueError: " + "long " * 30)
    with live_view(console) as watch:
        watch(RUN, {"type": "run_started"})
        watch(replace(RUN, tasks=(long,)), {"type": "task_ended", "task_key": "bronze", "run_id": 2})
        watch(RUN, {"type": "notified", "event": "on_start", "recipients": ["a@x"], "where": "/o/1.eml", "error": None})
    lines = console.export_text().splitlines()
    assert len(lines) == 3
    assert "bronze: FAILED, attempt 1, 2.5 s: ValueError: long" in lines[1]
    assert lines[2].endswith("mail on_start to a@x: /o/1.eml")


def test_in_a_terminal_the_table_is_drawn_again_with_each_change(tmp_path):
    running = replace(BRONZE, state=State("RUNNING"), end_time=None, update=None)
    with (tmp_path / "screen").open("w") as screen:
        console = Console(width=100, file=screen, force_terminal=True, force_interactive=True)
        with live_view(console) as watch:
            watch(replace(RUN, tasks=(running,)), {"type": "task_started"})
            watch(RUN, {"type": "task_ended"})
    first, _, then = (tmp_path / "screen").read_text().partition("SUCCESS")
    assert "retail · run 1" in first
    assert "RUNNING" in first
    assert "RUNNING" not in then


def test_what_a_task_does_comes_from_the_last_whole_line_of_its_progress(tmp_path):
    assert doing(tmp_path) == ""
    (tmp_path / PROGRESS).write_text('{"message": "a.ipynb: cell 1"}\n{"message": "a.ipynb: cell 2"}\n{"mess')
    assert doing(tmp_path) == "a.ipynb: cell 2"
    (tmp_path / PROGRESS).write_text(json.dumps({"datasets": DATASETS}) + "\n")
    assert doing(tmp_path) == "1 dataset done, now bronze_products"


def test_a_name_in_brackets_is_shown_as_it_is():
    for name in ("[dev alice] retail", "sales [/eu]"):
        assert name in text(task_table(replace(RUN, run_name=name)))
