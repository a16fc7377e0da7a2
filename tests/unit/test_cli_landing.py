"""How the retail files arrive."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.landing import NoData, data_files, first_files, land, landed_names, next_files

PRODUCTS = ("2017-01-01", "2017-01-09")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Ten days of transactions and households, and two files of products."""
    source = tmp_path / "retail"
    days = [f"2017-01-{day:02}" for day in range(1, 11)]
    names = [f"{feed}/{day}.json" for feed in ("transactions", "households") for day in days]
    names += [f"products/products-{day}.csv" for day in PRODUCTS]
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(f"the content of {name}\n")
    return source


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"


def arrive(source: Path, landing: Path) -> tuple[str, ...]:
    following = next_files(data_files(source), landed=landed_names(landing))
    return land(following, source=source, landing=landing)


def test_the_first_seven_days_of_every_feed_land_at_once(source: Path, landing: Path) -> None:
    land(first_files(data_files(source)), source=source, landing=landing)
    assert sorted(path.name for path in (landing / "transactions").iterdir())[-1] == "2017-01-07.json"
    assert len(list((landing / "households").iterdir())) == 7
    assert [path.name for path in (landing / "products").iterdir()] == ["products-2017-01-01.csv"]
    assert (landing / "products/products-2017-01-01.csv").read_text().startswith("the content of products/")


def test_a_landed_file_is_never_touched_again(source: Path, landing: Path) -> None:
    files = first_files(data_files(source))
    assert len(land(files, source=source, landing=landing)) == 15
    before = {name: os.stat(landing / name) for name in landed_names(landing)}
    for file in files:
        (source / file.name).write_text("changed")
    assert land(files, source=source, landing=landing) == ()
    after = {name: os.stat(landing / name) for name in landed_names(landing)}
    assert [(stat.st_ino, stat.st_mtime_ns) for stat in before.values()] == [
        (stat.st_ino, stat.st_mtime_ns) for stat in after.values()
    ]


def test_each_arrival_brings_the_next_day_of_every_feed(source: Path, landing: Path) -> None:
    land(first_files(data_files(source)), source=source, landing=landing)
    assert arrive(source, landing) == ("households/2017-01-08.json", "transactions/2017-01-08.json")
    assert arrive(source, landing) == (
        "households/2017-01-09.json",
        "products/products-2017-01-09.csv",
        "transactions/2017-01-09.json",
    )


def test_after_the_last_day_nothing_is_left_to_arrive(source: Path, landing: Path) -> None:
    land(first_files(data_files(source)), source=source, landing=landing)
    assert [len(arrive(source, landing)) for _ in range(4)] == [2, 3, 2, 0]


def test_an_arrival_that_was_interrupted_is_finished_by_the_next(source: Path, landing: Path) -> None:
    files = data_files(source)
    land(first_files(files), source=source, landing=landing)
    following = next_files(files, landed=landed_names(landing))
    land(following[:1], source=source, landing=landing)
    assert arrive(source, landing) == ("transactions/2017-01-08.json",)


def test_a_half_copied_file_is_hidden_from_readers_and_does_not_count(source: Path, landing: Path) -> None:
    (landing / "transactions").mkdir(parents=True)
    (landing / "transactions" / ".2017-01-01.json.x1y2").write_text("the con")
    assert landed_names(landing) == frozenset()
    land(first_files(data_files(source)), source=source, landing=landing)
    assert (landing / "transactions/2017-01-01.json").read_text() == "the content of transactions/2017-01-01.json\n"


def test_a_full_disk_leaves_no_half_file(source: Path, landing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        land(first_files(data_files(source)), source=source, landing=landing)
    assert [path for path in landing.rglob("*") if path.is_file()] == []


def test_a_missing_data_folder_is_named_with_the_way_back(tmp_path: Path) -> None:
    with pytest.raises(NoData, match=r"no transactions in .*retail\. Bring them back with `git checkout"):
        data_files(tmp_path / "retail")
