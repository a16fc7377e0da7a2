"""Lesson 13's checks on a retailer small enough to know by heart; tables are stand-ins, so that no Spark starts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import Row

from helpers.checks import Verdict, judge, load_exercises
from helpers.pipelines.report import DatasetReport, ExpectationCount, UpdateReport

NAME = "13_medallion"
RULES = ("household_known", "product_known", "positive_quantity", "sales_not_negative")
D = Decimal

FIRST = (
    '{"household_id":1,"basket_id":1,"product_id":10,"quantity":1,"sales_value":2.00}\n'
    '{"household_id":1,"basket_id":1,"product_id":11,"quantity":0,"sales_value":0.00}\n'
    '{"household_id":null,"basket_id":1,"product_id":12,"quantity":1,"sales_value":1.00}\n'
    '{"household_id":1,"basket_id":1,"product_id":null,"quantity":1,"sales_value":1.50}\n'
    '{"household_id":1,"basket_id":2,"product_id":10,"quantity":"two","sales_value":1.00}\n'
    '{"household_id":1,"basket_id":2,"prod\n'
)
SECOND = (
    '{"household_id":1,"basket_id":1,"product_id":10,"quantity":1,"sales_value":2.00}\n'
    '{"household_id":2,"basket_id":3,"product_id":12,"quantity":2,"sales_value":40.00}\n'
    '{"household_id":2,"basket_id":3,"product_id":99,"quantity":3,"sales_value":3.68}\n'
)
THIRD = '{"household_id":2,"basket_id":3,"product_id":12,"quantity":2,"sales_value":4.00}\n'
HEADER = "product_id,manufacturer_id,department,brand,product_category,product_type,package_size\n"
RECEIPTS = {"2017-01-01.json": FIRST, "2017-01-02.json": SECOND, "2017-01-03.json": THIRD}
CATALOGUES = {"products-2017-01-01.csv": HEADER + "10,1,GROCERY,National,,,\n12,1,MEAT,Private,BEEF,,\n",
              "products-2017-01-09.csv": HEADER + "12,1,MEAT,Private,PORK,,\n"}


class Frame:
    """As much of a DataFrame as the checks ask for."""

    def __init__(self, rows: list[dict[str, Any]], types: dict[str, str] | None = None) -> None:
        self.rows = rows
        self.columns = list(rows[0]) if rows else []
        self.dtypes = [(name, (types or {}).get(name, "string")) for name in self.columns]

    def select(self, *names: str) -> Frame:
        return Frame([{name: row[name] for name in names} for row in self.rows])

    def where(self, _: str) -> Frame:
        return self

    def orderBy(self, *_: str) -> Frame:
        return self

    def collect(self) -> list[Row]:
        return [Row(**row) for row in self.rows]

    def groupBy(self, name: str) -> SimpleNamespace:
        counts = Counter(row[name] for row in self.rows)
        return SimpleNamespace(count=lambda: Frame([{name: key, "count": n} for key, n in counts.items()]))

    def count(self) -> int:
        return len(self.rows)


class Shop:
    """A lab whose tables are lists of rows; they are right until a test changes them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tables = folder, right_tables()
        self.spark = SimpleNamespace(catalog=SimpleNamespace(tableExists=lambda name: name in self.tables),
                                     table=lambda name: Frame(self.tables[name], TYPES))
        for feed, files in (("transactions", RECEIPTS), ("products", CATALOGUES)):
            (folder / "landing" / feed).mkdir(parents=True)
            for name, text in files.items():
                self.land(feed, name, text)

    def land(self, feed: str, name: str, text: str) -> None:
        (self.folder / "landing" / feed / name).write_text(text, encoding="utf-8")

    def volume(self, path: str) -> str:
        return str(self.folder / path)

    def check(self, name: str, answer: Any) -> Verdict:
        return judge(load_exercises(NAME)[name], self, answer)


TYPES = {"product_id": "bigint", "quantity": "int", "sales_value": "decimal(10,2)"}


def rows_of(files: dict[str, int]) -> list[dict[str, Any]]:
    """Rows that differ in their file only."""
    row = {"basket_id": 1, "product_id": 1, "quantity": 1, "sales_value": D(1), "_rescued_data": None}
    return [{**row, "source_file": file} for file, count in files.items() for _ in range(count)]


def receipt_rows(*counts: int) -> list[dict[str, Any]]:
    return rows_of(dict(zip(RECEIPTS, counts, strict=True)))


def sale(basket: int, product: int, quantity: int, value: str, place: tuple[str, str], tier: str) -> dict[str, Any]:
    return {"household_id": 1, "basket_id": basket, "product_id": product, "quantity": quantity,
            "sales_value": D(value), "department": place[0], "category": place[1], "price_tier": tier}


