"""One lesson's world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.lab import Lab, LessonOpen, NoSuchDay, UnknownFault, open_lab
from helpers.runtime import Places


@pytest.fixture
def lab(spark: object, places: Places, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("LAKEPREP_HOME", str(places.root))
    lab = open_lab("test_world")
    yield lab
    lab.reset()
    lab.spark.sql("USE default")
    lab.spark.sql(f"DROP SCHEMA {lab.schema} CASCADE")


def test_a_day_arrives_once_and_an_unknown_day_says_which_there_are(lab: Lab) -> None:
    assert "transactions/2017-01-02.json" in str(lab.arrive("2017-01-02"))
    assert str(lab.arrive("2017-01-02")) == "2017-01-02 had already arrived."
    with pytest.raises(NoSuchDay, match="from 2017-01-01 to 2017-01-21"):
        lab.arrive("2018-05-01")
    with pytest.raises(NoSuchDay, match="Write it as 2017-01-31"):
        lab.arrive("monday")


def test_a_lesson_works_in_its_own_schema_and_reads_anew_after_a_reset(lab: Lab) -> None:
    pipeline = lab.pipeline("world")
    pipeline.sql("""CREATE OR REFRESH STREAMING TABLE changes
        AS SELECT household_id FROM STREAM read_files('${landing}/households', format => 'json')""")
    lab.arrive("2017-01-02")
    first = pipeline.update()
    assert first.error is None
    assert lab.spark.catalog.currentDatabase() == "lab_test_world"
    assert lab.spark.table("lab_test_world.changes").count() == 7
    lab.reset()
    assert lab.spark.sql("SHOW TABLES").count() == 0
    lab.arrive("2017-01-03")
    second = pipeline.update()
    assert second.error is None
    assert lab.spark.table("changes").count() == 10


def test_a_lesson_that_another_process_has_open_says_so_and_who(
    lab: Lab, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    import subprocess
    import sys

    # The same process opens it again without complaint: a learner runs the set-up cell twice.
    assert open_lab("test_world").schema == lab.schema
    asked = subprocess.run(
        [sys.executable, "-c", "from helpers import open_lab; open_lab('test_world')"],
        capture_output=True, text=True, env={**__import__("os").environ, "LAKEPREP_HOME": str(places.root)},
        cwd=Path(__file__).parents[2],
    )
    assert asked.returncode != 0
    assert "test_world is open in another notebook (process" in asked.stderr
    assert LessonOpen.__name__ in asked.stderr


def test_faults_land_files_that_are_wrong_in_one_way_and_tell_only_the_symptom(lab: Lab) -> None:
    lab.arrive("2017-01-01")
    landing = Path(lab.volume("landing/transactions"))
    drift = str(lab.break_it("schema drift"))
    assert "loyalty_tier" in (landing / "2017-01-02.json").read_text(encoding="utf-8")
    assert "loyalty" not in drift
    lab.break_it("bad type")
    assert '"quantity": "one"' in (landing / "2017-01-03.json").read_text(encoding="utf-8")
    lab.break_it("duplicate files")
    twin = landing / "2017-01-03_redelivered.json"
    assert twin.read_bytes() == (landing / "2017-01-03.json").read_bytes()
    lab.break_it("upstream task")
    assert not Path(lab.volume("landing/products")).exists()
    with pytest.raises(UnknownFault, match="There are: schema drift, bad type, duplicate files, upstream task"):
        lab.break_it("flood")


def test_where_names_spark_the_schema_and_the_folders(lab: Lab) -> None:
    said = str(lab.where())
    assert "lab_test_world" in said
    assert str(lab.site.progress) in said
