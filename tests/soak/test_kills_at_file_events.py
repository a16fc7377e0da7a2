"""The server killed just before, or just after, the Nth thing that it does to a file: whatever N, nothing is lost.

A pipeline reads files by Auto Loader, drops rows, applies changes and adds up. It is killed in its first update, or in
a later one that meets a new column, and updated once more. Random moments seldom fall between two file operations; here
each such place can be chosen. It needs Linux and `gcc`.

Run by hand: `.venv/bin/python -m pytest tests/soak/test_kills_at_file_events.py -s`. `LAKEPREP_SOAK_POINTS` (20) places
are drawn from all of each scenario, by `LAKEPREP_SOAK_SEED`, or every place with `LAKEPREP_SOAK_POINTS=all`.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.runtime import REPO_ROOT, Places, stop_server
from helpers.runtime.state import read_info
from tests.retail.counted import Counted, counted, wrong
from tests.retail.running import Shell

POINTS = os.environ.get("LAKEPREP_SOAK_POINTS", "20")
SEED = int(os.environ.get("LAKEPREP_SOAK_SEED") or time.time_ns() % 1_000_000)
PIPELINE = """
CREATE OR REFRESH STREAMING TABLE bronze (CONSTRAINT known EXPECT (id IS NOT NULL))
AS SELECT * FROM STREAM read_files('{landing}', format => 'json', schemaHints => 'id INT, amount INT, at INT');
CREATE OR REFRESH STREAMING TABLE silver (CONSTRAINT paid EXPECT (amount > 0) ON VIOLATION DROP ROW)
AS SELECT id, amount, at FROM STREAM bronze;
CREATE OR REFRESH STREAMING TABLE newest;
CREATE FLOW newest_changes AS AUTO CDC INTO newest FROM STREAM(silver) KEYS (id) SEQUENCE BY at;
CREATE OR REFRESH MATERIALIZED VIEW gold (CONSTRAINT some EXPECT (n > 0))
AS SELECT count(*) AS n, sum(amount) AS total FROM silver;
"""
FILES = [[{"id": number % 4, "amount": number - 2, "at": number} for number in range(10)],
         [{"id": number % 6, "amount": number, "at": number, "shop": f"s{number}"} for number in range(10, 20)]]
_UPDATE = """
import faulthandler, sys, time
faulthandler.dump_traceback_later(240, exit=True)  # what hangs says where
from pathlib import Path
from helpers.pipelines.notebook import notebook_pipeline
from helpers.runtime import Places, attach, detach
from helpers.runtime.state import read_info

schema, text, armed, number = sys.argv[1:]
places = Places.from_environment()
spark = attach(places)
pipeline = notebook_pipeline(spark, "killed", schema=schema, checkpoints=places.checkpoints, parameters={})
pipeline.sql(text)
if number != "0":
    Path(armed).write_text(f"{read_info(places).jvm_pid} {number} {time.time_ns()}")
report = pipeline.update()
print(report.state, report.error)
detach(spark)
sys.exit(report.state != "COMPLETED")
"""


@dataclass(frozen=True)
class Lab:
    """A home whose server's file operations are counted; ``armed``: the file that says from when, and to which."""

    shell: Shell
    folder: Path

    @property
    def armed(self) -> Path:
        return self.folder / "armed"

    def update(self, schema: str, *, kill_at: int = 0) -> tuple[bool, str]:
        """Run one update to its end, whatever ends it: whether it completed, and what it said."""
        library = {"LD_PRELOAD": str(self.folder / "file_events.so"), "FILE_EVENTS_ARMED": str(self.armed),
                   "FILE_EVENTS_ROOT": str(self.shell.places.home)}
        text = PIPELINE.format(landing=self.landing(schema))
        done = subprocess.run(
            [sys.executable, "-c", _UPDATE, schema, text, str(self.armed), str(kill_at)], cwd=REPO_ROOT, text=True,
            env={**self.shell.environment, **library}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
        return done.returncode == 0, done.stdout

    def landing(self, schema: str) -> Path:
        return self.folder / "landing" / schema

    def land(self, schema: str, number: int) -> None:
        self.landing(schema).mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in FILES[number])
        (self.landing(schema) / f"{number}.json").write_text(lines)

    def begin(self, schema: str, *, later: bool) -> None:
        """Bring a new pipeline to where the update under test begins."""
        self.land(schema, 0)
        if later:
            completed, said = self.update(schema)
            assert completed, said
            self.land(schema, 1)
        self.armed.unlink(missing_ok=True)
        self.log.unlink(missing_ok=True)

    @property
    def log(self) -> Path:
        return self.folder / "armed.log"

    def server_lives(self) -> bool:
        info = read_info(self.shell.places)
        return info is not None and psutil.pid_exists(info.jvm_pid)