def right_tables() -> dict[str, list[dict[str, Any]]]:
    return {
        "bronze_transactions": receipt_rows(6, 3, 1),
        "bronze_products": rows_of(dict(zip(CATALOGUES, (2, 1), strict=True))),
        "silver_transactions": receipt_rows(1, 3, 1),
        "silver_quarantine": receipt_rows(5, 0, 0),
        "silver_products": [
            {"product_id": 10, "department": "GROCERY", "category": "UNKNOWN", "brand": "National"},
            {"product_id": 12, "department": "MEAT", "category": "PORK", "brand": "Private"}],
        "silver_sales": [
            sale(1, 10, 1, "2.00", ("GROCERY", "UNKNOWN"), "standard"),
            sale(3, 12, 2, "4.00", ("MEAT", "PORK"), "standard"),
            sale(3, 99, 3, "3.68", ("UNKNOWN", "UNKNOWN"), "budget")],
        "gold_revenue_by_department": [
            {"department": "GROCERY", "revenue": D("2.00"), "baskets": 1, "products": 1, "quantity": 1},
            {"department": "MEAT", "revenue": D("4.00"), "baskets": 1, "products": 1, "quantity": 2},
            {"department": "UNKNOWN", "revenue": D("3.68"), "baskets": 1, "products": 1, "quantity": 3}],
        "gold_revenue_by_price_tier": [
            {"price_tier": "standard", "revenue": D("6.00"), "quantity": 3, "products": 2},
            {"price_tier": "budget", "revenue": D("3.68"), "quantity": 3, "products": 1}],
        "gold_quality_by_file": [
            {"source_file": "2017-01-01.json", "records": 6, "valid_records": 1, "valid_share": D("0.1667")},
            {"source_file": "2017-01-02.json", "records": 3, "valid_records": 3, "valid_share": D("1.0000")},
            {"source_file": "2017-01-03.json", "records": 1, "valid_records": 1, "valid_share": D("1.0000")}],
    }


def stored(name: str, kind: str, *inputs: str, rules: dict[str, str] | None = None) -> DatasetReport:
    counts = tuple(ExpectationCount(rule, name, 1, 0, action) for rule, action in (rules or {}).items())
    return DatasetReport(name, kind, inputs, "COMPLETED", rows_read=5, num_output_rows=5, expectations=counts)


STREAM, VIEW = "STREAMING_TABLE", "MATERIALIZED_VIEW"
DATASETS = (
    stored("bronze_transactions", STREAM, "landing", rules={"readable": "warn"}),
    stored("bronze_products", STREAM, "landing"),
    stored("silver_transactions", STREAM, "bronze_transactions", rules=dict.fromkeys(RULES, "drop")),
    stored("silver_quarantine", STREAM, "bronze_transactions"),
    stored("silver_products", VIEW, "bronze_products", rules={"has_category": "warn"}),
    stored("silver_sales", VIEW, "silver_transactions", "silver_products", rules={"in_catalogue": "warn"}),
    stored("gold_revenue_by_department", VIEW, "silver_sales"),
    stored("gold_revenue_by_price_tier", VIEW, "silver_sales"),
    stored("gold_quality_by_file", VIEW, "silver_transactions", "silver_quarantine"),
)


def report(*changed: DatasetReport, error: str | None = None) -> UpdateReport:
    new = {dataset.name: dataset for dataset in changed}
    return UpdateReport("id", "retail", "u", "COMPLETED", "USER_ACTION", False, 0, error=error,
                        datasets=tuple(new.get(dataset.name, dataset) for dataset in DATASETS))


def dataset(name: str) -> DatasetReport:
    return next(each for each in DATASETS if each.name == name)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.mark.parametrize("number", range(1, 11))
def test_the_untouched_scaffold_is_not_attempted(shop: Shop, number: int) -> None:
    answer = (report(), ...) if number == 8 else ...
    assert shop.check(f"13.{number}", answer).status == "not attempted"


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6, 7])
def test_right_tables_pass(shop: Shop, number: int) -> None:
    verdict = shop.check(f"13.{number}", report())
    assert verdict.status == "correct", verdict.lines


@pytest.mark.parametrize("number", [1, 2, 3, 4, 6, 7])
def test_no_update_a_failed_one_and_one_without_the_table_are_told_apart(shop: Shop, number: int) -> None:
    assert "expected the report of an update" in str(shop.check(f"13.{number}", "COMPLETED"))
    assert "The update failed: silvr is unknown" in str(shop.check(f"13.{number}", report(error="silvr is unknown")))
    assert "The pipeline has no `" in str(shop.check(f"13.{number}", replace(report(), datasets=())))


