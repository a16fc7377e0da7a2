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


def test_a_log_without_a_commit_is_removed(table: Path) -> None:
    assert leftovers.clear_after(Refused(table))
    assert not table.exists()


@pytest.mark.parametrize("name", [
    "_delta_log/00000000000000000000.json",
    "_delta_log/00000000000000000010.checkpoint.parquet",
    "_delta_log/_last_checkpoint",
    "part-00000.snappy.parquet",
    "_change_data/cdc-00000.parquet",
])  # fmt: skip
def test_a_folder_with_a_commit_or_data_stays_as_it_is(table: Path, name: str) -> None:
    (table / name).parent.mkdir(exist_ok=True)
    (table / name).write_text("kept")
    _age(table)
    assert not leftovers.clear_after(Refused(table))
    assert (table / name).read_text() == "kept"


def test_a_folder_without_a_log_and_another_error_are_none_of_its_business(table: Path, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").touch()
    assert not leftovers.clear_after(Refused(tmp_path / "notes"))
    assert not leftovers.clear_after(Refused(table, "TABLE_OR_VIEW_NOT_FOUND"))
    assert not leftovers.clear_after(ValueError("no condition"))
    assert table.exists()


def test_a_table_that_somebody_is_making_right_now_is_waited_for(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = table / "_delta_log" / "00000000000000000000.json"
    (table / "_delta_log" / "young.tmp").touch()
    monkeypatch.setattr(leftovers.time, "sleep", lambda seconds: commit.write_text("{}"))
    assert leftovers.clear_after(Refused(table))
    assert commit.read_text() == "{}"
