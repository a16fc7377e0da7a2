"""`watch`: runs start when they are due, on a clock that jumps from one thing to the next."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from helpers import cli
from helpers.jobs import Job, Run, list_runs, load_job, load_run, repair_run, run_job, watch_job
from helpers.jobs.clock import Clock
from helpers.jobs.errors import WatchError
from helpers.jobs.model import Notebook, Task
from helpers.runtime.places import Places
from tests.unit.jobs_deltas import commit
from tests.unit.jobs_fakes import fake_commands, still_alive

NOON = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp() * 1000)
HOURLY = {"schedule": {"quartz_cron_expression": "0 0 * * * ?", "timezone_id": "Europe/Berlin"}}
SCRIPT = "import json, sys; open(sys.argv[1], 'a').write(json.dumps(sys.argv[2:]) + chr(10))"
REFERENCES = [f"{{{{job.trigger.{key}}}}}"
              for key in ("type", "file_arrival.location", "table_update.updated_tables")]  # fmt: skip


class JumpingClock(Clock):
    """Jumps over idle waits; at its seconds, what `then` says happens. Ctrl-C comes at `until`."""

    def __init__(self, *, until: float, then: Mapping[float, Callable[[], object]] | None = None) -> None:
        self.seconds = 0.0
        self._then = {**(then or {}), until: interrupt}

    def now_ms(self) -> int:
        return NOON + round(self.seconds * 1000)

    def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any | None:
        if not idle and not any(at <= self.seconds for at in self._then):
            return super().wait(queue, seconds=0.1, idle=idle)
        try:
            return queue.get_nowait()
        except Empty:
            self.jump(seconds or 0.0)
            return None

    def happens_now(self, what: Callable[[], object]) -> None:
        self._then[self.seconds] = what

    def jump(self, seconds: float) -> None:
        following = min((at for at in self._then if at <= self.seconds + seconds), default=None)
        self.seconds = max(self.seconds, self.seconds + seconds if following is None else following)
        if following is not None:
            self._then.pop(following)()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "home")


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Write a definition whose one task, a script, adds a line to the file `told` with what the trigger told it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "say.py").write_text(SCRIPT)
    task = {"python_file": "say.py", "parameters": [str(tmp_path / "told"), *REFERENCES]}

    def write(**settings: Any) -> Path:
        job = {"name": "small", "tasks": [{"task_key": "say", "spark_python_task": task}], **settings}
        (tmp_path / "job.json").write_text(json.dumps(job))
        return tmp_path / "job.json"

    return write


class Faked:
    """Runs of a fake task in the place of real ones, doing what `fake` says."""

    def __init__(self, folder: Path, fake: list[str]) -> None:
        self.commands, self.fake = fake_commands(folder), fake

    def __call__(self, job: Job, *, clock: Clock, **options: Any) -> Run:
        del clock
        made = Job(job.name, job.source, (Task("a", Notebook(Path("/n/a.ipynb"))),), queue=job.queue,
                   max_concurrent_runs=job.max_concurrent_runs)  # fmt: skip
        environment = {"PATH": os.environ["PATH"], "FAKE": json.dumps({"a": self.fake})}
        return run_job(made, commands=self.commands, environment=environment, **options)


def lines(said: list[str]) -> list[str]:
    """What was said, without the times before it and the numbers of runs."""
    return [" ".join(word for word in line[25:].split() if not word.isdigit()) for line in said]


def watched(path: Path, places: Places, clock: Clock, **options: Any) -> list[str]:
    said: list[str] = []
    watch_job(load_job(path), places=places, say=said.append, clock=clock, **options)
    assert said.pop(0) == "Watching job 'small'; Ctrl-C ends it."
    return said


def told(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "told").read_text().splitlines()]


def test_a_file_that_arrives_starts_one_run_also_over_a_restart(tmp_path, places, make):
    (tmp_path / "in" / "old.csv").touch()
    path = make(trigger={"file_arrival": {"url": "in"}})
    said = watched(path, places, JumpingClock(until=400, then={100: (tmp_path / "in" / "new.csv").touch}))
    assert said[0] == f"2026-11-24 12:00:00 UTC  looking at the files in {tmp_path / 'in'} about every minute"
    assert said[1] == "2026-11-24 12:02:00 UTC  starting a run: new in in: new.csv"
    assert lines(said)[2:] == ["run ended: SUCCESS"]
    assert told(tmp_path) == [["file_arrival", str(tmp_path / "in"), ""]]
    again = watched(path, places, JumpingClock(until=400))
    assert len(again) == 1, "what started a run starts no second one"
    (tmp_path / "in" / "while_nobody_looked.csv").touch()
    last = watched(path, places, JumpingClock(until=400))
    assert lines(last)[1:] == ["starting a run: new in in: while_nobody_looked.csv", "run ended: SUCCESS"]
    assert [run.trigger["type"] for run in list_runs(places.runs)] == ["file_arrival"] * 2


def test_a_watch_that_dies_as_its_run_begins_does_not_start_it_again(tmp_path, places, make):
    def die(job: Job, **options: Any) -> Run:
        raise RuntimeError("killed")

    path = make(trigger={"file_arrival": {"url": "in"}})
    with pytest.raises(RuntimeError):
        watched(path, places, JumpingClock(until=400, then={30: (tmp_path / "in" / "a").touch}), start=die)
    assert len(watched(path, places, JumpingClock(until=400))) == 1


def test_a_memory_that_cannot_be_read_is_set_aside_and_another_folder_begins_anew(tmp_path, places, make):
    path = make(trigger={"file_arrival": {"url": "in"}})
    (tmp_path / "in" / "old.csv").touch()
    watched(path, places, JumpingClock(until=10))
    kept = places.runs / "triggers" / "1.json"
    kept.write_text(kept.read_text()[:-9])
    said = watched(path, places, JumpingClock(until=70))
    assert len(said) == 2
    assert f"is now in {kept.with_suffix('.damaged.json')}" in said[0]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "old.csv").touch()
    assert len(watched(make(trigger={"file_arrival": {"url": "other"}}), places, JumpingClock(until=70))) == 1


def test_a_changed_table_starts_a_run_that_is_told_which(tmp_path, places, make):
    log = places.warehouse / "shop.db" / "orders" / "_delta_log"
    commit(log, 0, {"add": {"path": "a", "dataChange": True}})
    tables = ["main.shop.orders", "main.shop.items"]
    path = make(trigger={"table_update": {"table_names": tables}})
    grow = {90: lambda: commit(log, 1, {"metaData": {}}), 200: lambda: commit(log, 2, {"remove": {"dataChange": True}})}
    said = watched(path, places, JumpingClock(until=400, then=grow))
    assert "table main.shop.orders, main.shop.items (not there yet)" in said[0]
    assert said[1] == "2026-11-24 12:04:00 UTC  starting a run: updated: main.shop.orders (version 2)"
    assert told(tmp_path) == [["table", "", '["main.shop.orders"]']]


def test_a_schedule_says_its_next_time_in_its_zone_and_runs_on_it(tmp_path, places, make):
    said = watched(make(**HOURLY), places, JumpingClock(until=2 * 3600 - 1))
    assert said[:3] == [
        "2026-11-24 12:00:00 UTC  next run: Tue 2026-11-24 14:00:00+01:00 (Europe/Berlin)",
        "2026-11-24 13:00:00 UTC  starting a run: its schedule '0 0 * * * ?' (Europe/Berlin)",
        "2026-11-24 13:00:00 UTC  next run: Tue 2026-11-24 15:00:00+01:00 (Europe/Berlin)",
    ]
    assert lines(said)[3:] == ["run ended: SUCCESS"]
    assert told(tmp_path) == [["periodic", "", ""]]


def test_what_was_due_while_the_machine_slept_is_made_up_for_once(tmp_path, places, make):
    clock = JumpingClock(until=5 * 3600 - 1, then={60: lambda: setattr(clock, "seconds", 4 * 3600 + 60)})
    said = watched(make(**HOURLY), places, clock, start=Faked(tmp_path, ["ok"]))
    assert "which was due Tue 2026-11-24 14:00:00+01:00 (Europe/Berlin)" in said[1]
    assert lines(said)[2:] == ["next run: Tue 2026-11-24 18:00:00+01:00 (Europe/Berlin)", "run ended: SUCCESS"]


def test_a_periodic_trigger_keeps_its_times_over_a_restart(tmp_path, places, make):
    path = make(trigger={"periodic": {"interval": 2, "unit": "HOURS"}})
    faked = Faked(tmp_path, ["ok"])
    first = watched(path, places, JumpingClock(until=3 * 3600), start=faked)
    assert [line[:19] for line in first if "starting" in line] == ["2026-11-24 14:00:00"]
    clock = JumpingClock(until=7 * 3600)
    clock.seconds = 3 * 3600
    again = watched(path, places, clock, start=faked)
    assert [line[:19] for line in again if "starting" in line] == ["2026-11-24 16:00:00", "2026-11-24 18:00:00"]


class Overlapping(JumpingClock):
    """Jumps to two o'clock once the first run works, and is interrupted when the second works, waits or has ended."""

    def __init__(self, faked: Faked) -> None:
        super().__init__(until=10**9)
        self._faked, self._seen, self._working = faked, set[str](), threading.Event()

    def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any | None:
        if self._working.is_set() and self.seconds < 2 * 3600:
            self.jump(2 * 3600 - self.seconds)
            return None
        return super().wait(queue, seconds=seconds, idle=idle)

    def start(self, job: Job, **options: Any) -> Run:
        tell = options.pop("on_event")

        def on_event(run: Run, event: Mapping[str, Any]) -> None:
            tell(run, event)
            first = not self._working.is_set()
            if event["type"] == "task_started" and first:
                self._working.set()
            elif event["type"] in ("task_started", "run_queued", "run_ended") and not self._seen:
                self._seen.add(event["type"])
                interrupt()

        return self._faked(job, on_event=on_event, **options)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["ended: SKIPPED", "ended: CANCELED"]),
        ({"max_concurrent_runs": 2}, ["ended: CANCELED", "ended: CANCELED"]),
        ({"queue": {"enabled": True}}, ["waits:", "ended: CANCELED", "ended: CANCELED"]),
    ],
)
def test_a_run_that_is_one_too_many_is_skipped_or_waits(tmp_path, places, make, more, expected):
    clock = Overlapping(Faked(tmp_path, ["sleep"]))
    said = watched(make(**HOURLY, **more), places, clock, start=clock.start)
    assert [line[11:19] for line in said if "starting" in line] == ["13:00:00", "14:00:00"]
    kinds = [match[0] for line in said if (match := re.search(r"waits:|ended: [A-Z]+", line))]
    assert kinds == expected
    assert all("max_concurrent_runs of job 'small' is 1" in line for line in said if "SKIPPED" in line)
    assert still_alive() == []


