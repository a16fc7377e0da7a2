"""The defects are where the manifest says, and nowhere else: found by reading the files, without the builder."""

import csv
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

RETAIL = Path(__file__).resolve().parents[2] / "datasets" / "retail"
MANIFEST = json.loads((RETAIL.parent / "manifest.json").read_text(encoding="ascii"))
ENTRIES = {entry["path"]: entry for entry in MANIFEST["files"]}
COLUMNS = [
    "household_id",
    "store_id",
    "basket_id",
    "product_id",
    "quantity",
    "sales_value",
    "retail_disc",
    "coupon_disc",
    "coupon_match_disc",
    "week",
    "transaction_timestamp",
]
Found = dict[str, dict[str, list[int]]]


def documented(feed: str) -> Found:
    return {
        path: {defect["kind"]: sorted(ids["line"] for ids in defect["ids"]) for defect in entry["defects"]}
        for path, entry in ENTRIES.items()
        if path.startswith(feed)
    }


def lines_of(path: str) -> list[str]:
    return (RETAIL / path).read_text(encoding="ascii").splitlines()


def parsed(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:
        return None


def kinds_of_values(sale: dict[str, Any]) -> list[str]:
    """Name what a single sale shows by itself."""
    if sale["household_id"] is None:
        return ["missing_household_id"]
    if sale["product_id"] is None:
        return ["missing_product_id"]
    if isinstance(sale["quantity"], str):
        return ["quantity_as_word"]
    if isinstance(sale["sales_value"], str):
        return ["sales_value_not_a_number"]
    return [f"negative_{name}" for name in ("quantity", "sales_value") if sale[name] < 0]


def kind_of_repeat(line: str, sale: dict[str, Any], path: str, seen: dict[tuple, list[tuple[str, str]]]) -> str | None:
    """Name how a sale stands to those before it; `seen` has the path and line of each by its key."""
    before = seen[sale["basket_id"], sale["product_id"]]
    if any(old == line for _, old in before):
        return "duplicate_in_file" if path in {old for old, _ in before} else "duplicate_in_later_file"
    if before:
        return "corrected_sales_value"
    return "late_record" if sale["transaction_timestamp"][:10] != Path(path).stem else None


def found_in_transactions() -> Found:
    found: Found = {}
    seen: dict[tuple, list[tuple[str, str]]] = defaultdict(list)
    place: dict[tuple[str, str], int] = {}
    for path in sorted(documented("transactions/")):
        kinds = found[path] = defaultdict(list)
        for number, line in enumerate(lines_of(path), 1):
            sale = parsed(line)
            if sale is None:
                kinds["damaged_line"].append(number)
                continue
            repeat = kind_of_repeat(line, sale, path, seen)
            key = sale["basket_id"], sale["product_id"]
            if repeat == "corrected_sales_value":
                origin, old = seen[key][0]
                assert json.loads(old)["sales_value"] == pytest.approx(sale["sales_value"] * 10)
                found[origin]["wrong_sales_value"].append(place[origin, old])
            for kind in [*kinds_of_values(sale), *([repeat] if repeat else [])]:
                kinds[kind].append(number)
            seen[key].append((path, line))
            place.setdefault((path, line), number)
    return {path: {kind: sorted(numbers) for kind, numbers in kinds.items()} for path, kinds in found.items()}


def sales() -> list[tuple[str, dict[str, Any]]]:
    read = ((path, parsed(line)) for path in sorted(documented("transactions/")) for line in lines_of(path))
    return [(Path(path).stem, sale) for path, sale in read if sale is not None]


def test_every_documented_defect_of_the_transactions_is_there_and_no_other() -> None:
    assert found_in_transactions() == documented("transactions/")


def test_the_first_seven_days_hold_the_kinds_that_the_course_starts_with() -> None:
    week = [kinds for path, kinds in documented("transactions/").items() if Path(path).stem <= "2017-01-07"]
    kinds = {kind for day in week for kind in day}
    assert kinds >= {"missing_household_id", "missing_product_id", "quantity_as_word", "sales_value_not_a_number"}
    assert kinds >= {"duplicate_in_file", "duplicate_in_later_file", "late_record", "negative_quantity"}
    assert sum(len(day.get("damaged_line", [])) for day in week) == 1
    assert "corrected_sales_value" not in kinds


def test_coupon_upc_is_in_every_line_from_the_tenth_on_and_in_none_before() -> None:
    for day, sale in sales():
        assert list(sale) == (COLUMNS if day < "2017-01-10" else [*COLUMNS, "coupon_upc"]), day
    known = [(day, sale["coupon_upc"]) for day, sale in sales() if sale.get("coupon_upc") is not None]
    assert len(known) == 5
    assert known[0][0] == "2017-01-10"
    assert all(type(code) is int for _, code in known)


def test_the_real_defects_of_a_day_are_as_many_as_the_manifest_counts() -> None:
    with (RETAIL / "products/products-2017-01-01.csv").open(newline="", encoding="ascii") as text:
        category = {int(row["product_id"]): row["product_category"] for row in csv.DictReader(text)}
    for day in ("2017-01-09", "2017-01-16"):
        with (RETAIL / f"products/products-{day}.csv").open(newline="", encoding="ascii") as text:
            category.update({int(row["product_id"]): row["product_category"] for row in csv.DictReader(text)})
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for day, sale in sales():
        counts, product = found[f"transactions/{day}.json"], sale["product_id"]
        counts["zero_quantity"] += sale["quantity"] == 0
        counts["product_without_category"] += category.get(product) == ""
        counts["unknown_product_id"] += product is not None and product not in category
    for path, counts in found.items():
        assert counts == {name: ENTRIES[path]["counts"][name] for name in counts}, path
    assert sum(counts["zero_quantity"] for counts in found.values()) == 108


def household_changes() -> list[tuple[str, int, dict[str, Any]]]:
    paths = sorted(documented("households/"))
    return [(path, number, json.loads(line)) for path in paths for number, line in enumerate(lines_of(path), 1)]


def test_every_change_out_of_order_is_documented_and_no_other() -> None:
    newest: dict[int, tuple[int, str]] = {}
    found: Found = {path: defaultdict(list) for path in documented("households/")}
    for path, number, change in household_changes():
        sequence, where = newest.get(change["household_id"], (0, path))
        if change["sequence_number"] < sequence:
            found[path]["reversed_change" if where == path else "late_change"].append(number)
        else:
            newest[change["household_id"]] = change["sequence_number"], path
    assert found == documented("households/")


def test_the_last_line_of_a_household_is_wrong_for_exactly_the_documented_households() -> None:
    changes = [change for _, _, change in household_changes()]
    last = {change["household_id"]: change for change in changes}
    latest = {change["household_id"]: change for change in sorted(changes, key=lambda one: one["sequence_number"])}

    def state(change: dict[str, Any]) -> dict[str, Any] | None:
        return None if change["operation"] == "DELETE" else {**change, "operation": None, "sequence_number": None}

    wrong = {key for key in latest if state(last[key]) != state(latest[key])}
    listed = {
        ids["household_id"]
        for path in documented("households/")
        for defect in ENTRIES[path]["defects"]
        for ids in defect["ids"]
    }
    assert wrong == listed
    assert {latest[key]["operation"] for key in wrong} == {"UPDATE", "DELETE"}


def test_the_change_feed_is_consistent() -> None:
    changes = sorted((change for _, _, change in household_changes()), key=lambda one: one["sequence_number"])
    assert [change["sequence_number"] for change in changes] == list(range(1, len(changes) + 1))
    alive: set[int] = set()
    for change in changes:
        key = change["household_id"]
        assert (key in alive) == (change["operation"] != "INSERT"), change
        alive = alive - {key} if change["operation"] == "DELETE" else alive | {key}
        if change["operation"] == "DELETE":
            assert set(list(change.values())[3:]) == {None}
    assert sum(change["operation"] == "INSERT" for change in changes) == 801


def test_later_product_files_hold_only_new_products_and_changed_categories() -> None:
    known: dict[str, dict[str, str]] = {}
    first_sold: dict[int, str] = {}
    for _, sale in sales():
        first_sold.setdefault(sale["product_id"], sale["transaction_timestamp"][:10])
    for path in sorted(documented("products/")):
        found: dict[str, list[int]] = defaultdict(list)
        with (RETAIL / path).open(newline="", encoding="ascii") as text:
            rows = list(csv.DictReader(text))
        for number, row in enumerate(rows, 2) if known else ():
            old = known.get(row["product_id"])
            found["changed_category" if old else "new_product"].append(number)
            if old:
                assert [name for name in row if row[name] != old[name]] == ["product_category"]
            else:
                assert first_sold.get(int(row["product_id"]), "9") >= Path(path).stem[-10:]
        known.update({row["product_id"]: row for row in rows})
        assert found == documented("products/")[path]
