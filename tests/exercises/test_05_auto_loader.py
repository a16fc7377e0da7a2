"""Lesson 05's checks: right passes, likely mistakes are named, and an untouched scaffold is not attempted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from helpers.lab import Lab

NAME = "05_auto_loader"


@pytest.fixture(scope="module")
def lab(lab_for: Callable[[str], Lab]) -> Lab:
    """Two days have arrived, and both tables are loaded as the lesson asks."""
    lab = lab_for(NAME)
    lab.arrive("2017-01-01", "2017-01-02")
    run(lab, stream(lab), "bronze_receipts", "state/receipts_checkpoint")
    run(lab, with_source(typed(lab)), "bronze_typed", "state/typed_checkpoint")
    return lab


def stream(lab: Lab, *, place: str = "state/receipts_schema", **options: str) -> Any:
    return (
        lab.spark.readStream.format("cloudFiles").option("cloudFiles.format", "json")
        .option("cloudFiles.schemaLocation", lab.volume(place))
        .options(**{f"cloudFiles.{name}": value for name, value in options.items()})
        .load(lab.volume("landing/transactions"))
    )


def typed(lab: Lab) -> Any:
    return stream(lab, place="state/typed_schema", inferColumnTypes="true",
                  schemaHints="quantity INT, sales_value DECIMAL(10,2), transaction_timestamp TIMESTAMP")


def with_source(frame: Any) -> Any:
    return frame.select("*", "_metadata.file_name").withColumnRenamed("file_name", "source_file")


def run(lab: Lab, frame: Any, table: str, checkpoint: str) -> Any:
    query = (frame.writeStream.option("checkpointLocation", lab.volume(checkpoint)).trigger(availableNow=True)
             .toTable(table))
    assert lab.outcome(query).completed
    return query


@pytest.mark.parametrize("number", range(1, 9))
def test_the_untouched_scaffold_is_not_attempted(lab: Lab, number: int) -> None:
    verdict = lab.check(f"05.{number}", ...)
    assert verdict.status == "not attempted"
    assert not lab._guide.progress.exercise(f"05.{number}").attempts


def test_a_stream_of_auto_loader_passes_and_other_readers_are_told_what_they_are(lab: Lab) -> None:
    assert lab.check("05.1", stream(lab)).status == "correct"
    batch = lab.check("05.1", lab.spark.read.json(lab.volume("landing/transactions")))
    assert "`receipts` is a batch DataFrame" in str(batch)
    schema = "household_id LONG, basket_id LONG, product_id LONG"
    plain = lab.check("05.1", lab.spark.readStream.schema(schema).json(lab.volume("landing/transactions")))
    assert "so it is a plain file stream" in str(plain)
    assert "has no column `quantity`, `sales_value`, `transaction_timestamp`" in str(plain)
    assert "is a CloudStreamReader, expected a streaming DataFrame" in str(lab.check("05.1", lab.spark.readStream))


def test_a_load_is_complete_and_ended_or_the_verdict_says_what_it_is_not(lab: Lab) -> None:
    again = run(lab, stream(lab), "bronze_receipts", "state/receipts_checkpoint")
    assert lab.check("05.2", again).status == "correct"
    endless = (stream(lab).writeStream.option("checkpointLocation", lab.volume("state/other"))
               .trigger(processingTime="1 hour").toTable("endless"))
    quick = replace_patience(endless)
    assert "never ends, so it was stopped" in str(lab.check("05.2", quick))
    assert not endless.isActive
    assert "is a DataFrame, expected a started stream" in str(lab.check("05.2", stream(lab)))


def replace_patience(query: Any) -> Any:
    """The same stream, asked with less patience than a learner gets."""

    class Impatient:
        def awaitTermination(self, timeout: int) -> bool:
            return query.awaitTermination(1)

        def stop(self) -> None:
            query.stop()

    return Impatient()


def test_rows_of_the_newest_day_pass_and_other_numbers_name_their_cause(lab: Lab) -> None:
    from helpers import looking

    lines = list(looking.landed_lines(lab).values())
    assert lab.check("05.3", lines[-1]).status == "correct"
    assert "it had no memory of the first" in str(lab.check("05.3", sum(lines)))
    assert "This start read nothing" in str(lab.check("05.3", 0))
    assert "expected a number" in str(lab.check("05.3", "967"))


def test_types_that_were_not_inferred_or_not_hinted_are_named_all_at_once(lab: Lab) -> None:
    assert lab.check("05.4", typed(lab)).status == "correct"
    text = str(lab.check("05.4", stream(lab)))
    assert "the types were not inferred" in text
    assert "`typed.sales_value` is a string" in text
    inferred = str(lab.check("05.4", stream(lab, place="state/inferred", inferColumnTypes="true")))
    assert "`typed.quantity` is a string: one line of the sample says it in words" in inferred
    assert "money wants exact cents" in inferred


def test_a_table_without_its_files_or_with_a_file_twice_fails(lab: Lab) -> None:
    query = run(lab, with_source(typed(lab)), "bronze_typed", "state/typed_checkpoint")
    assert lab.check("05.5", query).status == "correct"
    lab.spark.sql("CREATE OR REPLACE TABLE right AS SELECT * FROM bronze_typed")
    run(lab, with_source(typed(lab)), "bronze_typed", "state/second_checkpoint")
    assert "rows of 2017-01-01.json, which has" in str(lab.check("05.5", query))
    lab.spark.sql("CREATE OR REPLACE TABLE bronze_typed AS SELECT * EXCEPT (source_file) FROM right")
    assert "has no column `source_file`" in str(lab.check("05.5", query))
    lab.spark.sql("CREATE OR REPLACE TABLE bronze_typed AS SELECT * FROM right")


def test_the_words_of_the_tills_are_found_in_the_rescued_data(lab: Lab) -> None:
    lab.break_it("bad type")
    assert "was bronze_typed loaded again" in str(lab.check("05.6", rescued(lab)))
    run(lab, with_source(typed(lab)), "bronze_typed", "state/typed_checkpoint")
    assert lab.check("05.6", rescued(lab)).status == "correct"
    whole = lab.spark.sql("SELECT source_file, product_id, _rescued_data AS quantity_text FROM bronze_typed "
                          "WHERE get_json_object(_rescued_data, '$.quantity') IS NOT NULL")
    assert "should hold what the till sent" in str(lab.check("05.6", whole))
    everything = lab.spark.sql("SELECT source_file, product_id, NULL AS quantity_text FROM bronze_typed")
    assert "rows are in it that have no rescued quantity" in str(lab.check("05.6", everything))


def rescued(lab: Lab) -> Any:
    return lab.spark.sql(
        "SELECT source_file, product_id, get_json_object(_rescued_data, '$.quantity') AS quantity_text "
        "FROM bronze_typed WHERE get_json_object(_rescued_data, '$.quantity') IS NOT NULL"
    )


def test_the_copy_is_named_and_gone_and_the_original_is_not_taken_for_it(lab: Lab) -> None:
    assert "Nothing was delivered twice yet" in str(lab.check("05.7", "2017-01-02.json"))
    lab.break_it("duplicate files")
    run(lab, with_source(typed(lab)), "bronze_typed", "state/typed_checkpoint")
    copy = next(path.name for path in Path(lab.volume("landing/transactions")).glob("*_redelivered.json"))
    original = str(lab.check("05.7", copy.replace("_redelivered", "")))
    assert "it is the original" in original
    assert "bronze_typed still has" in original
    lab.spark.sql(f"DELETE FROM bronze_typed WHERE source_file = '{copy}'")
    assert lab.check("05.7", copy).status == "correct"


def test_a_streaming_table_in_sql_passes_and_a_view_over_the_files_does_not(lab: Lab) -> None:
    retail = lab.pipeline("check")
    retail.sql("""CREATE OR REFRESH STREAMING TABLE bronze_sql AS SELECT *, _metadata.file_name AS source_file
        FROM STREAM read_files('${landing}/transactions', format => 'json',
        schemaHints => 'sales_value DECIMAL(10,2)')""")
    update = retail.update()
    assert lab.check("05.8", update).status == "correct"
    failed = replace(update, error="landing is empty")
    assert "The update failed: landing is empty" in str(lab.check("05.8", failed))
    renamed = replace(update, datasets=tuple(replace(each, kind="MATERIALIZED_VIEW") for each in update.datasets))
    assert "`bronze_sql` is not a streaming table" in str(lab.check("05.8", renamed))