def test_ctrl_c_cancels_the_run_under_way_and_leaves_no_process(tmp_path, places, make):
    clock = JumpingClock(until=10**9)

    def start(job: Job, **options: Any) -> Run:
        tell = options.pop("on_event")

        def on_event(run: Run, event: Mapping[str, Any]) -> None:
            tell(run, event)
            if event["type"] == "task_started":
                interrupt()

        return faked(job, on_event=on_event, **options)

    faked, before = Faked(tmp_path, ["sleep"]), signal.getsignal(signal.SIGINT)
    said = watched(make(**HOURLY), places, clock, start=start)
    assert lines(said)[-2:] == [
        "canceling the run under way; Ctrl-C again does not wait for the end",
        "run ended: CANCELED: the run was canceled",
    ]
    assert still_alive() == []
    assert signal.getsignal(signal.SIGINT) == before


def test_a_run_that_cannot_be_recorded_is_said_and_the_watch_goes_on(places, make):
    def start(job: Job, **options: Any) -> Run:
        raise WatchError("the disk is full")

    said = watched(make(**HOURLY), places, JumpingClock(until=3 * 3600 - 1), start=start)
    assert [line for line in lines(said) if "could not" in line] == ["the run could not start: the disk is full"] * 2


def test_nothing_is_watched_that_is_paused_has_no_trigger_or_is_watched_already(places, make):
    paused = make(schedule={**HOURLY["schedule"], "pause_status": "PAUSED"})
    with pytest.raises(WatchError, match=r"'small' is paused.*--unpause"):
        watched(paused, places, JumpingClock(until=1))
    assert "next run" in watched(paused, places, JumpingClock(until=1), unpause=True)[0]
    with pytest.raises(WatchError, match="no schedule and no trigger"):
        watched(make(), places, JumpingClock(until=1))
    path = make(**HOURLY)

    def second() -> None:
        with pytest.raises(WatchError, match="another process watches job 'small' already"):
            watched(path, places, JumpingClock(until=1))

    assert len(watched(path, places, JumpingClock(until=2, then={1: second}))) == 1


