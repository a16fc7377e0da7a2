"""Auto Loader over JSON: what a table holds before and after each run."""

from __future__ import annotations

import gzip
import json
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from helpers.autoloader import InvalidSchemaHint, is_unknown_field_error
from tests.spark.autoloader_lab import Lab, new_lab, types


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    return new_lab(spark, tmp_path)


@pytest.mark.classic
def test_the_first_run_reads_all_files_and_the_next_only_new_ones(lab: Lab) -> None:
    lab.land("a.json", {"id": 1, "x": "u"}, {"id": 2, "x": None})
    lab.run()
    assert lab.rows() == [(1, "u", None), (2, None, None)]
    lab.run()
    lab.land("b.json", {"id": 3, "x": "grüße €"})
    lab.run()
    assert lab.rows() == [(1, "u", None), (2, None, None), (3, "grüße €", None)]
    # It is the checkpoint that knows which files were read.
    other = lab.read().writeStream.option("checkpointLocation", str(lab.root / "other")).trigger(availableNow=True)
    other.start(str(lab.root / "table")).awaitTermination()
    assert sorted(lab.rows("id")) == [(1,), (1,), (2,), (2,), (3,), (3,)]


def test_a_file_that_is_older_than_the_others_by_months_is_read_too(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.run()
    os.utime(lab.land("b.json", {"id": 2}), (1_600_000_000, 1_600_000_000))
    lab.run()
    assert lab.rows("id") == [(1,), (2,)]


@pytest.mark.classic
def test_a_new_column_stops_the_stream_once_and_is_there_after_a_restart(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.run()
    path = lab.land("b.json", {"id": 2, "price": 2.5, "at": {"zip": "1"}}, {"id": 3, "price": 4})
    message = lab.stops_at_new_fields()
    assert "`price`" in message
    assert "`at.zip`" in message
    assert path.name in message
    assert "retry" in message
    assert lab.versions() == ["0", "1"]
    assert (lab.columns(), lab.rows()) == (["id", "_rescued_data"], [(1, None)])
    frame = lab.read()
    assert list(types(frame).items()) == [("id", "bigint"), ("at", "struct<zip:string>"), ("price", "double"),
                                          ("_rescued_data", "string")]
    lab.run(frame)
    assert lab.rows("id", "price", "at.zip", "_rescued_data") == [
        (1, None, None, None), (2, 2.5, "1", None), (3, 4.0, None, None)]
    lab.run()
    assert lab.versions() == ["0", "1"]


def test_new_columns_in_two_files_of_one_micro_batch_are_both_there_in_the_end(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.run()
    lab.land("b.json", {"id": 2, "b": 1})
    lab.land("c.json", {"id": 3, "c": True})
    lab.stops_at_new_fields()
    with suppress(StreamingQueryException):  # whether one stop is enough depends on how Spark packs the files
        lab.run()
    lab.run()
    assert lab.rows("id", "b", "c") == [(1, None, None), (2, 1, None), (3, None, True)]


def test_one_file_a_micro_batch_stops_at_each_new_column_and_keeps_what_was_committed(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.land("b.json", {"id": 2, "b": 1})
    lab.land("c.json", {"id": 3, "c": 1})
    (lab.landing / "b.json").rename(lab.root / "b.json")
    (lab.landing / "c.json").rename(lab.root / "c.json")
    lab.read(maxFilesPerTrigger="1")
    (lab.root / "b.json").rename(lab.landing / "b.json")
    (lab.root / "c.json").rename(lab.landing / "c.json")
    assert "b.json" in lab.stops_at_new_fields(lab.read(maxFilesPerTrigger="1"))
    assert lab.rows("id") == [(1,)]
    assert "c.json" in lab.stops_at_new_fields(lab.read(maxFilesPerTrigger="1"))
    assert lab.rows("id") == [(1,), (2,)]
    lab.run(lab.read(maxFilesPerTrigger="1"))
    assert lab.rows("id", "b", "c") == [(1, None, None), (2, 1, None), (3, None, 1)]


def test_files_are_read_in_the_order_in_which_they_came(lab: Lab) -> None:
    for name in ("b", "c", "a"):
        lab.land(f"{name}.json", {"id": name})
    query = lab.start(lab.read(maxFilesPerTrigger="1"))
    query.awaitTermination()
    history = lab.spark.sql(f"DESCRIBE HISTORY delta.`{lab.root / 'table'}`").filter("operation = 'STREAMING UPDATE'")
    versions = sorted(row.version for row in history.collect())
    tables = [lab.spark.read.format("delta").option("versionAsOf", at).load(str(lab.root / "table")) for at in versions]
    assert [sorted(row[0] for row in table.select("id").collect()) for table in tables] == [["b"], ["b", "c"],
                                                                                           ["a", "b", "c"]]


def test_a_new_column_is_found_while_the_stream_runs(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    query = lab.start(lab.read(), processingTime="0 seconds")
    try:
        _wait(lambda: query.lastProgress is not None and (lab.root / "table").exists() and lab.rows("id") == [(1,)])
        # A file that comes while the stream runs was in no look at the folder before.
        os.replace(lab.land("../b.json", {"id": 2, "late": "x"}), lab.landing / "b.json")
        with pytest.raises(StreamingQueryException) as caught:
            query.awaitTermination(60)
    finally:
        query.stop()
    assert is_unknown_field_error(caught.value)
    assert lab.rows("id") == [(1,)]
    lab.run()
    assert lab.rows("id", "late") == [(1, None), (2, "x")]


def test_a_query_that_reads_few_columns_and_rows_still_stops_at_a_new_one(lab: Lab) -> None:
    lab.land("a.json", {"id": 1, "x": 1})
    lab.run(lab.read().filter("x > 5").select("id"))
    lab.land("b.json", {"id": 2, "x": 1, "new": 1})
    lab.stops_at_new_fields(lab.read().filter("x > 5 AND _metadata.file_name = 'a.json'").select("id"))


def test_values_of_another_type_are_rescued_with_the_file_they_are_in(lab: Lab) -> None:
    lab.land("a.json", {"id": 1, "n": {"p": 1, "q": "x"}, "r": [1, 2], "x": "s"})
    lab.run()
    lab.land("b ü%.json", '{"id":"one","n":{"p":1.50,"q":"y"},"r":[1,"z"],"x":{"any":1}}',
             '{"id":12345678901234567890}')
    lab.run()
    assert lab.rows("id", "n.p", "n.q", "r", "x") == [
        (1, 1, "x", [1, 2], "s"), (None, None, "y", None, '{"any":1}'), (None, None, None, None, None)]
    assert lab.rescued() == [{"id": "one", "n": {"p": 1.5}, "r": [1, "z"]}, {"id": 12345678901234567890}]
    text = next(text for (text,) in lab.rows("_rescued_data") if text and "one" in text)
    assert '"p":1.50' in text
    assert json.loads(text)["_file_path"].endswith("/landing/b%20ü%25.json")


def test_a_key_in_another_case_is_rescued_and_stops_nothing(lab: Lab) -> None:
    lab.land("a.json", {"name": "x", "n": {"p": 1}})
    lab.run()
    lab.land("b.json", {"name": "y"}, {"Name": "z", "name": "w"}, {"NAME": 1.5, "n": {"P": 2, "p": 3}})
    lab.run()
    assert lab.rows("name", "n.p") == [("w", None), ("x", 1), ("y", None), (None, 3)]
    assert lab.rescued() == [{"NAME": 1.5, "n": {"P": 2}}, {"Name": "z"}]
    assert lab.versions() == ["0"]


def test_two_spellings_in_the_sample_become_one_column(lab: Lab) -> None:
    lab.land("a.json", {"name": "x"}, {"Name": "y"})
    assert list(types(lab.read())) == ["name", "_rescued_data"]
    lab.run()
    assert (lab.rows("name"), lab.rescued()) == ([("x",), (None,)], [{"Name": "y"}])


def test_a_damaged_line_is_a_row_of_nulls_and_its_text_is_kept(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.run()
    damaged = ['{"id": 2, "x"', '{"id": 3} {"id": 4}', "5", "{'id': 6}"]
    lab.land("b.json", {"id": 0}, damaged[0], "", damaged[1], '[{"id": 7}, {"ID": 8}]', *damaged[2:], {"id": 9})
    lab.run()
    assert lab.rows("id") == [(0,), (1,), (3,), (7,), (9,), (None,), (None,), (None,), (None,)]
    assert sorted(each["_corrupt_record"] for each in lab.rescued() if "ID" not in each) == sorted(damaged)
    assert {"ID": 8} in lab.rescued()


def test_a_damaged_line_in_the_sample_makes_no_column(lab: Lab) -> None:
    lab.land("a.json", {"id": 1}, "{oops")
    lab.run()
    assert (lab.columns(), lab.rescued()) == (["id", "_rescued_data"], [{"_corrupt_record": "{oops"}])


def test_a_damaged_line_goes_to_the_corrupt_record_column_when_there_is_one(lab: Lab) -> None:
    lab.land("a.json", {"id": 1}, "{oops", {"id": "x"})
    lab.run(lab.read(schemaHints="id BIGINT, _corrupt_record STRING"))
    assert lab.rows("id", "_corrupt_record") == [(1, None), (None, "{oops"), (None, None)]
    assert lab.rescued() == [{"id": "x"}]


def test_without_type_inference_every_column_is_a_string_as_it_was_written(lab: Lab) -> None:
    lab.land("a.json", '{"i":5,"d":1.10,"b":true,"n":{"p": 1.0},"r":[1, "x"],"t":"2020-01-01","z":null}')
    frame = lab.read(inferColumnTypes="false")
    assert set(types(frame).values()) == {"string"}
    lab.run(frame)
    assert lab.rows("i", "d", "b", "n", "r", "t", "z") == [
        ("5", "1.10", "true", '{"p": 1.0}', '[1, "x"]', "2020-01-01", None)]
    lab.land("b.json", '{"i":6,"new":{"deep":2}}')
    lab.stops_at_new_fields(lab.read(inferColumnTypes="false"))
    lab.run(lab.read(inferColumnTypes="false"))
    assert lab.rows("i", "new")[1] == ("6", '{"deep":2}')


def test_types_are_inferred_as_spark_does(lab: Lab) -> None:
    lab.land("a.json", '{"i":5,"d":1.5,"b":true,"n":{"p":1,"l":["x"]},"t":"2020-01-01T00:00:00Z","z":null}',
             {"i": 2**62})
    assert types(lab.read()) == {
        "b": "boolean", "d": "double", "i": "bigint", "n": "struct<l:array<string>,p:bigint>", "t": "string",
        "z": "string", "_rescued_data": "string"}


def test_hints_set_types_of_columns_at_any_depth_and_add_columns(lab: Lab) -> None:
    lab.land("a.json", '{"id":1,"price":"1.25","n":{"p":1},"r":["1"],"at":"2020-01-02"}')
    frame = lab.read(schemaHints="price DECIMAL(10,2), n.p STRING, r.element INT, at DATE, extra MAP<STRING, INT>")
    assert types(frame) == {
        "at": "date", "id": "bigint", "n": "struct<p:string>", "price": "decimal(10,2)", "r": "array<int>",
        "extra": "map<string,int>", "_rescued_data": "string"}
    lab.run(frame)
    assert [str(value) for value in lab.rows("price", "at", "n.p", "r")[0]] == ["1.25", "2020-01-02", "1", "None"]
    assert lab.rescued() == [{"r": ["1"]}]


def test_a_hint_of_an_unknown_type_is_refused(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    with pytest.raises(InvalidSchemaHint, match="NUMBRE"):
        lab.read(schemaHints="id NUMBRE")


def test_an_explicit_schema_ignores_new_fields_and_adds_no_column(lab: Lab) -> None:
    lab.land("a.json", {"id": 1, "new": 2}, {"id": "x"})
    frame = lab.read("id BIGINT, y STRING")
    assert types(frame) == {"id": "bigint", "y": "string"}
    lab.run(frame.select("*", "_metadata.file_name"))
    assert lab.rows() == [(1, None, "a.json"), (None, None, "a.json")]


def test_an_empty_file_changes_nothing(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.land("b.json")
    lab.run()
    assert lab.rows("id") == [(1,)]


def test_a_file_that_spark_reads_in_parts_is_checked_in_every_part(lab: Lab) -> None:
    lab.land("a.json", {"id": 1, "x": ""})
    lab.run()
    filler = "ü" * 500
    lines = [{"id": number, "x": filler} for number in range(12_000)]
    lines[7_000] = {"ID": 7_000}
    lines[11_999] = {"id": 11_999, "last": 1}
    lab.land("b.json", *lines)
    lab.stops_at_new_fields()
    lab.run()
    assert len(lab.rows("id")) == 12_001
    assert lab.rescued() == [{"ID": 7_000}]
    assert lab.rows("last").count((1,)) == 1


def test_a_compressed_file_is_checked_as_any_other(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.run()
    with gzip.open(lab.landing / "b.json.gz", "wt") as file:
        file.write('{"id": 2}\n{"ID": 3}\n{"id": 4, "new": 5}\n')
    assert "`new`" in lab.stops_at_new_fields()
    lab.run()
    assert (lab.rows("id", "new"), lab.rescued()) == ([(1, None), (2, None), (4, 5), (None, None)], [{"ID": 3}])


def _wait(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "nothing happened for a minute"
        time.sleep(0.3)
