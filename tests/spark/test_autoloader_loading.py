"""What a stream over files shows before it runs: a hidden column, other formats, and what load() refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from helpers.autoloader import (
    DamagedSchemaFile,
    EmptyLandingFolder,
    LandingFolderNotFound,
    MissingSchemaLocation,
    UnsupportedOption,
    managed_schema_location,
    stream_files,
)
from tests.spark.autoloader_lab import Lab, new_lab, types


@pytest.fixture
def lab(spark: SparkSession, tmp_path: Path) -> Lab:
    return new_lab(spark, tmp_path)


def test_metadata_is_hidden_and_all_its_fields_can_be_selected(lab: Lab) -> None:
    path = lab.land("a b.json", {"id": 1})
    frame = lab.read()
    assert frame.columns == ["id", "_rescued_data"]
    frame = frame.withColumn("two", F.lit(2)).filter("id = 1").select("*", "_metadata.file_path", "_metadata")
    assert types(frame.select("_metadata.*")) == {
        "file_path": "string", "file_name": "string", "file_size": "bigint", "file_block_start": "bigint",
        "file_block_length": "bigint", "file_modification_time": "timestamp"}
    lab.run(frame.selectExpr("two", "unix_seconds(_metadata.file_modification_time) AS modified", "_metadata.*"))
    size = path.stat().st_size
    assert lab.rows("file_name", "file_size", "file_block_start", "file_block_length", "modified", "two") == [
        ("a%20b.json", size, 0, size, int(path.stat().st_mtime), 2)]
    assert lab.rows("file_path")[0][0].endswith("/landing/a%20b.json")


def test_a_folder_without_a_record_cannot_be_inferred(lab: Lab) -> None:
    with pytest.raises(EmptyLandingFolder, match=r"Land a file there first, or give the schema with \.schema"):
        lab.read()
    lab.land("a.json", "", "oops")
    with pytest.raises(EmptyLandingFolder, match=r"no file in .* holds a whole JSON record"):
        lab.read()
    assert not (lab.root / "state").exists()
    assert lab.read("id BIGINT").isStreaming


def test_a_folder_that_is_not_there_is_named(lab: Lab) -> None:
    with pytest.raises(LandingFolderNotFound, match="nowhere"):
        lab.spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").schema("a INT").load("/nowhere/x")


def test_inference_without_a_schema_location_is_refused(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    with pytest.raises(MissingSchemaLocation, match=r"cloudFiles\.schemaLocation"):
        stream_files(lab.spark, lab.landing, format="json")


def test_a_managed_schema_location_is_one_folder_for_each_source(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    with managed_schema_location(lab.root / "managed"):
        stream_files(lab.spark, lab.landing, format="json")
        lab.spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").load(str(lab.landing))
    (folder,) = (lab.root / "managed").iterdir()
    assert folder.name.startswith("_schemas_")
    assert [path.name for path in (folder / "_schemas").iterdir()] == ["0"]


def test_an_unsupported_option_is_refused_when_the_stream_is_loaded(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    with pytest.raises(UnsupportedOption, match=r"cloudFiles\.useNotifications"):
        lab.read(useNotifications="true")


def test_a_damaged_schema_file_is_reported_and_kept(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    lab.run()
    (lab.root / "state" / "_schemas" / "0").write_text("{")
    with pytest.raises(DamagedSchemaFile, match="_schemas/0 is damaged"):
        lab.read()
    assert (lab.root / "state" / "_schemas" / "0").read_text() == "{"


def test_a_relative_path_is_the_clients(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.land("a.json", {"id": 1})
    monkeypatch.chdir(lab.root)
    reader = lab.spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").schema("id INT")
    lab.run(reader.load("landing"))
    assert lab.rows() == [(1,)]


def test_other_formats_are_sparks_own(lab: Lab) -> None:
    lab.land("a.json", {"id": 1})
    assert types(lab.spark.readStream.schema("id INT").json(str(lab.landing))) == {"id": "int"}
    assert types(lab.spark.readStream.format("rate").load()) == {"timestamp": "timestamp", "value": "bigint"}
