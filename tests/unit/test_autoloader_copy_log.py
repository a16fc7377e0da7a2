"""The log of COPY INTO, and the options and files of a statement, without Spark."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.autoloader import DamagedCopyLog, LandingFolderNotFound, UnsupportedOption
from helpers.autoloader.copy_files import all_files, is_readable, matching_files, named_files
from helpers.autoloader.copy_log import CopyLog
from helpers.autoloader.copy_options import CopyOptions, check_copy_options
from helpers.autoloader.landing import Landing
from helpers.sql import parse_copy_into


def options(format: str, path: str = "/x", **given: str) -> CopyOptions:
    text = ", ".join(f"'{name}' = '{value}'" for name, value in given.items())
    clause = f" FORMAT_OPTIONS ({text})" if given else ""
    statement = parse_copy_into(f"COPY INTO t FROM '{path}' FILEFORMAT = {format}{clause}", source="test")
    assert statement is not None
    return check_copy_options(statement)


def names(files: list[str], root: Path) -> list[str]:
    return [str(Path(file).relative_to(root)) for file in files]


def test_only_a_settled_load_counts_as_loaded(tmp_path: Path) -> None:
    log = CopyLog(tmp_path / "log")
    assert (log.last(), log.loaded(), log.proposals(1)) == (0, set(), [])
    one, two = log.propose(1, ["/b", "/a"]), log.propose(1, ["/c"])
    assert (log.last(), log.loaded(), log.proposals(1)) == (0, set(), sorted([one, two]))
    log.settle(1, one)
    log.settle(1, one)
    assert (log.last(), log.loaded(), log.proposals(1)) == (1, {"/a", "/b"}, [])
    log.settle(2, log.propose(2, ["/c"]))
    assert (log.last(), log.loaded()) == (2, {"/a", "/b", "/c"})


def test_a_damaged_log_is_never_taken_for_an_empty_one(tmp_path: Path) -> None:
    log = CopyLog(tmp_path)
    (tmp_path / "1.json").write_text("{")
    with pytest.raises(DamagedCopyLog, match=r"1\.json.*damaged"):
        log.loaded()
    with pytest.raises(DamagedCopyLog, match="missing"):
        log.settle(2, "gone")


def test_files_are_those_of_the_folder_and_of_its_partition_folders(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "day=1/c.csv", "sub/d.csv", "_e.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    root = Landing(str(tmp_path))
    assert names(all_files(root), tmp_path) == ["a.csv", "b.csv", "day=1/c.csv"]
    assert names(all_files(Landing(str(tmp_path), recursive=True)), tmp_path)[-1] == "sub/d.csv"
    assert names(all_files(Landing(f"{tmp_path}/s*")), tmp_path) == ["sub/d.csv"]
    assert names(all_files(Landing(f"{tmp_path}/[ab].csv")), tmp_path) == ["a.csv", "b.csv"]
    assert names(all_files(Landing(f"{tmp_path}/a.csv")), tmp_path) == ["a.csv"]
    assert names(matching_files(root, "{a,z}.csv"), tmp_path) == ["a.csv"]
    assert names(matching_files(root, "sub/*.csv"), tmp_path) == ["sub/d.csv"]
    assert names(named_files(root, ("sub/d.csv", "a.csv")), tmp_path) == ["a.csv", "sub/d.csv"]
    with pytest.raises(LandingFolderNotFound, match=r"z\.csv"):
        named_files(root, ("a.csv", "z.csv"))


def test_half_a_file_is_corrupt(tmp_path: Path) -> None:
    whole, half = tmp_path / "whole", tmp_path / "half"
    pq.write_table(pa.table({"a": list(range(10_000))}), whole)
    half.write_bytes(whole.read_bytes()[:-100])
    assert (is_readable(str(whole), "parquet"), is_readable(str(half), "parquet")) == (True, False)
    packed = gzip.compress(b"a,b\n" * 1000)
    (tmp_path / "a.csv.gz").write_bytes(packed)
    (tmp_path / "b.csv.gz").write_bytes(packed[:-20])
    (tmp_path / "empty.csv").touch()
    assert [is_readable(str(tmp_path / name), "csv") for name in ("a.csv.gz", "b.csv.gz", "empty.csv")] == [
        True, False, True]


def test_options_are_checked_for_their_format() -> None:
    found = options("csv", HEADER="true", mergeschema="true", ignoreCorruptFiles="true")
    assert (found.header, found.merge_read, found.ignore_corrupt) == (True, True, True)
    assert found.reader == {"header": "true"}
    assert options("parquet", mergeSchema="true").reader == {"mergeSchema": "true"}
    for format, name in (("json", "header"), ("csv", "rescuedDataColumn"), ("csv", "headers"), ("xml", "rowtags")):
        with pytest.raises(UnsupportedOption, match=f"'{name}'"):
            options(format, **{name: "true"})
    with pytest.raises(UnsupportedOption, match="'rowTag' is missing"):
        options("xml")


def test_options_choose_files_by_name_by_time_and_below_the_folder(tmp_path: Path) -> None:
    for number, name in enumerate(("a.csv", "b.csv", "sub/c.csv", "sub/d.txt")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1_700_000_000 + number, 1_700_000_000 + number))

    def chosen(**given: str) -> list[str]:
        found = options("csv", path=str(tmp_path), **given)
        assert found.reader == {}
        return names(all_files(found.landing), tmp_path)

    assert chosen() == ["a.csv", "b.csv"]
    assert chosen(recursivefilelookup="true") == ["a.csv", "b.csv", "sub/c.csv", "sub/d.txt"]
    assert chosen(pathGlobFilter="[bcd].csv", recursiveFileLookup="true") == ["b.csv", "sub/c.csv"]
    # 1 700 000 000 is 22:13:20; both ends are left out.
    assert chosen(modifiedAfter="2023-11-14T22:13:20", recursiveFileLookup="true") == [
        "b.csv", "sub/c.csv", "sub/d.txt"]
    assert chosen(modifiedBefore="2023-11-14T22:13:21") == ["a.csv"]
    assert chosen(modifiedAfter="2023-11-14T22:13:20", modifiedBefore="2023-11-14T22:13:22") == ["b.csv"]
    with pytest.raises(UnsupportedOption, match="'modifiedAfter'"):
        chosen(modifiedAfter="yesterday")
