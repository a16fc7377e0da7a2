"""What a cut-off CREATE TABLE left goes, and nothing else does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.pipelines import leftovers


class Refused(Exception):
    """Spark's error about a folder."""

    def __init__(self, folder: Path, condition: str = "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION") -> None:
        self.folder, self.condition = folder, condition

    def getCondition(self) -> str:
        return self.condition

    def getMessageParameters(self) -> dict[str, str]:
        return {"tableLocation": f"file:{self.folder}", "tableId": "`retail`.`sales`"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table's folder as a killed server leaves it, an hour ago."""
    log = tmp_path / "sales" / "_delta_log"
    log.mkdir(parents=True)
    (log / ".00000000000000000000.json.1b2c.tmp").write_text("{")
    _age(tmp_path / "sales")
    return tmp_path / "sales"


def _age(folder: Path) -> None:
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (1_700_000_000, 1_700_000_000))


class Maker:
    """Makes a table's folder, which Delta refuses while there is one; ``ends``: the other maker, at that attempt."""

    def __init__(self, folder: Path, ends: int = 99) -> None:
        self.folder, self.ends, self.attempts = folder, ends, 0

    def __call__(self) -> None:
        self.attempts += 1
        if self.folder.exists() and self.attempts < self.ends:
            raise Refused(self.folder)


@pytest.mark.parametrize("files", [
    {},
    {"00000000000000000000.json": '{"commitInfo":{}}\n{"metaData":{"description":"add"}}\n{"protocol":{}}\n',
     "00000000000000000000.crc": "{}", ".00000000000000000000.json.crc": "x"},
])  # fmt: skip
def test_a_log_without_rows_is_removed(table: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (table / "_delta_log" / name).write_text(text)
    _age(table)
    maker = Maker(table)
    leftovers.making(maker)
    assert maker.attempts == 3
    assert not table.exists()


@pytest.mark.parametrize(("name", "text"), [
    ("_delta_log/00000000000000000000.json", '{"commitInfo":{}}\n{"add":{"path":"gone.parquet"}}\n'),
    ("_delta_log/00000000000000000001.json", '{"commitInfo":{}}\n{"torn'),
    ("_delta_log/00000000000000000010.checkpoint.parquet", "kept"),
    ("_delta_log/_last_checkpoint", "kept"),
    ("part-00000.snappy.parquet", "kept"),
    ("_change_data/cdc-00000.parquet", "kept"),
])  # fmt: skip
def test_a_folder_with_rows_or_other_data_stays_as_it_is(table: Path, name: str, text: str) -> None:
    (table / name).parent.mkdir(exist_ok=True)
    (table / name).write_text(text)
    _age(table)
    maker = Maker(table)
    with pytest.raises(Refused):
        leftovers.making(maker)
    assert maker.attempts == 1
    assert (table / name).read_text() == text


def test_a_folder_without_a_log_and_another_error_are_none_of_its_business(table: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").touch()
    for error in (Refused(tmp_path / "notes"), Refused(table, "TABLE_OR_VIEW_NOT_FOUND"), ValueError("no condition")):

        def fail(error: Exception = error) -> None:
            raise error

        with pytest.raises(type(error)):
            leftovers.making(fail)
    assert table.exists()
    assert (tmp_path / "notes" / "mine.txt").exists()


def test_a_table_that_somebody_is_making_right_now_is_waited_for(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, waited = table / "_delta_log" / "00000000000000000000.json", []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        commit.write_text("{}")
        _age(table)

    (table / "_delta_log" / "young.tmp").touch()
    monkeypatch.setattr(leftovers.time, "sleep", sleep)
    leftovers.making(Maker(table, ends=2))
    assert waited == [0.5]
    assert commit.read_text() == "{}"


def test_a_table_that_has_got_rows_while_it_was_waited_for_stays(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        (table / "part-00000.snappy.parquet").touch()
        _age(table)

    (table / "_delta_log" / "young.tmp").touch()
    monkeypatch.setattr(leftovers.time, "sleep", sleep)
    with pytest.raises(Refused):
        leftovers.making(Maker(table))
    assert (table / "part-00000.snappy.parquet").exists()
