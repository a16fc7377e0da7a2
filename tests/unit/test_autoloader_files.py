"""Landing folders and CSV files, without Spark."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.autoloader import (
    EmptyLandingFolder,
    LandingFolderNotFound,
    NoStreamState,
    UnsupportedOption,
    UnsupportedPath,
)
from helpers.autoloader.csv_files import Dialect, column_types, header, type_of
from helpers.autoloader.hints import Hint, apply_hints
from helpers.autoloader.json_types import field, struct
from helpers.autoloader.landing import Landing
from helpers.autoloader.options import check_options
from helpers.autoloader.partitions import partition_fields, split_schema, with_partitions
from helpers.autoloader.read_files import detected_format, read_files
from helpers.autoloader.session_options import sampled
from helpers.autoloader.stream_state import seen_files


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LandingFolderNotFound, match="nowhere"):
        Landing(str(tmp_path / "nowhere")).check()


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    for name in ("_hidden", ".hidden", "a._COPYING_", "_hidden_folder/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    with pytest.raises(EmptyLandingFolder, match=r"Land a file.*\.schema"):
        Landing(str(tmp_path)).sample()


def test_the_sample_is_at_most_1000_files_by_name_or_50_gb(tmp_path: Path) -> None:
    for number in range(1005):
        (tmp_path / f"{number:04}.json").touch()
    sample = Landing(str(tmp_path)).sample()
    assert [Path(path).name for path in (sample[0], sample[-1])] == ["0000.json", "0999.json"]
    (tmp_path / "0001.json").write_text("0123456789")
    assert Landing(str(tmp_path)).sample_bytes == 50 * 1024**3
    few = Landing(str(tmp_path), sample_bytes=10).sample()
    assert [Path(path).name for path in few] == ["0000.json", "0001.json"]
    assert len(Landing(str(tmp_path), sample_files=1).sample()) == 1


def test_a_session_says_how_many_files_or_bytes_are_sampled() -> None:
    prefix = "spark.databricks.cloudFiles.schemaInference.sampleSize"

    def sizes(**asked: str) -> tuple[int, int]:
        conf = {f"{prefix}.{name}": value for name, value in asked.items()}
        landing = sampled(SimpleNamespace(conf=conf), Landing("/landing"))
        return landing.sample_files, landing.sample_bytes

    assert sizes() == (1000, 50 * 1024**3)
    assert sizes(numFiles="7") == (7, 50 * 1024**3)
    assert sizes(numBytes="10mb") == (1000, 10 * 1024**2)
    with pytest.raises(UnsupportedOption, match=r"sampleSize\.numBytes"):
        sizes(numBytes="much")


def test_patterns_and_name_filters_choose_files(tmp_path: Path) -> None:
    for name in ("a/x.json", "b/y.json", "b/z.csv", "c/w.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(path: str, name_filter: str | None = None) -> list[str]:
        return [Path(each).name for each in Landing(f"{tmp_path}{path}", name_filter).files()]

    assert found("") == ["x.json", "y.json", "z.csv", "w.json"]
    assert found("/{a,b}") == ["x.json", "y.json", "z.csv"]
    assert found("/*/*.json") == ["x.json", "y.json", "w.json"]
    assert found("", "*.csv") == ["z.csv"]


def test_files_are_chosen_by_their_time(tmp_path: Path) -> None:
    for name, at in (("old", 100), ("new", 200), ("newest", 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    landing = Landing(str(tmp_path), modified_after=100, modified_before=300)
    assert [Path(each).name for each in landing.files()] == ["new"]


def test_partition_columns_come_from_the_folders(tmp_path: Path) -> None:
    for name in ("_no/x.json", "day=1/kind=a%20b/x.json", "day=2/kind=__HIVE_DEFAULT_PARTITION__/x.json",
                 "plain/day=x/x.json"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    landing = Landing(str(tmp_path))
    assert [landing.partitions(path) for path in landing.files()] == [
        {"day": "1", "kind": "a b"}, {"day": "2", "kind": None}, {"day": "x"}]

    def columns(**options: str) -> list[tuple[str, str]]:
        given = {"cloudFiles.format": "json", **{name.replace("_", "."): value for name, value in options.items()}}
        found = partition_fields(landing, check_options(given, explicit_schema=False))
        return [(each["name"], each["type"]) for each in found]

    (tmp_path / "plain" / "day=x" / "x.json").unlink()
    assert columns() == [("day", "string"), ("kind", "string")]
    assert columns(cloudFiles_inferColumnTypes="true") == [("day", "integer"), ("kind", "string")]
    assert columns(cloudFiles_partitionColumns="kind, other") == [("kind", "string"), ("other", "string")]
    assert columns(cloudFiles_partitionColumns="") == columns(recursiveFileLookup="true") == []


def test_a_partition_column_takes_the_place_of_a_column_in_the_files() -> None:
    partition = {**field("Day", "integer"), "metadata": {"partition": True}}
    whole = with_partitions(struct([field("day", "string"), field("id", "long")]), [partition])
    assert split_schema(whole) == (struct([field("id", "long")]), struct([partition]))
    hinted = apply_hints(whole, (Hint(("Day",), "STRING"),), ("string",))
    assert split_schema(hinted)[1]["fields"][0]["type"] == "string"


def test_the_format_is_found_from_the_names_of_the_files(tmp_path: Path) -> None:
    with pytest.raises(EmptyLandingFolder, match="no files"):
        detected_format(Landing(str(tmp_path)))
    (tmp_path / "a.b.csv.gz").touch()
    assert detected_format(Landing(str(tmp_path))) == "csv"
    (tmp_path / "c.parquet").touch()
    with pytest.raises(UnsupportedOption, match=r"csv, parquet.*format =>"):
        detected_format(Landing(str(tmp_path)))
    assert detected_format(Landing(str(tmp_path), "*.parquet")) == "parquet"
    assert detected_format(Landing(str(tmp_path), "a.b*")) == "csv"
    for name in ("d.tsv", "e.json", "f.ndjson.gzip"):
        (tmp_path / name).touch()
    assert [detected_format(Landing(str(tmp_path), glob)) for glob in ("*[v]*.[cgt]*", "[ef]*")] == ["csv", "json"]


@pytest.mark.parametrize("options", [{"modifiedAfter": "2021-01-01"}, {"pathGlobFilter": "new*"}])
def test_the_format_is_found_from_the_files_that_will_be_read(tmp_path: Path, options: dict[str, str]) -> None:
    (tmp_path / "old.csv").touch()
    os.utime(tmp_path / "old.csv", (0, 0))
    (tmp_path / "new.avro").touch()
    with pytest.raises(UnsupportedOption, match="avro"):
        read_files(None, str(tmp_path), options=options)
    for all_files in ({}, {"modifiedBefore": "2121-01-01"}):
        with pytest.raises(UnsupportedOption, match="avro, csv: their format is not clear"):
            read_files(None, str(tmp_path), options=all_files)


def test_the_state_of_a_stream_is_read_from_its_own_logs(tmp_path: Path) -> None:
    with pytest.raises(NoStreamState, match="no checkpoint"):
        seen_files(str(tmp_path))
    landed = tmp_path / "a b.json"
    landed.write_text("{}")
    for name in ("sources/0", "commits", "offsets"):
        (tmp_path / name).mkdir(parents=True)
    entries = [{"path": (tmp_path / name).as_uri(), "timestamp": 1000 * batch, "batchId": batch}
               for batch, name in enumerate(("a b.json", "gone.json"))]
    (tmp_path / "sources" / "0" / "9.compact").write_text("v1\n" + json.dumps(entries[0]))
    (tmp_path / "sources" / "0" / "1").write_text("v1\n" + "\n".join(json.dumps(each) for each in entries))
    (tmp_path / "sources" / "0" / ".1.crc").write_text("x")
    (tmp_path / "offsets" / "0").write_text('v1\n{}\n{"logOffset":0}')
    (tmp_path / "commits" / "0").touch()
    one, two = seen_files(str(tmp_path))
    assert (one.path, one.size, one.row()[-1]) == (landed.as_uri(), 2, "COMMITTED")
    assert (two.size, two.commit_time, two.create_time.timestamp(), two.row()[-1]) == (None, None, 1, "DISCOVERED")


@pytest.mark.parametrize("path", ["s3://bucket/x", "dbfs:/x", "abfss://c@a/x"])
def test_a_path_that_is_not_local_is_refused(path: str) -> None:
    with pytest.raises(UnsupportedPath, match="not a local folder"):
        Landing(path).check()


@pytest.mark.parametrize(("text", "expected"), [
    ("1", "integer"), ("-2147483649", "long"), ("99999999999999999999", "double"), ("1.5", "double"), ("1e3", "double"),
    ("true", "boolean"), ("2020-01-01", "date"), ("2020-01-01 10:00:00", "timestamp"),
    ("2020-01-01T10:00:00.5Z", "timestamp"), ("x", "string"), ("1 2", "string"), ("2020-01", "string"),
])
def test_a_value_has_the_type_it_is_written_as(text: str, expected: str) -> None:
    assert type_of(text) == expected


def test_columns_are_matched_over_files_by_header(tmp_path: Path) -> None:
    one, two = tmp_path / "1.csv", tmp_path / "2.csv"
    one.write_bytes(b'\xef\xbb\xbfid,"a, b",\n1,"x\ny",\n')
    two.write_text("a\tb\n")
    assert header(str(one), Dialect()) == ["id", "a, b", "_c2"]
    assert header(str(two), Dialect(sep="\t")) == ["a", "b"]
    large = tmp_path / "large.csv"
    large.write_text(f"id,text\n1,{'x' * 200_000}\n")
    assert column_types([str(large)], Dialect(), lambda _: True) == {"id": "integer", "text": "string"}
    blank = tmp_path / "blank.csv"
    blank.write_text('\n  \nid,"a ""b"", c",d\n1,"x,",2020-01-01\n')
    for escape in ('"', "\\"):
        assert column_types([str(blank)], Dialect(escape=escape), lambda _: True) == {
            "id": "integer", 'a "b", c': "string", "d": "date"}
    (tmp_path / "3.csv").write_text("price,id,day\n1,x,2020-01-01\n2.5,,\n")
    assert column_types([str(one), str(tmp_path / "3.csv")], Dialect(), lambda name: name != "_c2") == {
        "id": "string", "a, b": "string", "price": "double", "day": "date"}
