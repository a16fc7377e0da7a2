"""What starts a job by itself: when that is next, what a look at files or tables decides, and what is looked at."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from helpers.jobs import JobDefinitionError, check_definition, next_fire_times
from helpers.jobs.errors import WatchError
from helpers.jobs.observing import files_in, folder_of, table_folder, versions_of
from helpers.jobs.triggers import FileArrival, Memory, TableUpdate, Watched, decide
from helpers.lab import LabJob
from helpers.runtime.places import Places
from tests.unit.jobs_deltas import commit

MORNING = {"quartz_cron_expression": "0 30 6 * * ?", "timezone_id": "Europe/Berlin"}
FRIDAY = datetime(2026, 10, 23, 12)


def schedule(**more: str) -> dict[str, Any]:
    return {"schedule": {**MORNING, **more}}


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


def test_a_lesson_asks_when_its_job_would_fire_next(tmp_path, places):
    job = LabJob(tmp_path, places)
    found = job.next_runs(schedule(), after=FRIDAY)
    assert [time.isoformat() for time in found] == [
        "2026-10-24T06:30:00+02:00", "2026-10-25T06:30:00+01:00", "2026-10-26T06:30:00+01:00",
    ]  # fmt: skip
    assert str(found).splitlines()[0] == "Sat 2026-10-24 06:30:00+02:00"
    assert "Sat 2026-10-24" in found._repr_html_()
    assert (len(found), found[1].day, found.why) == (3, 25, "")
    assert job.next_runs(schedule(), count=1)[0] > datetime.now(UTC)


@pytest.mark.parametrize(
    ("settings", "times", "why"),
    [
        (schedule(pause_status="PAUSED"), 0, "It is paused: nothing starts until pause_status is UNPAUSED."),
        (schedule(quartz_cron_expression="0 0 0 30 2 ?"), 0, "It never fires again."),
        (schedule(quartz_cron_expression="0 0 0 1 1 ? 2027"), 1, "It never fires after that."),
        ({"trigger": {"pause_status": "PAUSED", "periodic": {"interval": 1, "unit": "DAYS"}}}, 0, "It is paused"),
        ({"trigger": {"file_arrival": {"url": "/Volumes/a/b/c"}}}, 0, "when new files arrive in /Volumes/a/b/c"),
        ({"trigger": {"table_update": {"table_names": ["a.b.c", "a.b.d"], "condition": "ALL_UPDATED"}}}, 0,
         "It starts when all of a.b.c, a.b.d changed"),
        ({}, 0, "The job has no schedule and no trigger"),
    ],
)  # fmt: skip
def test_a_job_without_times_says_why(settings, times, why):
    found = next_fire_times(settings, after=FRIDAY)
    assert len(found) == times
    assert why in found.why
    assert why in str(found)


def test_periodic_times_count_from_the_question_and_a_schedule_keeps_ten_seconds_between_runs():
    every = next_fire_times({"trigger": {"periodic": {"interval": 2, "unit": "WEEKS"}}}, after=FRIDAY, count=2)
    assert [f"{time:%m-%d %H:%M}" for time in every] == ["11-06 12:00", "11-20 12:00"]
    assert "Databricks chooses the first time" in every.why
    seconds = next_fire_times(schedule(quartz_cron_expression="*/5 * * * * ?"), after=FRIDAY, count=3)
    assert [time.second for time in seconds] == [5, 15, 25]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"schedule": {"quartz_cron_expression": "30 6 * * *"}}, ["'timezone_id' is required", "has 5 fields"]),
        ({"continuous": {"pause_status": "UNPAUSED"}}, ["continuous: NotSupported: a continuous job"]),
        (schedule(sql_condition={"sql": "SELECT 1"}), ["schedule.sql_condition"]),
        ({"trigger": {"file_arrival": {"url": "/Volumes/a/b/c/*.json"}}}, ["without wildcards"]),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said_by_the_question_and_by_the_check(settings, said, tmp_path):
    with pytest.raises(JobDefinitionError) as caught:
        next_fire_times(settings, after=FRIDAY)
    told = " ".join(check_definition({**settings, "tasks": []}, base_dir=tmp_path))
    for part in said:
        assert part in str(caught.value)
        assert part in told


class Looks:
    """A trigger over time: each look is at a second, and gives why a run started, or None."""

    def __init__(self, trigger: Watched, there: Mapping[str, Any]) -> None:
        self.trigger = trigger
        self.memory: Memory | None = None
        assert self.at(0, there) is None

    def at(self, second: int, seen: Mapping[str, Any]) -> str | None:
        memory, fire = decide(self.trigger, self.memory, seen, now_ms=second * 1000)
        self.memory = Memory(**json.loads(json.dumps(vars(memory))))
        return fire and fire.why


def test_a_new_file_fires_once_and_what_was_there_first_never():
    looks = Looks(FileArrival("in"), {"old.csv": "1"})
    assert looks.at(60, {"old.csv": "1"}) is None
    assert looks.at(120, {"old.csv": "1", "b.csv": "1", "a.csv": "1"}) == "new in in: a.csv and 1 more"
    assert looks.at(180, {"old.csv": "1", "b.csv": "1", "a.csv": "1"}) is None
    assert looks.at(240, {"old.csv": "2", "b.csv": "2", "a.csv": "1"}) is None, "written over, which is not new"
    assert looks.at(300, {"old.csv": "2"}) is None
    assert looks.at(360, {"old.csv": "2", "b.csv": "9"}) == "new in in: b.csv", "gone and back again"


def test_a_trigger_waits_until_nothing_has_changed_for_long_enough():
    looks = Looks(FileArrival("in", wait=120), {})
    assert looks.at(60, {"a": "1"}) is None
    assert looks.at(120, {"a": "1", "b": "1"}) is None
    assert looks.at(180, {"a": "1", "b": "2"}) is None, "b still grows"
    assert looks.at(240, {"a": "1", "b": "2"}) is None
    assert looks.at(300, {"a": "1", "b": "2"}) == "new in in: a and 1 more"


def test_a_trigger_keeps_its_time_between_runs_and_forgets_nothing_meanwhile():
    looks = Looks(FileArrival("in", least=180, wait=60), {})
    assert looks.at(60, {"a": "1"}) is None
    assert looks.at(120, {"a": "1"}) == "new in in: a"
    assert looks.at(180, {"a": "1", "b": "1"}) is None
    assert looks.at(240, {"a": "1", "b": "1"}) is None
    assert looks.at(300, {"a": "1", "b": "1"}) == "new in in: b"


def test_a_table_update_fires_for_any_or_for_all_tables_and_says_which():
    looks = Looks(TableUpdate(("m.s.a", "m.s.b")), {"m.s.a": 3})
    assert looks.at(60, {"m.s.a": 3}) is None
    assert looks.at(120, {"m.s.a": 5, "m.s.b": 0}) == "updated: m.s.a (version 5), m.s.b (version 0)"
    assert looks.at(180, {"m.s.a": 5, "m.s.b": 1}) == "updated: m.s.b (version 1)"
    assert looks.at(240, {"m.s.a": 5}) is None, "dropped, or not to be read now"
    assert looks.at(300, {"m.s.a": 0, "m.s.b": 1}) == "updated: m.s.a (version 0)", "made anew"
    both = Looks(TableUpdate(("m.s.a", "m.s.b"), all=True), {"m.s.a": 3, "m.s.b": 1})
    assert both.at(60, {"m.s.a": 4, "m.s.b": 1}) is None
    assert both.at(120, {"m.s.a": 5, "m.s.b": 2}) == "updated: m.s.a (version 5), m.s.b (version 2)"
    assert both.at(180, {"m.s.a": 6, "m.s.b": 2}) is None


def test_a_folder_is_a_volume_or_a_path_beside_the_definition(tmp_path, places):
    assert folder_of("/Volumes/main/retail/landing", base=tmp_path, places=places) == places.volume("retail", "landing")
    below = folder_of("/Volumes/main/retail/landing/day/", base=tmp_path, places=places)
    assert below == places.volume("retail", "landing") / "day"
    assert folder_of("in", base=tmp_path, places=places) == tmp_path / "in"
    assert folder_of("/data/in", base=tmp_path, places=places) == Path("/data/in")
    for url in ("s3://bucket/in", "/Volumes/main/retail"):
        with pytest.raises(WatchError, match=url):
            folder_of(url, base=tmp_path, places=places)


def test_files_are_found_in_all_subfolders_but_not_those_still_being_written(tmp_path):
    for name in ("a.csv", "day=1/b.csv", "day=1/.b.csv.x7", ".staging/c.csv"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("1")
    seen = files_in(tmp_path / "in")
    assert set(seen) == {"a.csv", "day=1/b.csv"}
    os.utime(tmp_path / "in" / "a.csv", (1, 1))
    assert files_in(tmp_path / "in")["a.csv"] != seen["a.csv"]
    assert files_in(tmp_path / "nowhere") is None


def test_a_tables_version_is_that_of_its_last_change_of_data(places):
    log = table_folder("main.Shop.Orders", places=places) / "_delta_log"
    assert log == places.warehouse / "shop.db" / "orders" / "_delta_log"

    def version() -> dict[str, int]:
        return versions_of(["main.shop.orders"], places=places)

    assert version() == {}
    commit(log, 0, {"protocol": {}}, {"metaData": {"id": "x"}})
    assert version() == {}, "made, and without data"
    commit(log, 1, {"add": {"path": "a", "dataChange": True}})
    assert version() == {"main.shop.orders": 1}
    commit(log, 2, {"metaData": {"id": "x"}})
    commit(log, 3, {"add": {"path": "ab", "dataChange": False}}, {"remove": {"path": "a", "dataChange": False}})
    assert version() == {"main.shop.orders": 1}, "a comment, and OPTIMIZE"
    commit(log, 4, {"remove": {"path": "ab", "dataChange": True}})
    (log / "00000000000000000004.checkpoint.parquet").touch()
    assert version() == {"main.shop.orders": 4}


@pytest.mark.parametrize("name", ["orders", "a.b.c.d"])
def test_a_table_needs_its_full_name(places, name):
    with pytest.raises(WatchError, match=rf"'{name}' is no table's full name; write catalog\.schema\.table"):
        table_folder(name, places=places)