@pytest.mark.parametrize(
    ("number", "changed", "told"),
    [
        (1, replace(dataset("bronze_products"), kind=VIEW), "is a materialized view, expected a streaming table"),
        (1, replace(dataset("bronze_transactions"), expectations=(
            ExpectationCount("readable", "bronze_transactions", 1, 0, "drop"),)), "does drop, expected warn"),
        (2, replace(dataset("silver_transactions"), inputs=("landing",)), "does not read `bronze_transactions`"),
        (4, replace(dataset("silver_products"), kind=STREAM), "is a streaming table, expected a materialized view"),
        (6, replace(dataset("silver_sales"), inputs=("bronze_transactions",)), "does not read `silver_transactions`"),
        (7, replace(dataset("gold_revenue_by_department"), kind=STREAM), "expected a materialized view"),
    ],
)
def test_another_object_input_or_action_is_named(shop: Shop, number: int, changed: DatasetReport, told: str) -> None:
    assert told in str(shop.check(f"13.{number}", report(changed)))


def test_an_update_that_had_nothing_to_do_is_judged_by_the_event_log(shop: Shop) -> None:
    idle = replace(dataset("silver_transactions"), expectations=(), rows_read=0)
    events = [{"name": rule, "dataset": "silver_transactions"} for rule in RULES]
    details = {"flow_progress": {"status": "RUNNING", "data_quality": {"expectations": events}}}
    shop.tables["event_log_id"] = [{"details": json.dumps(details)}]
    assert shop.check("13.2", report(idle)).status == "correct"
    details["flow_progress"]["data_quality"] = {"expectations": events[1:]}
    shop.tables["event_log_id"] = [{"details": json.dumps(details)}]
    assert "has counted no rule `household_known`" in str(shop.check("13.2", report(idle)))


def unsourced(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**rows[0], "source_file": None}, *rows[1:]]


def changed(place: int, **values: Any) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda rows: [{**row, **values} if number == place else row for number, row in enumerate(rows)]


def without(place: int) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    return lambda rows: [row for number, row in enumerate(rows) if number != place]


@pytest.mark.parametrize(
    ("number", "table", "spoil", "told"),
    [
        (1, "bronze_transactions", lambda rows: rows[1:], "has 5 rows of 2017-01-01.json, expected 6"),
        (1, "bronze_transactions", unsourced, "1 rows of `bronze_transactions` have no source_file"),
        (1, "bronze_products", lambda rows: [{"product_id": 1}], "has no column `source_file`"),
        (2, "silver_transactions", lambda rows: receipt_rows(2, 3, 1), "after a change of its query"),
        (3, "silver_quarantine", lambda rows: rows[:3], "2 lines of bronze are neither in silver_transactions nor"),
        (3, "silver_quarantine", lambda rows: receipt_rows(6, 3, 1), "has 6 rows of 2017-01-01.json, expected 5"),
        (4, "silver_products", lambda rows: [*rows, rows[1]], "some products stand there twice"),
        (4, "silver_products", changed(1, category="BEEF"), "but its newest file says ('MEAT', 'PORK')"),
        (4, "silver_products", changed(0, category=None), "Some departments or categories are NULL"),
        (6, "silver_sales", without(2), "sales of products that the catalogue does not know are gone, such as 99"),
        (6, "silver_sales", lambda rows: [*rows, rows[0]], "1 keys have more than one row"),
        (6, "silver_sales", changed(1, sales_value=D("40.00")), "has 40.00, but 2017-01-03.json says 4.00"),
        (6, "silver_sales", changed(2, department=None), "product 99 is in (None, 'UNKNOWN')"),
        (6, "silver_sales", changed(2, price_tier="premium"), "3 for 3.68 is 'premium', expected 'budget'"),
        (6, "silver_sales", changed(0, basket_id=7), "1 sales of silver_transactions are not in `silver_sales`"),
        (7, "gold_revenue_by_department", changed(1, revenue=D("40.00")), "MEAT is 40.00, but the files give 4.00"),
        (7, "gold_revenue_by_department", without(2), "has 2 values of department, expected 3"),
        (7, "gold_quality_by_file", changed(0, valid_share=D("1.0000")), "but the files give 0.1667"),
        (7, "gold_revenue_by_price_tier", lambda rows: [{"price_tier": "budget"}], "has no column `revenue`"),
    ],
)
def test_what_is_wrong_with_the_rows_is_named(
    shop: Shop, number: int, table: str, spoil: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], told: str
) -> None:
    shop.tables[table] = spoil(shop.tables[table])
    verdict = shop.check(f"13.{number}", report())
    assert verdict.status == "incorrect"
    assert told in str(verdict)


