"""Lesson 06's checks: right passes, likely mistakes are named, and an untouched scaffold is not attempted.

Tables and checkpoints stand in for what the loads leave behind; nbval runs the loads themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.lab import Lab, Outcome

NAME = "06_schema_evolution"
DONE = Outcome(True, 900, 1)
NEW = Outcome(False, 0, 0, "UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_RECORD_WITH_FILE_PATH", "coupon_upc is new.")
REFUSED = Outcome(False, 0, 0, "DELTA_METADATA_MISMATCH", "A schema mismatch was found.")


@pytest.fixture(scope="module")
def lab(lab_for: Callable[[str], Lab]) -> Lab:
    """Three days, one with coupon_upc and one with loyalty_tier, are in the tables that the lesson asks for."""
    lab = lab_for(NAME)
    lab.arrive("2017-01-08", "2017-01-10")
    lab.break_it("schema drift")
    for checkpoint in ("receipts_checkpoint", "narrow_checkpoint"):
        for part in ("commits", "offsets"):
            Path(lab.volume(f"state/{checkpoint}"), part).mkdir(parents=True)
    Path(lab.volume("state/receipts_checkpoint"), "offsets", "1").touch()
    landed = lab.spark.read.json(lab.volume("landing/transactions"))
    landed.write.format("delta").saveAsTable("landed")
    return lab


@pytest.fixture
def tables(lab: Lab) -> Callable[..., None]:
    """Makes the lesson's tables anew from what has landed, by these queries."""

    def make(**queries: str) -> None:
        for name, query in queries.items():
            lab.spark.sql(f"CREATE OR REPLACE TABLE {name} AS {query}")

    return make


@pytest.mark.parametrize("number", range(1, 8))
def test_the_untouched_scaffold_is_not_attempted(lab: Lab, number: int) -> None:
    assert lab.check(f"06.{number}", ...).status == "not attempted"


def test_a_first_load_is_complete_and_keeps_its_checkpoint(lab: Lab, tables: Callable[..., None]) -> None:
    tables(bronze_receipts="SELECT * FROM landed")
    assert lab.check("06.1", DONE).status == "correct"
    assert "`first_load` is a str, expected what `lab.outcome(query)` gives back" in str(lab.check("06.1", "done"))
    assert "The load stopped: DELTA_METADATA_MISMATCH" in str(lab.check("06.1", REFUSED))
    tables(bronze_receipts="SELECT * FROM landed UNION ALL SELECT * FROM landed")
    assert "a file was read twice" in str(lab.check("06.1", DONE))
    commits = Path(lab.volume("state/receipts_checkpoint"), "commits")
    commits.rename(commits.with_name("elsewhere"))
    assert "There is no checkpoint in state/receipts_checkpoint" in str(lab.check("06.1", DONE))
    commits.with_name("elsewhere").rename(commits)


def test_the_second_load_stops_at_the_new_field_with_the_same_checkpoint(lab: Lab) -> None:
    assert lab.check("06.2", NEW).status == "correct"
    assert "This load completed." in str(lab.check("06.2", DONE))
    assert "not for the new field: DELTA_METADATA_MISMATCH" in str(lab.check("06.2", REFUSED))
    planned = Path(lab.volume("state/receipts_checkpoint"), "offsets", "1")
    planned.unlink()
    assert "state/receipts_checkpoint knows nothing of this start" in str(lab.check("06.2", NEW))
    planned.touch()


def test_the_third_load_brings_the_column_into_the_table(lab: Lab, tables: Callable[..., None]) -> None:
    tables(bronze_receipts="SELECT * FROM landed")
    assert lab.check("06.3", DONE).status == "correct"
    assert "Was the stream made anew, with spark.readStream" in str(lab.check("06.3", NEW))
    assert "**the table refused it**: DELTA_METADATA_MISMATCH" in str(lab.check("06.3", REFUSED))
    tables(bronze_receipts="SELECT * EXCEPT (coupon_upc) FROM landed")
    assert "has no column `coupon_upc`" in str(lab.check("06.3", DONE))
    tables(bronze_receipts="SELECT * EXCEPT (coupon_upc), CAST(NULL AS STRING) AS coupon_upc FROM landed")
    assert "0 rows have a coupon_upc, but" in str(lab.check("06.3", DONE))


def test_what_was_rescued_is_counted_by_tier_without_the_others(lab: Lab) -> None:
    counted = "SELECT loyalty_tier, count(*) AS lines FROM landed {} GROUP BY ALL"
    right = lab.spark.sql(counted.format("WHERE loyalty_tier IS NOT NULL"))
    assert lab.check("06.4", right).status == "correct"
    assert "`tiers` has a row for NULL" in str(lab.check("06.4", lab.spark.sql(counted.format(""))))
    quoted = right.selectExpr("concat('\"', loyalty_tier, '\"') AS loyalty_tier", "lines")
    assert "The tiers still carry quotation marks" in str(lab.check("06.4", quoted))
    assert "`tiers` is a int, expected a DataFrame" in str(lab.check("06.4", 3))


def test_a_rescued_field_becomes_a_column_of_the_rows_that_have_it(lab: Lab, tables: Callable[..., None]) -> None:
    tables(bronze_rescue="SELECT * FROM landed", receipts_with_tier="SELECT * FROM landed")
    assert lab.check("06.5", True).status == "correct"
    tables(receipts_with_tier="SELECT * EXCEPT (loyalty_tier), CAST(NULL AS STRING) AS loyalty_tier FROM landed")
    assert "NULL in every row" in str(lab.check("06.5", True))
    tables(receipts_with_tier="SELECT * FROM landed WHERE loyalty_tier IS NOT NULL")
    assert "rows are gone. UPDATE removes none." in str(lab.check("06.5", True))
    tables(receipts_with_tier="SELECT * EXCEPT (loyalty_tier) FROM landed")
    assert "loyalty_tier" in str(lab.check("06.5", True))
    assert lab.check("06.5", True).status == "incorrect"


def test_a_narrow_schema_keeps_the_rest_and_has_a_checkpoint_of_its_own(
    lab: Lab, tables: Callable[..., None]
) -> None:
    narrow = "SELECT basket_id, product_id, sales_value"
    tables(bronze_narrow=f"{narrow}, to_json(struct(household_id)) AS _kept FROM landed")
    assert lab.check("06.6", DONE).status == "correct"
    commits = Path(lab.volume("state/narrow_checkpoint"), "commits")
    commits.rename(commits.with_name("elsewhere"))
    assert "There is no checkpoint in state/narrow_checkpoint" in str(lab.check("06.6", DONE))
    commits.with_name("elsewhere").rename(commits)
    tables(bronze_narrow=f"{narrow} FROM landed")
    assert "every other field was ignored, without a word" in str(lab.check("06.6", DONE))
    tables(bronze_narrow="SELECT * FROM landed")
    assert "Was the schema given with .schema(narrow)?" in str(lab.check("06.6", DONE))


def test_two_starts_are_right_and_other_numbers_are_explained(lab: Lab, tables: Callable[..., None]) -> None:
    tables(bronze_receipts="SELECT * FROM landed")
    answers: dict[Any, str] = {
        1: "One start is enough only when the column is known already",
        3: "`starts` is 3: a stop to write the schema down and a start to read is two",
        "two": "`starts` is a str, expected a number",
    }
    for answer, said in answers.items():
        assert said in str(lab.check("06.7", answer))
    assert lab.check("06.7", 2).status == "correct"
    tables(bronze_receipts="SELECT * EXCEPT (loyalty_tier) FROM landed")
    assert "has no column `loyalty_tier` yet" in str(lab.check("06.7", 2))
