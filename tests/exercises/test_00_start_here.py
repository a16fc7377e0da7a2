"""Lesson 00's checks: right passes, likely mistakes are named, and an untouched scaffold is not attempted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from helpers.checks import load_exercises
from helpers.lab import Lab

NAME = "00_start_here"
HOMES = """CREATE OR REFRESH STREAMING TABLE known_homes (
  CONSTRAINT home_known EXPECT (home_ownership IS NOT NULL) ON VIOLATION DROP ROW)
AS SELECT household_id, home_ownership FROM STREAM read_files('${landing}/households', format => 'json')"""
VIEW = """CREATE OR REFRESH MATERIALIZED VIEW homes
AS SELECT home_ownership, count(*) AS lines FROM known_homes GROUP BY home_ownership"""


@pytest.fixture(scope="module")
def lab(lab_for: Callable[[str], Lab]) -> Lab:
    lab = lab_for(NAME)
    lab.arrive("2017-01-01")
    return lab


@pytest.fixture(scope="module")
def first(lab: Lab) -> Any:
    """The report of the first update of the learner's pipeline, with both tables."""
    yours = lab.pipeline("yours")
    yours.sql(f"{HOMES};\n{VIEW}")
    return yours.update()


def said(lab: Lab, exercise: str, answer: Any) -> str:
    verdict = lab.check(exercise, answer)
    assert verdict.status == "incorrect"
    return str(verdict)


@pytest.mark.parametrize("exercise", load_exercises(NAME))
def test_the_untouched_scaffold_is_not_attempted(lab: Lab, exercise: str) -> None:
    assert lab.check(exercise, ...).status == "not attempted"
    assert not lab._guide.progress.exercise(exercise).attempts


def test_lines_without_a_household_are_counted_and_other_numbers_name_their_cause(lab: Lab) -> None:
    assert lab.check("00.1", 2).status == "correct"
    assert "that is every line" in said(lab, "00.1", 731)
    assert "these lines have one" in said(lab, "00.1", 729)
    assert "a comparison with NULL is never true" in said(lab, "00.1", 0)
    assert "is a str, expected a number" in said(lab, "00.1", "2")
    assert "was `landed` read again" in said(lab, "00.1", 3)


def test_a_table_whose_rule_drops_passes_and_one_whose_rule_warns_does_not(lab: Lab, first: Any) -> None:
    assert lab.check("00.2", first).status == "correct"
    warned = lab.pipeline("warned")
    warned.sql(HOMES.replace(" ON VIOLATION DROP ROW", "").replace("known_homes", "warned_homes"))
    told = warned.update()
    (dataset,) = told.datasets
    as_yours = replace(told, datasets=(replace(dataset, name="known_homes"),))
    assert "The rule `home_known` of `known_homes` does warn, expected drop" in said(lab, "00.2", as_yours)
    lab.spark.sql("CREATE OR REPLACE TEMPORARY VIEW kept AS SELECT * FROM known_homes")
    lab.spark.sql("INSERT INTO known_homes SELECT household_id, home_ownership FROM warned_homes")
    assert "lines without a home_ownership are in it" in said(lab, "00.2", first)
    lab.pipeline("warned")
    lab.spark.sql("RESTORE TABLE known_homes TO VERSION AS OF 1")


def test_a_filter_in_the_place_of_the_rule_and_a_batch_query_are_named(lab: Lab, first: Any) -> None:
    table = next(dataset for dataset in first.datasets if dataset.name == "known_homes")
    filtered = replace(first, pipeline_id="none", datasets=(replace(table, expectations=()),))
    lab.spark.sql("CREATE TABLE event_log_none AS SELECT * FROM VALUES ('x', '{}') AS t(event_type, details)")
    lab.spark.sql("ALTER TABLE event_log_none ADD COLUMNS (timestamp TIMESTAMP, sequence STRUCT<data_plane_id: "
                  "STRUCT<seq_no: BIGINT>>)")
    assert "`known_homes` has counted no rule `home_known`" in said(lab, "00.2", filtered)
    batch = lab.pipeline("batch")
    batch.sql(HOMES.replace("STREAM read_files", "read_files").replace("known_homes", "batch_homes"))
    assert "The update failed" in said(lab, "00.2", batch.dry_run())
    view = replace(first, datasets=(replace(table, kind="MATERIALIZED_VIEW"),))
    assert "`known_homes` is a materialized view, expected a streaming table" in said(lab, "00.2", view)


def test_a_count_by_home_passes_and_other_counts_are_named(lab: Lab, first: Any) -> None:
    assert lab.check("00.3", first).status == "correct"
    without = replace(first, datasets=tuple(each for each in first.datasets if each.name != "homes"))
    assert "The pipeline has no `homes`" in said(lab, "00.3", without)
    other = lab.pipeline("other")
    other.sql("CREATE OR REFRESH STREAMING TABLE feed AS SELECT * FROM STREAM read_files('${landing}/households', "
              "format => 'json');\nCREATE OR REFRESH MATERIALIZED VIEW all_homes AS SELECT home_ownership, "
              "count(DISTINCT home_ownership) AS lines FROM feed GROUP BY home_ownership")
    told = other.update()
    view = next(dataset for dataset in told.datasets if dataset.name == "all_homes")
    lab.spark.sql("CREATE OR REPLACE TABLE homes AS SELECT * FROM all_homes")
    verdict = said(lab, "00.3", replace(told, datasets=(replace(view, name="homes"),)))
    assert "`homes` does not read `known_homes`. It reads `feed`" in verdict
    assert "expected 4: one for each home_ownership" in verdict
    assert "Does `lines` count the rows of known_homes?" in verdict


def test_rows_read_are_those_of_the_newest_file(lab: Lab, first: Any) -> None:
    lab.arrive("2017-01-02")
    assert lab.check("00.4", 7).status == "correct"
    assert "that is every file" in said(lab, "00.4", 798)
    assert "these are the rows that it **wrote**" in said(lab, "00.4", 6)
    assert "This update read nothing" in said(lab, "00.4", 0)
    assert "is a UpdateReport, expected a number" in said(lab, "00.4", first)


def test_updates_are_counted_in_the_event_log(lab: Lab, first: Any) -> None:
    log = lab.pipeline("yours").event_log()
    assert lab.check("00.5", log.where("event_type = 'create_update'").count()).status == "correct"
    assert "that is every event" in said(lab, "00.5", log.count())
    assert "no event was found" in said(lab, "00.5", log.where("event_type = 'Create update'").count())
    assert "is a DataFrame, expected a number" in said(lab, "00.5", log)
    assert "which event_type begins an update?" in said(lab, "00.5", 77)