@dataclass(frozen=True)
class Undisturbed:
    """What an update does to files when nobody kills it, and what its event log counts."""

    events: int
    counts: Counted


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    if sys.platform != "linux" or shutil.which("gcc") is None:
        pytest.skip("this needs Linux and gcc")
    folder = tmp_path_factory.mktemp("file_events")
    library, source = folder / "file_events.so", Path(__file__).with_name("file_events.c")
    subprocess.run(["gcc", "-O1", "-Wall", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    lab = Lab(Shell(Places(folder / "root")), folder)
    print(f"\nseed {SEED}, {POINTS} places of each update")
    lab.begin("warm", later=True)  # the first update of all makes the metastore, too
    yield lab
    stop_server(lab.shell.places)


@pytest.fixture(scope="module")
def undisturbed(lab: Lab, request: pytest.FixtureRequest) -> Undisturbed:
    schema = "later_whole" if request.param else "first_whole"
    lab.begin(schema, later=request.param)
    completed, said = lab.update(schema, kill_at=10**9)
    assert completed, said
    events = len(lab.log.read_text().splitlines())
    assert tables(lab, schema) == expected(later=request.param)
    return Undisturbed(events, counted(lab.shell.tables(schema, events=True).events))


@pytest.mark.parametrize(("undisturbed", "later"), [(False, False), (True, True)], indirect=["undisturbed"],
                         ids=["first", "later"])
def test_an_update_after_the_kill_makes_the_tables_right(lab: Lab, undisturbed: Undisturbed, later: bool) -> None:
    every = range(1, undisturbed.events + 1)
    points = every if POINTS == "all" else sorted(random.Random(SEED).sample(every, min(int(POINTS), len(every))))
    print(f"{len(points)} of {len(every)} places, later: {later}", flush=True)
    said = [words for point in points for words in told(lab, undisturbed, point, later=later)]
    assert said == []


def told(lab: Lab, undisturbed: Undisturbed, point: int, *, later: bool) -> list[str]:
    """What is wrong after a kill at this point and one more update."""
    schema = f"{'later' if later else 'first'}_{point}"
    lab.begin(schema, later=later)
    completed, said = lab.update(schema, kill_at=point)
    place = lab.log.read_text().splitlines()[-1]
    if completed and lab.server_lives():
        print(f"  {point}: had fewer file operations this time", flush=True)
        return []
    lab.armed.unlink()
    completed, said = lab.update(schema)
    wrongs = [] if completed else [said]
    if completed:
        found = tables(lab, schema)
        wrongs = [f"{name}: {found.get(name)}" for name, rows in expected(later=later).items() if found[name] != rows]
        wrongs += wrong(counted(lab.shell.tables(schema, events=True).events), undisturbed.counts)
    print(f"  {place}: {wrongs or 'right'}", flush=True)
    return [f"{schema}, killed at {place}: {words}" for words in wrongs]


def tables(lab: Lab, schema: str) -> dict[str, Any]:
    rows = lab.shell.tables(schema).rows
    return {name: rows[name] for name in ("bronze", "silver", "newest", "gold")}


def expected(*, later: bool) -> dict[str, Any]:
    records = [record for file in FILES[: 2 if later else 1] for record in file]
    columns = ("amount", "at", "id", *(["shop"] if later else []))
    bronze = [tuple(record.get(name) for name in columns[:3]) + (None,) + ((record.get("shop"),) if later else ())
              for record in records]
    silver = [(record["id"], record["amount"], record["at"]) for record in records if record["amount"] > 0]
    newest = {row[0]: row for row in sorted(silver, key=lambda row: row[2])}
    return {"bronze": sorted(bronze, key=repr), "silver": sorted(silver, key=repr),
            "newest": sorted(newest.values(), key=repr), "gold": [(len(silver), sum(row[1] for row in silver))]}
