"""Landing folders and CSV files, without Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.autoloader import EmptyLandingFolder, LandingFolderNotFound, UnsupportedPath
from helpers.autoloader.csv_files import Dialect, column_types, header, type_of
from helpers.autoloader.landing import Landing


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LandingFolderNotFound, match="nowhere"):
        Landing(str(tmp_path / "nowhere")).check()


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "_hidden").write_text("{}")
    with pytest.raises(EmptyLandingFolder, match=r"Land a file.*\.schema"):
        Landing(str(tmp_path)).sample()


def test_the_sample_is_at_most_1000_files_by_name(tmp_path: Path) -> None:
    for number in range(1005):
        (tmp_path / f"{number:04}.json").touch()
    sample = Landing(str(tmp_path)).sample()
    assert [Path(path).name for path in (sample[0], sample[-1])] == ["0000.json", "0999.json"]


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


def test_partition_folders_are_refused_unless_they_are_plain_folders(tmp_path: Path) -> None:
    (tmp_path / "day=1").mkdir()
    (tmp_path / "day=1" / "a.json").touch()
    with pytest.raises(UnsupportedPath, match=r"day=1.*recursiveFileLookup"):
        Landing(str(tmp_path)).check()
    Landing(str(tmp_path), recursive=True).check()


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
    (tmp_path / "3.csv").write_text("price,id,day\n1,x,2020-01-01\n2.5,,\n")
    assert column_types([str(one), str(tmp_path / "3.csv")], Dialect(), lambda name: name != "_c2") == {
        "id": "string", "a, b": "string", "price": "double", "day": "date"}
