"""The fault that moves a folder: switched on once, twice, and after new files have come."""

from __future__ import annotations

import pytest

from helpers.lab.faults import NothingToBreak, break_it

FAULT = "upstream task"


def test_an_upstream_task_that_is_broken_twice_is_broken_once_and_can_be_mended(tmp_path):
    products, moved = tmp_path / "products", tmp_path / "products_moved"
    products.mkdir()
    (products / "2017-01-01.csv").touch()
    symptom = break_it(FAULT, source=tmp_path, folder=tmp_path)
    assert break_it(FAULT, source=tmp_path, folder=tmp_path) == symptom
    assert [path.name for path in moved.iterdir()] == ["2017-01-01.csv"]
    assert not products.exists()
    moved.rename(products)
    assert break_it(FAULT, source=tmp_path, folder=tmp_path) == symptom


def test_what_arrived_since_the_fault_is_not_mixed_with_what_was_moved(tmp_path):
    for name in ("products", "products_moved"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.csv").touch()
    with pytest.raises(NothingToBreak, match=r"products_moved is still there: bring its files back into .*products,"):
        break_it(FAULT, source=tmp_path, folder=tmp_path)
    assert [path.name for path in (tmp_path / "products").iterdir()] == ["products.csv"]


def test_without_products_there_is_nothing_to_move(tmp_path):
    with pytest.raises(NothingToBreak, match=r"call lab\.arrive first"):
        break_it(FAULT, source=tmp_path, folder=tmp_path)