def test_a_schedule_that_never_fires_again_ends_the_watch(places, make):
    past = {"quartz_cron_expression": "0 0 0 1 1 ? 2020", "timezone_id": "UTC"}
    assert lines(watched(make(schedule=past), places, JumpingClock(until=1))) == ["its schedule never fires again"]


def test_a_repair_keeps_what_started_its_run(tmp_path, places, make):
    path = make(trigger={"file_arrival": {"url": "in"}})
    definition = json.loads(path.read_text())
    fail = {"task_key": "fail", "spark_python_task": {"python_file": "fail.py", "parameters": ["{{job.trigger.type}}"]}}
    (tmp_path / "fail.py").write_text("raise SystemExit('no')")
    path.write_text(json.dumps({**definition, "tasks": [*definition["tasks"], fail]}))
    watched(path, places, JumpingClock(until=150, then={30: (tmp_path / "in" / "a").touch}))
    (tmp_path / "fail.py").write_text(f"import sys; open({str(tmp_path / 'mended')!r}, 'w').write(sys.argv[1])")
    repaired = repair_run(list_runs(places.runs)[0].run_id, places=places)
    assert repaired.state.result_state == "SUCCESS"
    assert (tmp_path / "mended").read_text() == "file_arrival"
    assert load_run(Path(repaired.folder)).trigger["file_arrival.location"] == str(tmp_path / "in")