def test_money_as_a_double_is_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TYPES, "revenue", "double")
    assert "`gold_revenue_by_department.revenue` is a double" in str(shop.check("13.7", report()))


def lost(**lines: tuple[int, str]) -> Frame:
    return Frame([{"product_id": None if key == "none" else int(key[1:]), "lines": count, "revenue": D(revenue)}
                  for key, (count, revenue) in lines.items()])


def test_lines_that_find_no_product_are_counted_and_the_wrong_join_is_told(shop: Shop) -> None:
    right = {"none": (2, "1.50"), "p11": (1, "0.00"), "p99": (1, "3.68")}
    assert "would lose 4 lines, worth 5.18 dollars" in str(shop.check("13.5", lost(**right)))
    no_null = shop.check("13.5", lost(p11=(1, "0.00"), p99=(1, "3.68")))
    assert "2 lines have no product_id. NULL equals nothing" in str(no_null)
    uncategorised = shop.check("13.5", lost(**right, p10=(3, "5.00")))
    assert "Product 10 is not lost" in str(uncategorised)
    from_silver = shop.check("13.5", lost(p99=(1, "3.68")))
    assert "Product 11 has 0 lines in `lost`, expected 1. Is bronze the left side?" in str(from_silver)
    assert "add up to 5.00, expected 5.18" in str(shop.check("13.5", lost(**{**right, "p99": (1, "3.50")})))
    assert "expected a DataFrame" in str(shop.check("13.5", 4))


def test_only_what_was_written_as_a_whole_was_computed_anew(shop: Shop) -> None:
    morning = report(replace(dataset("silver_products"), status="IDLE"))
    views = [each.name for each in DATASETS if each.kind == VIEW]
    right = [name for name in views if name != "silver_products"]
    assert "silver_products reads has changed" in str(shop.check("13.8", (morning, set(right))))
    assert "`silver_products` is IDLE in this update" in str(shop.check("13.8", (morning, views)))
    streams = shop.check("13.8", (morning, [*right[1:], "silver_transactions", "silver"]))
    assert "`silver_transactions` is a streaming table: it read 5 rows, the new ones only" in str(streams)
    assert "There is no dataset 'silver' in this update" in str(streams)
    assert "1 more were computed anew" in str(streams)
    assert "expected a list of names" in str(shop.check("13.8", (morning, "silver_sales")))


def test_a_second_run_of_the_morning_finds_nothing_and_says_so(shop: Shop) -> None:
    quiet = replace(report(), datasets=tuple(replace(each, status="IDLE") for each in DATASETS))
    assert shop.check("13.8", (quiet, [])).status == "correct"
    assert "this time the list is empty" in str(shop.check("13.8", (quiet, ["silver_sales"])))
    early = replace(report(), datasets=DATASETS[:3])
    assert "Finish 13.7" in str(shop.check("13.8", (early, [])))


def test_what_a_gold_that_only_adds_is_off_by(shop: Shop) -> None:
    assert shop.check("13.9", D("42.00")).status == "correct"
    assert "the smaller sum minus the larger" in str(shop.check("13.9", D("-42.00")))
    assert "51.68 is one of the two sums" in str(shop.check("13.9", 51.68))
    assert "The good lines add up to 51.68 dollars" in str(shop.check("13.9", 40))
    assert "expected a number" in str(shop.check("13.9", Row(dollars=D("42.00"))))


def test_a_copied_file_must_be_in_bronze_and_must_not_move_gold(shop: Shop) -> None:
    assert "Nothing was delivered twice yet" in str(shop.check("13.10", D(0)))
    shop.land("transactions", "2017-01-03_redelivered.json", THIRD)
    unread = str(shop.check("13.10", D(0)))
    assert "has 0 rows of 2017-01-03_redelivered.json, expected 1" in unread
    copy = {"source_file": "2017-01-03_redelivered.json"}
    for name in ("bronze_transactions", "silver_transactions"):
        shop.tables[name].append({**shop.tables[name][0], **copy})
    shop.tables["gold_quality_by_file"].append(copy | {"records": 1, "valid_records": 1, "valid_share": D(1)})
    assert "gold has not moved by a cent" in str(shop.check("13.10", D(0)))
    shop.tables["gold_revenue_by_department"][1]["revenue"] = D("8.00")
    doubled = str(shop.check("13.10", D("4.00")))
    assert "Gold has changed by 4.00 dollars" in doubled
    assert "MEAT is 8.00, but the files give 4.00" in doubled
