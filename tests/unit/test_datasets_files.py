"""The committed retail files are the ones that the manifest and the README describe."""

import csv
import hashlib
import json
from pathlib import Path

import pytest

from datasets.build import HERE
from datasets.retail_builder.readme import BEGIN, TablesNotFound, with_tables

RETAIL = HERE / "retail"
README = (HERE / "README.md").read_text(encoding="utf-8")
MANIFEST = json.loads((HERE / "manifest.json").read_text(encoding="ascii"))
ENTRIES = {entry["path"]: entry for entry in MANIFEST["files"]}


def test_the_manifest_lists_exactly_the_files_in_the_folder() -> None:
    found = {path.relative_to(RETAIL).as_posix() for path in RETAIL.rglob("*") if path.is_file()}
    assert found == set(ENTRIES)
    assert MANIFEST["version"] == 1


@pytest.mark.parametrize("path", sorted(ENTRIES))
def test_a_file_has_the_bytes_lines_and_hash_of_the_manifest(path: str) -> None:
    data, entry = (RETAIL / path).read_bytes(), ENTRIES[path]
    assert (len(data), data.count(b"\n"), hashlib.sha256(data).hexdigest()) == (
        entry["bytes"],
        entry["rows"],
        entry["sha256"],
    )
    assert data.endswith(b"\n")
    assert b"\r" not in data


def test_every_kind_is_counted_as_often_as_it_is_listed() -> None:
    for entry in ENTRIES.values():
        assert all(defect["count"] == len(defect["ids"]) > 0 for defect in entry["defects"]), entry["path"]


def test_the_lines_of_a_day_are_the_source_lines_and_what_was_added_less_what_comes_late() -> None:
    late = [ids["day"] for entry in ENTRIES.values() for ids in _listed(entry, "late_record")]
    added = ("duplicate_in_file", "duplicate_in_later_file", "late_record", "corrected_sales_value")
    for path, entry in ENTRIES.items():
        if path.startswith("transactions/"):
            more = sum(len(_listed(entry, kind)) for kind in added)
            assert entry["rows"] == entry["counts"]["source_rows"] + more - late.count(Path(path).stem), path


def test_everything_in_datasets_is_at_most_eight_megabytes() -> None:
    files = [path for path in HERE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert sum(path.stat().st_size for path in files) <= 8_000_000


def test_each_feed_has_a_file_for_its_days() -> None:
    days = [f"2017-01-{number:02}" for number in range(1, 22)]
    assert sorted(Path(path).stem for path in ENTRIES if path.startswith("transactions/")) == days
    assert sorted(Path(path).stem for path in ENTRIES if path.startswith("households/")) == days
    products = [Path(path).stem for path in ENTRIES if path.startswith("products/")]
    assert sorted(products) == ["products-2017-01-01", "products-2017-01-09", "products-2017-01-16"]


def test_the_readme_shows_the_manifest() -> None:
    assert with_tables(README, manifest=HERE / "manifest.json") == README


def test_a_readme_without_the_markers_is_refused_and_told_which() -> None:
    with pytest.raises(TablesNotFound, match="tables: begin"):
        with_tables(README.replace(BEGIN, ""), manifest=HERE / "manifest.json")


def test_the_readme_names_every_injected_kind_and_carries_the_licence() -> None:
    kinds = {defect["kind"] for entry in ENTRIES.values() for defect in entry["defects"]}
    assert {kind for kind in kinds if f"`{kind}`" not in README} == set()
    assert "Copyright (c) 2025 James Cunningham" in README


def test_the_real_defects_of_the_slice_are_as_many_as_the_readme_says() -> None:
    with (RETAIL / "products/products-2017-01-01.csv").open(newline="", encoding="ascii") as text:
        without = sum(row["product_category"] == "" for row in csv.DictReader(text))
    days = [entry["counts"] for path, entry in ENTRIES.items() if path.startswith("transactions/")]
    for name, value in (
        ("lines with quantity 0 | 8,869", sum(day["zero_quantity"] for day in days)),
        ("products without a category | 540", without),
        ("lines whose product has no category | 2,209", sum(day["product_without_category"] for day in days)),
        ("lines with such an id | 4,836", sum(day["unknown_product_id"] for day in days)),
    ):
        assert f"| {name} | {value} |" in README
    assert f"{sum(day['source_rows'] for day in days):,} lines of the source" in README


def _listed(entry: dict, kind: str) -> list[dict]:
    return [ids for defect in entry["defects"] if defect["kind"] == kind for ids in defect["ids"]]