def test_the_command_watches_a_job_until_its_first_run(tmp_path, make, monkeypatch, capsys):
    monkeypatch.setenv("LAKEPREP_HOME", str(tmp_path / "home"))
    every_second = {"quartz_cron_expression": "* * * * * ?", "timezone_id": "UTC", "pause_status": "PAUSED"}
    path = make(schedule=every_second)
    assert cli.main(["watch", str(path)]) == 1
    assert "job 'small' is paused" in capsys.readouterr().err
    assert cli.main(["watch", str(path), "--unpause", "--once"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Watching job 'small'; Ctrl-C ends it.\n")
    assert out.endswith("ended: SUCCESS\n")
    assert told(tmp_path) == [["periodic", "", ""]]
    bundle = tmp_path / "databricks.yml"
    bundle.write_text(f"resources: {{jobs: {{small: {path.read_text()}}}}}")
    assert cli.main(["watch", str(bundle)]) == 1
    assert "databricks.yml#KEY" in capsys.readouterr().err
    assert cli.main(["watch", f"{bundle}#small"]) == 1
    assert "job 'small' is paused" in capsys.readouterr().err
    bundle.write_text(f"{bundle.read_text()}\nrun_as: {{user_name: me}}")
    assert cli.main(["watch", f"{bundle}#small", "--unpause", "--once"]) == 0
    assert "\nignored here: run_as of the bundle: tasks run as you\n" in capsys.readouterr().out
    assert cli.main(["watch", f"{bundle}#small", "--var", "day=2017"]) == 1
    assert "has no variable 'day', which the call sets" in capsys.readouterr().err
    assert cli.main(["watch", str(path), "--var", "day=2017"]) == 1
    assert "is no bundle's file: leave out --target and --var" in capsys.readouterr().err
    assert cli.main(["watch", f"{bundle}#small", "--var", "day"]) == 2
    assert "'day' has no value: write --var day=VALUE" in capsys.readouterr().err


def test_a_run_knows_when_a_person_or_another_job_started_it(tmp_path, places, make):
    child = make()
    child.rename(tmp_path / "child.json")
    task = {"task_key": "call", "run_job_task": {"job_id": "${resources.jobs.child.id}"}}
    run_job({"name": "parent", "tasks": [task]}, base_dir=tmp_path, places=places)
    assert [run.trigger for run in list_runs(places.runs)] == [{"type": "run_job_task"}, {"type": "one_time"}]
    assert told(tmp_path) == [["run_job_task", "", ""]]


def test_an_error_of_the_watch_itself_cancels_the_runs_under_way_first(tmp_path, places, make):
    path = make(trigger={"file_arrival": {"url": "in"}})
    clock = JumpingClock(until=4000, then={30: (tmp_path / "in" / "a").touch})

    def fail() -> None:
        raise RuntimeError("the disk is full")

    def start(job: Job, **options: Any) -> Run:
        watcher = options.pop("on_event")

        def tell(run: Run, event: Mapping[str, Any]) -> None:
            watcher(run, event)
            if event["type"] == "task_started":
                clock.happens_now(fail)

        return Faked(tmp_path, ["sleep 60"])(job, on_event=tell, **options)

    with pytest.raises(RuntimeError, match="the disk is full"):
        watched(path, places, clock, start=start)
    assert [run.state.word for run in list_runs(places.runs)] == ["CANCELED"]
    assert not still_alive()
