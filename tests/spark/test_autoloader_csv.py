"""Auto Loader over CSV: each file is read by its own header."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from helpers.autoloader import InvalidSchemaHint, UnsupportedOption
from tests.spark.autoloader_lab import Lab, new_lab, types


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    return new_lab(spark, tmp_path, "csv")


def test_types_are_inferred_from_the_values_under_each_header(lab: Lab) -> None:
    lab.land("a.csv", "id,big,price,day,at,ok,name,none\n1,5000000000,1.5,2020-01-02,2020-01-02 03:04:05,true,x,\n")
    lab.land("b.csv", "name,price,id\n5,2,7\n")
    assert types(lab.read()) == {
        "id": "int", "big": "bigint", "price": "double", "day": "date", "at": "timestamp", "ok": "boolean",
        "name": "string", "none": "string", "_rescued_data": "string"}


def test_columns_are_found_by_name_whatever_their_order(lab: Lab) -> None:
    lab.land("a.csv", "id,name\n1,x\n")
    lab.run()
    lab.land("b.csv", "name,id\ny,2\n")
    lab.land("c.csv", "name\nz\n")
    lab.run()
    assert lab.rows("id", "name", "_rescued_data") == [(1, "x", None), (2, "y", None), (None, "z", None)]


def test_a_new_column_stops_the_stream_once_and_is_there_after_a_restart(lab: Lab) -> None:
    lab.land("a.csv", "id,name\n1,x\n")
    lab.run()
    lab.land("b.csv", "price,id,name\n2.5,2,y\n")
    message = lab.stops_at_new_fields()
    assert "`price`" in message
    assert "b.csv" in message
    assert lab.rows() == [(1, "x", None)]
    assert list(types(lab.read()).items())[2] == ("price", "double")
    lab.run()
    assert lab.rows("id", "name", "price", "_rescued_data") == [(1, "x", None, None), (2, "y", 2.5, None)]


def test_quoted_values_keep_their_separators_and_their_letters(lab: Lab) -> None:
    lab.land("a.csv", '\ufeffid,full name\r\n1,"Müller, Anna Maria"\r\n2,"two  words"\r\n')
    lab.run(lab.read().withColumnRenamed("full name", "name"))
    assert lab.rows("id", "name") == [(1, "Müller, Anna Maria"), (2, "two  words")]


def test_values_of_another_type_are_rescued_with_their_file(lab: Lab) -> None:
    lab.land("a.csv", "id,day,name\n1,2020-01-02,x\n")
    lab.run()
    lab.land("b.csv", "id,day,name\none,someday,y\n99999999999,,z\n")
    lab.run()
    assert [row[0] for row in lab.rows("name")] == ["x", "y", "z"]
    assert lab.rescued() == [{"id": "99999999999"}, {"id": "one", "day": "someday"}]
    assert lab.rows("_rescued_data")[0][0].endswith('/landing/b.csv"}')


def test_a_header_in_another_case_is_rescued(lab: Lab) -> None:
    lab.land("a.csv", "id,name\n1,x\n")
    lab.run()
    lab.land("b.csv", "id,NAME\n2,y\n3,\n")
    lab.run()
    assert lab.rows("id", "name") == [(1, "x"), (2, None), (3, None)]
    assert lab.rescued() == [{"NAME": "y"}]


def test_a_line_with_too_many_or_too_few_values_is_kept_as_it_was(lab: Lab) -> None:
    lab.land("a.csv", "id,name\n1,x\n2,y,z\n3\n")
    lab.land("b.csv", "name\nu\nv,w\n")
    lab.run()
    assert lab.rows("id", "name") == [(1, "x"), (2, "y"), (3, None), (None, "u"), (None, "v")]
    assert sorted(map(str, lab.rescued())) == sorted(map(str, [
        {"_corrupt_record": "2,y,z"}, {"_corrupt_record": "3"}, {"_c1": "w"}]))


def test_without_type_inference_every_column_is_a_string(lab: Lab) -> None:
    lab.land("a.csv", "id,price\n007,1.10\n")
    frame = lab.read(inferColumnTypes="false")
    lab.run(frame)
    assert lab.rows("id", "price") == [("007", "1.10")]


def test_hints_set_types(lab: Lab) -> None:
    lab.land("a.csv", "id,price,day\n7,1.10,02.01.2020\n")
    hints = "id STRING, price DECIMAL(10,2), day DATE"
    lab.run(lab.read(schemaHints=hints, reader={"dateFormat": "dd.MM.yyyy"}))
    assert [str(value) for value in lab.rows("id", "price", "day")[0]] == ["7", "1.10", "2020-01-02"]


def test_a_nested_hint_is_refused(lab: Lab) -> None:
    lab.land("a.csv", "id\n7\n")
    with pytest.raises(InvalidSchemaHint, match=r"'id'.*CSV"):
        lab.read(schemaHints="id ARRAY<INT>")


def test_an_explicit_schema_is_read_by_name_when_there_are_headers(lab: Lab) -> None:
    lab.land("a.csv", "name,more,id\nx,1,7\n")
    frame = lab.read("id INT, name STRING", reader={"header": "true"})
    assert types(frame) == {"id": "int", "name": "string"}
    lab.run(frame.select("*", "_metadata.file_name"))
    assert lab.rows() == [(7, "x", "a.csv")]


def test_an_explicit_schema_is_read_by_place_when_there_are_none(lab: Lab) -> None:
    lab.land("a.csv", "7;x\n")
    lab.run(lab.read("id INT, name STRING", reader={"sep": ";"}))
    assert lab.rows() == [(7, "x")]


def test_inference_without_headers_is_refused(lab: Lab) -> None:
    lab.land("a.csv", "7,x\n")
    with pytest.raises(UnsupportedOption, match="header"):
        lab.read(reader={"header": "false"})


def test_metadata_is_hidden_and_can_be_selected(lab: Lab) -> None:
    lab.land("a.csv", "id\n7\n")
    frame = lab.read()
    assert frame.columns == ["id", "_rescued_data"]
    lab.run(frame.select("*", "_metadata.file_name"))
    assert lab.rows("id", "file_name") == [(7, "a.csv")]


def test_an_empty_file_changes_nothing(lab: Lab) -> None:
    lab.land("a.csv", "id\n7\n")
    lab.land("b.csv")
    lab.run()
    assert lab.rows("id") == [(7,)]
