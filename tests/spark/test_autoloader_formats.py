"""Auto Loader over Parquet, ORC, XML, text and binary files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from helpers.autoloader import UnsupportedOption, UnsupportedPath
from helpers.classic import stack_trace
from tests.spark.autoloader_lab import Lab, new_lab, types

ROWS = {"rowTag": "r"}


def land(lab: Lab, name: str, **columns: Any) -> None:
    path = lab.landing / f"{name}.{lab.format}"
    if lab.format == "xml":
        rows = [[f"<{name}>{value}</{name}>" for name, value in zip(columns, row, strict=True)]
                for row in zip(*columns.values(), strict=True)]
        path.write_text("".join(["<all>", *(f"<r>{''.join(row)}</r>" for row in rows), "</all>"]))
    elif lab.format == "parquet":
        pq.write_table(pa.table(columns), path)
    else:
        orc.write_table(pa.table(columns), path)
    lab.stamped(path)


@pytest.mark.parametrize("format", ["parquet", "orc"])
def test_typed_files_evolve_and_rescue(spark: SparkSession, tmp_path: Path, format: str) -> None:
    lab = new_lab(spark, tmp_path, format)
    land(lab, "a", id=pa.array([1, 2], pa.int32()), n=[{"p": 1}, {"p": 2}], x=["u", None])
    land(lab, "b", id=pa.array([3], pa.int64()), x=[5], X=["case"])
    lab.run()
    assert types(lab.read()) == {"id": "bigint", "n": "struct<p:bigint>", "x": "string", "_rescued_data": "string"}
    assert lab.rows("id", "n.p", "x") == [(1, 1, "u"), (2, 2, None), (3, None, None)]
    assert lab.rescued() == [{"x": 5, "X": "case"}]
    land(lab, "c", id=[4], n=[{"p": 4, "q": "new"}], price=[1.5])
    # These files carry their own types, whatever inferColumnTypes says.
    assert "`n.q`, `price`" in lab.stops_at_new_fields(lab.read(inferColumnTypes="false"))
    lab.run()
    assert lab.rows("id", "price", "n.q")[-1] == (4, 1.5, "new")
    land(lab, "d", id=[5], more=[b"ab"], n=[{"p": 5, "r": 1}])
    land(lab, "e", id=[{"no": 6}], n=[{"p": "six", "q": "kept", "r": 1}])
    lab.run(lab.read(schemaEvolutionMode="rescue"))
    assert lab.rows("id", "n.p", "n.q")[-2:] == [(5, 5, None), (None, None, "kept")]
    assert lab.rescued()[:2] == [{"id": {"no": 6}, "n": {"p": "six", "r": 1}}, {"n": {"r": 1}, "more": "YWI="}]


def test_a_file_that_came_after_load_with_another_type_or_half_written_stops_the_stream_until_the_next_load(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = new_lab(spark, tmp_path, "orc")
    land(lab, "a", n=[{"p": 1}])
    lab.run()
    frame = lab.read()
    land(lab, "b", n=[{"p": "two"}])
    # Spark's reader would show NULL, and only the guard knows that there was a value.
    with pytest.raises(StreamingQueryException) as caught:
        lab.run(frame)
    assert "b.orc came after load()" in stack_trace(caught.value)
    frame = lab.read()
    half = lab.landing / "c.orc"
    half.write_bytes((lab.landing / "a.orc").read_bytes()[:-9])
    lab.stamped(half)
    with pytest.raises(StreamingQueryException):
        lab.run(frame)
    with pytest.raises(UnsupportedPath, match=r"c\.orc is no whole orc file.*Remove it"):
        lab.read()
    half.unlink()
    land(lab, "d", n=[{"p": 4}])
    lab.run()
    assert (lab.rows("n.p"), lab.rescued()) == ([(1,), (4,), (None,)], [{"n": {"p": "two"}}])


@pytest.mark.parametrize("format", ["parquet", "orc", "xml"])
def test_a_new_column_is_dropped_without_evolution_or_stops_the_stream(
    spark: SparkSession, tmp_path: Path, format: str
) -> None:
    lab = new_lab(spark, tmp_path, format)
    reader = ROWS if format == "xml" else {}
    land(lab, "a", id=[1], x=["u"])
    land(lab, "b", id=[2], new=["dropped"])
    land(lab, "c", **{"x" if format == "xml" else "X": ["w"]}, id=["three"])
    lab.run(lab.read("id BIGINT, x STRING", reader=reader))
    rows = [(1, "u"), (2, None), (None, "w" if format == "xml" else None)]
    assert lab.rows() == rows
    land(lab, "d", id=[4], new=["stops"])
    mode = {"schemaEvolutionMode": "failOnNewColumns"}
    assert "failOnNewColumns" in lab.stops_at_new_fields(lab.read("id BIGINT, x STRING", **mode, reader=reader))
    assert lab.rows() == rows


@pytest.mark.parametrize(("format", "options"), [("parquet", ""), ("orc", ""), ("xml", ", rowTag => 'r'")])
def test_read_files_gives_the_rows_of_now_and_rescues(
    spark: SparkSession, tmp_path: Path, format: str, options: str
) -> None:
    lab = new_lab(spark, tmp_path, format)
    land(lab, "a", id=[1, 2])
    land(lab, "b", id=[3], x=["new"])
    call = f"read_files('{lab.landing}', format => '{format}'{options})"
    found = spark.sql(f"SELECT *, _metadata.file_name AS file FROM {call} ORDER BY id").collect()
    names = [f"a.{format}", f"a.{format}", f"b.{format}"]
    assert [tuple(row) for row in found] == [
        (number, x, None, file) for number, x, file in zip((1, 2, 3), (None, None, "new"), names, strict=True)]
    given = f"{call[:-1]}, schema => 'id INT', schemaEvolutionMode => 'rescue', rescuedDataColumn => 'lost')"
    assert [(row.id, json.loads(row.lost or "{}").get("x")) for row in spark.sql(
        f"SELECT * FROM {given} ORDER BY id").collect()] == [(1, None), (2, None), (3, "new")]


def test_xml_evolves_and_rescues(spark: SparkSession, tmp_path: Path) -> None:
    lab = new_lab(spark, tmp_path, "xml")
    with pytest.raises(UnsupportedOption, match="rowTag"):
        lab.read()
    row = {"rowTag": "book"}
    lab.land("a.xml", '<books><book id="1"><title>A</title><price>1.5</price></book></books>')
    lab.run(lab.read(reader=row))
    lab.land("b.xml", '<books><book id="2"><Title>B</Title><price>cheap</price></book>',
             '<book id="3"><title>C</title></book></books>')
    lab.run(lab.read(reader=row))
    assert lab.rows("_id", "title", "price") == [(1, "A", 1.5), (2, "B", None), (3, "C", None)]
    assert lab.rescued() == [{"Title": "B", "price": "cheap"}]
    lab.land("c.xml", '<books><book id="4"><pages>7</pages></book></books>')
    assert "`pages`" in lab.stops_at_new_fields(lab.read(reader=row))
    assert types(lab.read(reader=row))["pages"] == "bigint"


def test_xml_without_type_inference_has_texts_and_loses_no_repeated_element(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = new_lab(spark, tmp_path, "xml")
    lab.land("a.xml", '<all xmlns="http://x"><r id="007"><t>A</t><n><p k="1">01</p></n></r></all>')
    lab.land("b.xml", '<all xmlns="http://x"><r><t>B</t><t>C</t><n/></r><r><t lang="en">D</t></r></all>')
    frame = lab.read(inferColumnTypes="false", reader=ROWS)
    assert types(frame) == {"_id": "string", "n": "string", "t": "string", "_rescued_data": "string"}
    lab.run(frame)
    assert lab.rows("_id", "n")[0] == ("007", '<p k="1">01</p>')
    assert [row[0] for row in lab.rows("t")] == ["A", "C", "D"]
    assert lab.rescued() == [{"t": ["B", "C"]}, {"t": {"_lang": "en", "_VALUE": "D"}}]


def test_xml_that_spark_shows_a_part_of_is_rescued_and_a_row_inside_a_row_is_its_field(
    spark: SparkSession, tmp_path: Path
) -> None:
    lab = new_lab(spark, tmp_path, "xml")
    lab.land("a.xml", "<all><r>u<t>A</t>v</r><r><t>B</t><T>C</T></r><r><t>D</t><r><t>E</t></r></r>",
             '<r><m><k>1</k><l z="2">3</l></m></r><r><m><k>4</k><l>5</l></m></r></all>')
    rescuing = {**ROWS, "rescuedDataColumn": "_rescued_data"}
    lab.run(lab.read("_VALUE STRING, t STRING, m MAP<STRING, STRING>", reader=rescuing))
    assert lab.rows("_VALUE", "t", "m") == [("v", "A", None), (None, "C", None), (None, "D", None),
                                           (None, None, {"k": "1", "l": "3"}), (None, None, {"k": "4", "l": "5"})]
    assert lab.rescued() == [{"_VALUE": ["u", "v"]}, {"m": {"k": "1", "l": {"_z": "2", "_VALUE": "3"}}},
                             {"r": {"t": "E"}}, {"t": "B", "T": "C"}]


def test_text_and_binary_files_have_columns_of_their_own(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "landing" / "day=1").mkdir(parents=True)
    (tmp_path / "landing" / "day=1" / "a.txt").write_text("one\ntwo\n")
    lab = Lab(spark, tmp_path, "text")
    lab.run()
    assert lab.rows() == [("one", 1), ("two", 1)]
    files = spark.sql(f"SELECT length, content, day FROM read_files('{lab.landing}', format => 'binaryFile')")
    assert [tuple(row) for row in files.collect()] == [(8, b"one\ntwo\n", 1)]
    assert types(Lab(spark, tmp_path, "binaryFile").read()) == {
        "path": "string", "modificationTime": "timestamp", "length": "bigint", "content": "binary", "day": "int"}
