"""What the dashboard knows of runs, updates, events and arrived files, and how it notices that one has changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from helpers import charts
from helpers.dashboard import activity, queries
from helpers.runtime.places import Places
from helpers.runtime.processes import Process
from tests.unit.dashboard_tables import (
    PIPELINE,
    UPDATE,
    Written,
    event,
    land,
    progress,
    update,
    write_event_log,
    write_lakehouse,
    write_run,
)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return write_lakehouse(tmp_path, sales=20)


def test_it_notices_each_change_and_nothing_else(written: Written) -> None:
    places = written.places
    seen = [_changed(places)]

    def noticed() -> bool:
        assert _changed(places) == _changed(places)
        seen.append(_changed(places))
        return seen[-1] not in seen[:-1]

    assert not noticed()
    written.add("silver_sales", [])
    assert noticed()
    land(places, "2017-01-05.json")
    assert noticed()
    write_run(places, 1_800_000_000_000, result=None)
    assert noticed()
    progress(places, 1_800_000_000_000, json.dumps(update("RUNNING")) + "\n")
    assert noticed()
    write_run(places, 1_800_000_100_000)
    assert noticed()
    write_event_log(written, [1])
    assert noticed()


def test_a_file_waits_until_bronze_has_read_it(written: Written) -> None:
    assert activity.arrived(written.places, "retail") == activity.Arrived(4, ())
    land(written.places, "2017-01-05.json")
    assert activity.arrived(written.places, "retail") == activity.Arrived(5, ("2017-01-05.json",))
    written.add("bronze_transactions", [{"source_file": "2017-01-05.json"}])
    assert activity.arrived(written.places, "retail") == activity.Arrived(5, ())


def test_before_the_first_run_every_file_waits_and_there_is_no_run(tmp_path: Path) -> None:
    places = Places(tmp_path / "nothing yet")
    assert activity.recent_runs(places) == []
    assert activity.arrived(places, "retail") == activity.Arrived(0, ())
    land(places, "2017-01-01.json")
    assert activity.arrived(places, "retail") == activity.Arrived(1, ("2017-01-01.json",))


def test_the_newest_runs_come_first_and_one_whose_runner_died_says_so(tmp_path: Path) -> None:
    places = Places(tmp_path)
    for number in range(activity.SHOWN_RUNS + 5):
        write_run(places, 1_800_000_000_000 + number)
    write_run(places, 1_900_000_000_000, result=None, runner=Process(2**22 + 1, "ticks:1"))
    (places.runs / "1950000000000").mkdir()
    runs = activity.recent_runs(places)
    assert runs[0].state.life_cycle_state == "INTERNAL_ERROR"
    assert "died" in runs[0].state.state_message
    assert [run.run_id for run in runs[1:3]] == [1_800_000_000_024, 1_800_000_000_023]
    assert len(runs) == activity.SHOWN_RUNS - 1


def test_the_update_of_a_running_task_is_read_as_far_as_it_is_whole(tmp_path: Path) -> None:
    places = Places(tmp_path)
    write_run(places, 1_800_000_000_000, result=None)
    (run,) = activity.recent_runs(places)
    assert activity.update_of(run) is None
    progress(places, run.run_id, json.dumps(update("RUNNING")) + '\n{"state": "COMPL')
    told = activity.update_of(run)
    assert told is not None
    assert told.state == "RUNNING"
    assert [one.update_id for one in activity.reports_of(run)] == [UPDATE]
    assert activity.updates_of(run) == ((PIPELINE, UPDATE),)
    progress(places, run.run_id, '\n{"state": "from another version"}\n')
    assert activity.update_of(run) is None
    assert activity.updates_of(run) == ()


def test_events_come_from_the_log_and_from_an_update_that_runs_each_once(written: Written) -> None:
    updates = [(PIPELINE, UPDATE)]
    assert activity.events_of(written.places, "retail", updates).empty
    folder = written.places.checkpoints / PIPELINE / "_events"
    folder.mkdir(parents=True)
    write_event_log(written, [1, 2])
    torn = json.dumps(event(4))[:50]
    (folder / f"{UPDATE}.jsonl").write_text(f"{json.dumps(event(2))}\n{json.dumps(event(3))}\n{torn}")
    found = activity.events_of(written.places, "retail", updates)
    assert list(found["id"]) == ["event-3", "event-2", "event-1"]
    assert set(found["dataset"]) == {"silver_transactions"}
    assert activity.events_of(written.places, "retail", [(PIPELINE, "another's update")]).empty


def test_what_expectations_counted_is_not_lost_among_many_events_and_an_update_that_one_stopped_says_so(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "[EXPECTATION_VIOLATION] Violated expectations: 'priced', 'known'. Output record: {}"
    write_event_log(written, [1, 2])
    write_event_log(written, [3], update="later", stopped=why)
    monkeypatch.setattr(queries, "EVENTS", 1)
    updates = [(PIPELINE, UPDATE), (PIPELINE, "later")]
    assert len(activity.events_of(written.places, "retail", updates)) == 1
    chart = charts.expectation_failures(activity.counts_of(written.places, "retail", updates))
    assert "positive_quantity on silver_transactions, 3 of 21 failed" in chart.text
    assert chart.text.endswith("stopped by priced, known.")


def _changed(places: Places) -> object:
    return activity.changed(places, "retail", runs=activity.recent_runs(places))
