"""The record on disk, and the ids and locks beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import list_runs, load_run
from helpers.jobs.errors import RunRecordError
from helpers.jobs.record import EVENTS, RunLog
from helpers.jobs.registry import admission, job_id, new_run
from helpers.runtime.processes import Process


def started(process: Process, **more: Any) -> dict[str, Any]:
    tasks = [
        {"run_id": 11, "task_key": "a", "type": "notebook", "depends_on": [], "run_if": "ALL_SUCCESS"},
        {"run_id": 12, "task_key": "b", "type": "pipeline", "depends_on": ["a"], "run_if": "ALL_SUCCESS"},
    ]
    return {
        "type": "run_started", "run_id": 1, "job_id": 2, "run_name": "retail", "job_parameters": {"day": "1"},
        "pid": process.pid, "process_start": process.start, "tasks": tasks, "ignored": [], **more,
    }  # fmt: skip


def task(kind: str, key: str, number: int, run_id: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "task_key": key, "attempt_number": number, "run_id": run_id, **more}


def write(folder: Path, events: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    log = RunLog(folder)
    for now, event in enumerate(events, start=100):
        log.add(event, now_ms=now)
    log.close()


RETRIED = [
    task("task_started", "a", 0, 11, folder="tasks/a-0"),
    task("task_ended", "a", 0, 11, result_state="FAILED", error="boom"),
    task("task_waiting", "a", 1, 13, life_cycle_state="WAITING_FOR_RETRY"),
    task("task_started", "a", 1, 13, folder="tasks/a-1"),
    task("task_ended", "a", 1, 13, result_state="SUCCESS", exit_value="ok", values={"n": 1}),
    task("task_ended", "b", 0, 12, result_state="SUCCESS", update={"datasets": []}),
]
ENDED = {"type": "run_ended", "life_cycle_state": "TERMINATED", "result_state": "SUCCESS", "state_message": ""}


def test_a_record_gives_a_run_with_an_entry_for_each_attempt(tmp_path):
    write(tmp_path / "1", [started(Process.current()), *RETRIED, ENDED])
    run = load_run(tmp_path / "1")
    assert (run.run_id, run.job_id, run.run_name, run.job_parameters) == (1, 2, "retail", {"day": "1"})
    assert (run.start_time, run.end_time, run.state.result_state) == (100, 107, "SUCCESS")
    shown = [(one.task_key, one.attempt_number, one.run_id, one.state.result_state) for one in run.tasks]
    assert shown == [("a", 0, 11, "FAILED"), ("a", 1, 13, "SUCCESS"), ("b", 0, 12, "SUCCESS")]
    assert (run.tasks[0].start_time, run.tasks[0].end_time, run.tasks[0].error) == (101, 102, "boom")
    assert (run.tasks[1].exit_value, run.tasks[1].values) == ("ok", {"n": 1})
    assert (run.tasks[2].type, run.tasks[2].depends_on) == ("pipeline", ("a",))
    assert [one.run_id for one in run.latest()] == [13, 12]
    json.dumps(run.as_dict())


def test_every_line_has_its_version(tmp_path):
    write(tmp_path / "1", [started(Process.current()), ENDED])
    lines = (tmp_path / "1" / EVENTS).read_text().splitlines()
    assert [json.loads(line)["version"] for line in lines] == [1, 1]


def test_a_torn_last_line_is_reported_and_the_rest_is_kept(tmp_path):
    write(tmp_path / "1", [started(Process.current()), *RETRIED])
    file = tmp_path / "1" / EVENTS
    file.write_bytes(file.read_bytes()[:-20])
    run = load_run(tmp_path / "1")
    assert run.tasks[1].state.result_state == "SUCCESS"
    assert run.tasks[2].state.result_state is None
    assert len(run.warnings) == 1
    assert f"line 7 of {file} is damaged" in run.warnings[0]


def test_a_line_of_another_version_is_reported(tmp_path):
    write(tmp_path / "1", [started(Process.current())])
    with (tmp_path / "1" / EVENTS).open("a") as file:
        file.write(json.dumps({"version": 2, "type": "run_ended"}) + "\n")
    assert "version 2 is not 1" in load_run(tmp_path / "1").warnings[0]


def test_a_record_without_a_whole_event_says_what_to_delete(tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / EVENTS).write_text('{"ver')
    with pytest.raises(RunRecordError, match="no whole event; delete the folder"):
        load_run(tmp_path / "1")
    with pytest.raises(RunRecordError, match="there is no record in"):
        load_run(tmp_path / "2")


def test_a_run_whose_runner_is_gone_shows_as_died(tmp_path):
    gone = Process(os.getpid(), "ticks:1")
    write(tmp_path / "1", [started(gone), *RETRIED[:1]])
    run = load_run(tmp_path / "1")
    assert (run.state.life_cycle_state, run.state.result_state) == ("INTERNAL_ERROR", "FAILED")
    assert f"the runner (pid {os.getpid()}) died" in run.state.state_message
    assert [one.state.life_cycle_state for one in run.tasks] == ["INTERNAL_ERROR", "INTERNAL_ERROR"]


def test_a_run_whose_runner_lives_shows_as_running(tmp_path):
    write(tmp_path / "1", [started(Process.current()), *RETRIED[:1]])
    run = load_run(tmp_path / "1")
    assert run.state.life_cycle_state == "RUNNING"
    assert [one.state.life_cycle_state for one in run.tasks] == ["RUNNING", "BLOCKED"]


def test_runs_are_listed_newest_first_without_what_cannot_be_read(tmp_path):
    for number in (9, 10):
        write(tmp_path / str(number), [started(Process.current(), run_id=number), ENDED])
    (tmp_path / "11").mkdir()
    (tmp_path / "active").mkdir()
    assert [run.run_id for run in list_runs(tmp_path)] == [10, 9]
    assert list_runs(tmp_path / "none") == []


def test_a_definition_keeps_its_id_and_a_new_one_gets_the_next(tmp_path):
    assert [job_id(tmp_path, Path(name)) for name in ("/x", "/y", "/x", "/z")] == [1, 2, 1, 3]


def test_a_torn_line_in_the_book_of_jobs_costs_no_id(tmp_path):
    job_id(tmp_path, Path("/x"))
    with (tmp_path / "jobs.jsonl").open("a") as file:
        file.write('{"version": 1, "job_')
    assert job_id(tmp_path, Path("/y")) == 2
    assert job_id(tmp_path, Path("/y")) == 2


def test_runs_that_start_in_the_same_instant_get_ids_of_their_own(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_run(tmp_path, now_ms=1000)[0], range(40)))
    assert sorted(ids) == list(range(1000, 1040))


def test_ids_increase_when_the_clock_goes_back(tmp_path):
    assert new_run(tmp_path, now_ms=1000)[0] == 1000
    assert new_run(tmp_path, now_ms=5)[0] == 1001


def test_a_second_runner_is_not_admitted_while_the_first_lives(tmp_path):
    with admission(tmp_path, job=1, run=7, limit=1) as first:
        assert first.enter() is None
        with admission(tmp_path, job=1, run=8, limit=1) as second:
            assert second.enter() == (7, Process.current())
        with admission(tmp_path, job=2, run=9, limit=1) as other_job:
            assert other_job.enter() is None
        with admission(tmp_path, job=1, run=10, limit=2) as more_allowed:
            assert more_allowed.enter() is None
    with admission(tmp_path, job=1, run=11, limit=1) as later:
        assert later.enter() is None


def test_who_waits_gets_the_place_before_who_comes_later(tmp_path):
    with admission(tmp_path, job=1, run=8, limit=1) as second, admission(tmp_path, job=1, run=9, limit=1) as third:
        with admission(tmp_path, job=1, run=7, limit=1) as first:
            assert first.enter() is None
            assert second.enter() == third.enter() == (7, Process.current())
            second.line_up()
            third.line_up()
        assert third.enter() == (8, Process.current())
        assert second.enter() is None
        second.leave()
        assert third.enter() is None


def test_a_runner_that_died_keeps_nobody_out(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from helpers.jobs.registry import admission\n"
        "with admission(Path(sys.argv[1]), job=1, run=7, limit=1) as mine: mine.enter(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    assert (tmp_path / "active" / "1" / "7.json").exists()
    with admission(tmp_path, job=1, run=8, limit=1) as other:
        assert other.enter() is None


def test_a_text_keeps_its_line_separators_whichever_there_are(tmp_path):
    said = "sauce\u0085 hot\u2028and\u2029mild\x0b\x0c\x1c\r"
    ended = task("task_ended", "a", 0, 11, result_state="SUCCESS", exit_value=said, values={said: said})
    write(tmp_path / "1", [started(Process.current(), job_parameters={"day": said}), ended, ENDED])
    run = load_run(tmp_path / "1")
    assert (run.warnings, run.job_parameters) == ((), {"day": said})
    assert (run.tasks[0].state.word, run.tasks[0].exit_value, run.tasks[0].values) == ("SUCCESS", said, {said: said})


def test_a_record_whose_repair_lost_its_first_line_is_read_all_the_same(tmp_path):
    write(tmp_path / "1", [started(Process.current()), *RETRIED, ENDED])
    of_a_task_that_came_later = {"version": 1, "time": 200, **task("task_started", "new", 0, 14, folder="x")}
    with (tmp_path / "1" / EVENTS).open("a") as record:
        record.write(json.dumps(of_a_task_that_came_later) + "\n")
    run = load_run(tmp_path / "1")
    assert [one.task_key for one in run.latest()] == ["a", "b"]
    assert len(run.warnings) == 1


def test_a_run_that_leaves_while_another_looks_is_gone(tmp_path):
    folder = tmp_path / "active" / "7"
    with admission(tmp_path, job=7, run=2, limit=1) as mine:
        (folder / "1.json").symlink_to(folder / "unlinked meanwhile")
        assert mine.enter() is None
