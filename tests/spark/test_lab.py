"""One lesson's world."""

from __future__ import annotations

import pytest

from helpers.lab import Lab, NoSuchDay, open_lab
from helpers.runtime import Places


@pytest.fixture
def lab(spark: object, places: Places, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setenv("LAKEPREP_HOME", str(places.root))
    lab = open_lab("test_world")
    yield lab
    lab.reset()
    lab.spark.sql("USE default")
    lab.spark.sql(f"DROP SCHEMA {lab.schema} CASCADE")


def test_a_day_arrives_once_and_an_unknown_day_says_which_there_are(lab: Lab) -> None:
    assert "transactions/2017-01-02.json" in lab.arrive("2017-01-02")
    assert lab.arrive("2017-01-02") == "2017-01-02 had already arrived."
    with pytest.raises(NoSuchDay, match="from 2017-01-01 to 2017-01-21"):
        lab.arrive("2018-05-01")


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
