"""What each `cloudFiles.schemaEvolutionMode` does with a new column, for JSON and for CSV alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from helpers.autoloader import UnsupportedOption, is_unknown_field_error, unknown_field_message
from tests.spark.autoloader_lab import Lab, new_lab, types


@pytest.fixture(params=["json", "csv"])
def lab(spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest) -> Lab:
    return new_lab(spark, tmp_path, request.param)


def value(lab: Lab, number: int) -> int | str:
    """A number as the rescued data column shows it: CSV has only text."""
    return number if lab.format == "json" else str(number)


def test_rescue_never_stops_and_never_changes_the_schema(lab: Lab) -> None:
    lab.land_records("a", {"id": 1, "x": "u"})
    lab.run(lab.read(schemaEvolutionMode="rescue"))
    lab.land_records("b", {"id": 2, "x": "v", "new": 7, "more": 8}, {"id": "no", "x": "w", "new": 9, "more": 10})
    frame = lab.read(schemaEvolutionMode="rescue")
    # A file that is wider than any was at load() stops nothing either.
    lab.land_records("c", {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "x": "wide"})
    lab.run(frame)
    assert lab.versions() == ["0"]
    assert lab.columns() == ["id", "x", "_rescued_data"]
    assert lab.rows("id", "x") == [(1, "u"), (2, "v"), (None, "w"), (None, "wide")]
    one, two, three, four, five, seven, eight, nine, ten = (value(lab, n) for n in (1, 2, 3, 4, 5, 7, 8, 9, 10))
    assert sorted(lab.rescued(), key=len) == [
        {"new": seven, "more": eight}, {"id": "no", "new": nine, "more": ten},
        {"one": one, "two": two, "three": three, "four": four, "five": five}]


def test_fail_on_new_columns_stops_again_and_again_until_a_hint_names_the_column(lab: Lab) -> None:
    mode = {"schemaEvolutionMode": "failOnNewColumns"}
    lab.land_records("a", {"id": 1})
    lab.run(lab.read(**mode))
    lab.land_records("b", {"id": 2, "new": 7})
    for _ in range(2):
        with pytest.raises(StreamingQueryException) as caught:
            lab.run(lab.read(**mode))
        message = unknown_field_message(caught.value)
        assert message is not None
        assert "`new` in the file" in message
        assert "failOnNewColumns" in message
        assert "schemaHints" in message
        assert not is_unknown_field_error(caught.value)
    assert (lab.versions(), lab.rows("id")) == (["0"], [(1,)])
    lab.land_records("c", {"id": "no", "new": 8})
    lab.run(lab.read(**mode, schemaHints="new INT"))
    assert lab.versions() == ["0", "1"]
    assert lab.rows("id", "new") == [(1, None), (2, 7), (None, 8)]
    assert lab.rescued() == [{"id": "no"}]


def test_fail_on_new_columns_goes_on_when_the_file_is_removed(lab: Lab) -> None:
    mode = {"schemaEvolutionMode": "failOnNewColumns", "maxFilesPerTrigger": "1"}
    reader = {"header": "true"} if lab.format == "csv" else {}
    lab.land_records("a", {"id": 1})
    path = lab.land_records("b", {"id": 2, "new": 7})
    assert "`new`" in lab.stops_at_new_fields(lab.read("id INT", **mode, reader=reader))
    assert lab.rows() == [(1,)]
    path.unlink()
    lab.land_records("c", {"id": 3})
    lab.run(lab.read("id INT", **mode, reader=reader))
    assert lab.rows() == [(1,), (3,)]


def test_none_drops_new_columns_in_silence_and_keeps_them_once_a_rescued_data_column_is_named(lab: Lab) -> None:
    lab.land_records("a", {"id": 1, "x": "u"})
    frame = lab.read(schemaEvolutionMode="none")
    assert types(frame) == {"id": "bigint" if lab.format == "json" else "int", "x": "string"}
    lab.run(frame)
    lab.land_records("b", {"new": 7, "x": "v", "id": "no"})
    lab.run(lab.read(schemaEvolutionMode="none"))
    assert (lab.versions(), lab.rows()) == (["0"], [(1, "u"), (None, "v")])
    lab.land_records("c", {"id": "no", "x": "w", "new": 8})
    frame = lab.read(schemaEvolutionMode="none", reader={"rescuedDataColumn": "lost"})
    assert list(types(frame)) == ["id", "x", "lost"]
    lab.run(frame)
    assert lab.versions() == ["0"]
    assert lab.rows("id", "x") == [(1, "u"), (None, "v"), (None, "w")]
    assert lab.rescued("lost") == [{"id": "no", "new": value(lab, 8)}]


def test_a_schema_of_your_own_can_rescue_or_fail(lab: Lab) -> None:
    headed = {"header": "true"} if lab.format == "csv" else {}
    lab.land_records("a", {"id": 1, "x": "u"})
    rescuing = {**headed, "rescuedDataColumn": "lost"}
    lab.run(lab.read("id INT", schemaEvolutionMode="rescue", reader=rescuing))
    assert (lab.rows("id"), lab.rescued("lost")) == ([(1,)], [{"x": "u"}])
    lab.land_records("b", {"id": "no", "x": "v"})
    lab.run(lab.read("id INT", reader=rescuing))
    assert sorted(lab.rescued("lost"), key=len) == [{"x": "u"}, {"id": "no", "x": "v"}]
    lab.land_records("c", {"id": 3, "x": "w"})
    frame = lab.read("id INT", schemaEvolutionMode="failOnNewColumns", reader=headed)
    assert frame.columns == ["id"]
    assert "`x`" in lab.stops_at_new_fields(frame)
    lab.run(lab.read("id INT, x STRING", schemaEvolutionMode="failOnNewColumns", reader=headed))
    assert lab.rows("id", "x") == [(1, None), (3, "w"), (None, None)]
    with pytest.raises(UnsupportedOption, match=r"'lost'.*rescuedDataColumn"):
        lab.read("id INT, lost STRING", reader=rescuing)


def test_csv_without_headers_rescues_what_does_not_fit_its_place(spark: SparkSession, tmp_path: Path) -> None:
    lab = new_lab(spark, tmp_path, "csv")
    lab.land("a.csv", "1,x", "no,y", "3,z,more")
    lab.run(lab.read("id INT, name STRING", reader={"rescuedDataColumn": "_rescued_data"}))
    assert lab.rows("id", "name") == [(1, "x"), (3, "z"), (None, "y")]
    assert lab.rescued() == [{"_corrupt_record": "3,z,more"}, {"id": "no"}]
