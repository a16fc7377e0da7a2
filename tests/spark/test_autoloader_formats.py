"""Auto Loader over Parquet, ORC, XML, text and binary files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc
from pyspark.sql import SparkSession

from helpers.autoloader import UnsupportedOption
from tests.spark.autoloader_lab import Lab, new_lab, types


def land(lab: Lab, name: str, **columns: Any) -> None:
    table = pa.table(columns)
    path = lab.landing / f"{name}.{lab.format}"
    pq.write_table(table, path) if lab.format == "parquet" else orc.write_table(table, path)
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
    rescuing = lab.read(schemaEvolutionMode="rescue")
    lab.run(rescuing)
    assert lab.rows("id", "n.p")[-1] == (5, 5)
    assert {"n": {"r": 1}, "more": "YWI="} in lab.rescued()


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
