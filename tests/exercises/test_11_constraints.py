"""Lesson 11's checks: right passes, likely mistakes are named, and an untouched scaffold is not attempted."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from helpers import checks, looking
from helpers.checks import Verdict
from helpers.exercises import quality
from helpers.lab import Lab
from helpers.pipelines.report import DatasetReport, ExpectationCount, UpdateReport

LESSON = importlib.import_module("helpers.exercises.11_constraints")
NAME = "11_constraints"
ALL = tuple(quality.RULES)


def line(product: int, quantity: int | None, value: str | None, *, household: int | None = 1,
         rescued: str | None = None) -> Any:
    return SimpleNamespace(household_id=household, store_id=7, basket_id=1, product_id=product, quantity=quantity,
                           sales_value=Decimal(value) if value else None, _rescued_data=rescued, source_file="a.json")


#: A good line, quantity 0, no household, a negative amount, an amount that is no number, a quantity in words.
LINES = (line(1, 2, "2.50"), line(2, 0, "1.00"), line(3, 1, "1.00", household=None), line(4, 1, "-1.00"),
         line(5, 1, None, rescued='{"sales_value":"n/a"}'), line(6, None, "1.00", rescued='{"quantity":"two"}'))


def dataset(name: str, *, kind: str = "STREAMING_TABLE", rows: int = len(LINES), **rules: str) -> DatasetReport:
    """A report in which each rule counted what LINES hold."""
    failed = {rule: sum(not quality.keeps(row, rule) for row in LINES) for rule in rules if rule in ALL}
    counts = tuple(ExpectationCount(rule, name, rows - failed.get(rule, 0), failed.get(rule, 0), action)
                   for rule, action in rules.items())
    return DatasetReport(name, kind, status="COMPLETED", rows_read=rows, num_output_rows=rows, expectations=counts)


def update(*datasets: DatasetReport, error: str | None = None) -> UpdateReport:
    return UpdateReport("id", "shop", "u", "FAILED" if error else "COMPLETED", "USER_ACTION", False, 0,
                        datasets=datasets, error=error)


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """Tables as lists of lines: what the checks find in place of Spark's."""
    found: dict[str, list[Any]] = {"bronze_receipts": list(LINES)}

    class Frame(list[Any]):
        columns = ("store_id", "revenue")

        def select(self, *_: str) -> Frame:
            return self

        def collect(self) -> Frame:
            return self

        def count(self) -> int:  # type: ignore[override]
            return len(self)

    def table(_: Any, name: str) -> Frame:
        if name not in found:
            raise looking.NotThere(f"There is no table `{name}` yet.")
        return Frame(found[name])

    monkeypatch.setattr(looking, "table", table)
    return found


def judged(number: int, answer: Any) -> Verdict:
    return checks.judge(LESSON.EXERCISES[number - 1], SimpleNamespace(), answer)


@pytest.mark.parametrize("number", range(1, 9))
def test_the_untouched_scaffold_is_not_attempted(number: int) -> None:
    assert judged(number, ...).status == "not attempted"


@pytest.mark.parametrize("number", [4, 6, 7, 8])
def test_an_answer_that_is_no_update_or_a_failed_one_says_so(number: int) -> None:
    assert "expected the report of an update" in str(judged(number, "done"))
    assert "The update failed: no such table" in str(judged(number, update(error="no such table")))


RIGHT = {"household_known": "drop", "positive_quantity": "drop", "nothing_rescued": "warn", "source_known": "fail"}


def test_three_actions_with_the_right_counts_pass(tables: dict[str, list[Any]]) -> None:
    tables["clean_sales"] = [row for row in LINES if quality.keeps(row, "household_known", "positive_quantity")]
    assert judged(4, update(dataset("clean_sales", **RIGHT))).status == "correct"


def test_a_wrong_action_a_missing_rule_and_a_wrong_count_are_all_named(tables: dict[str, list[Any]]) -> None:
    tables["clean_sales"] = list(LINES)
    text = str(judged(4, update(dataset("clean_sales", household_known="warn", positive_quantity="drop",
                                        nothing_rescued="fail"))))
    assert "`household_known` of `clean_sales` only warns, expected one that drops the row" in text
    assert "`nothing_rescued` of `clean_sales` fails the update, expected one that only warns" in text
    assert "`clean_sales` has no expectation `source_known`" in text
    lenient = dataset("clean_sales", **RIGHT)
    counts = tuple(ExpectationCount(each.name, each.dataset, 6, 0, each.action) for each in lenient.expectations)
    text = str(judged(4, update(DatasetReport("clean_sales", "STREAMING_TABLE", rows_read=6, expectations=counts))))
    assert "`positive_quantity` of `clean_sales` counts 0 failed rows, expected 2" in text


def test_an_update_that_read_only_new_rows_is_not_taken_for_a_full_refresh(tables: dict[str, list[Any]]) -> None:
    tables["clean_sales"] = []
    idle = DatasetReport("clean_sales", "STREAMING_TABLE", status="IDLE", rows_read=0)
    assert "This update read 0 of 6 lines" in str(judged(4, update(idle)))
    view = dataset("clean_sales", kind="MATERIALIZED_VIEW", **RIGHT)
    assert "`clean_sales` is a materialized view, expected a streaming table" in str(judged(4, update(view)))


def test_gold_needs_its_rule_and_the_sums_of_silver(tables: dict[str, list[Any]]) -> None:
    rules = ("household_known", "positive_quantity", "sales_not_negative")
    tables["silver_sales"] = [row for row in LINES if quality.keeps(row, *rules)]
    tables["gold_revenue"] = [SimpleNamespace(store_id=7, revenue=Decimal("2.50"))]
    silver = dataset("silver_sales", **dict.fromkeys(rules, "drop"))
    gold = dataset("gold_revenue", kind="MATERIALIZED_VIEW", revenue_not_negative="fail")
    assert judged(6, update(silver, gold)).status == "correct"
    tables["gold_revenue"] = [SimpleNamespace(store_id=7, revenue=Decimal("4.50"))]
    warning = dataset("gold_revenue", kind="MATERIALIZED_VIEW", revenue_not_negative="warn")
    text = str(judged(6, update(silver, warning)))
    assert "It has revenue_not_negative (warn)" in text
    assert "Is it grouped by store_id, and read from silver_sales?" in text


def sides(tables: dict[str, list[Any]], good: Callable[[Any], bool], bad: Callable[[Any], bool],
          action: str = "drop") -> Verdict:
    tables["priced_sales"] = [row for row in LINES if good(row)]
    tables["quarantined_sales"] = [row for row in LINES if bad(row)]
    return judged(7, update(dataset("priced_sales", priced=action), dataset("quarantined_sales", other=action)))


def priced(row: Any) -> bool:
    return quality.keeps(row, "positive_quantity", "sales_not_negative")


def test_a_rule_and_its_opposite_pass_and_the_null_trap_is_named(tables: dict[str, list[Any]]) -> None:
    assert sides(tables, priced, lambda row: not priced(row)).status == "correct"
    trapped = sides(tables, priced, lambda row: None not in (row.quantity, row.sales_value) and not priced(row))
    assert "2 line(s) are in neither table: their quantity or sales_value is NULL" in str(trapped)


def test_lines_on_both_sides_or_on_the_wrong_side_or_uncounted_are_named(tables: dict[str, list[Any]]) -> None:
    assert "5 line(s) are there twice" in str(sides(tables, lambda row: True, lambda row: row.product_id != 3))
    lenient = sides(tables, lambda row: row.product_id != 4, lambda row: row.product_id == 4)
    assert "`priced_sales` has 3 line(s) that belong in quarantine" in str(lenient)
    harsh = sides(tables, lambda row: row.product_id == 1, lambda row: row.product_id != 1)
    assert "`quarantined_sales` has 1 line(s) that keep both rules" in str(harsh)
    uncounted = sides(tables, priced, lambda row: not priced(row), action="warn")
    assert "`priced_sales` has no expectation that drops" in str(uncounted)


def repair(tables: dict[str, list[Any]], counted: Sequence[Any], unreadable: Sequence[Any] = (), *,
           action: str = "fail") -> Verdict:
    tables["counted_receipts"], tables["unreadable_receipts"] = list(counted), list(unreadable)
    return judged(8, update(dataset("counted_receipts", quantity_is_number=action), dataset("unreadable_receipts")))


def test_a_repair_reads_the_words_and_leaves_the_rule_in_place(tables: dict[str, list[Any]]) -> None:
    many, damaged = line(7, None, "1.00", rescued='{"quantity":"many"}'), line(8, None, None, rescued='{"quan')
    tables["bronze_receipts"] += [many, damaged]
    counted = [*LINES[:5], line(6, 2, "1.00")]
    assert repair(tables, counted, [many, damaged]).status == "correct"
    assert "no longer fails the update" in str(repair(tables, counted, [many, damaged], action="drop"))
    assert "`unreadable_receipts` has 0 rows, expected 2" in str(repair(tables, counted))


def test_a_repair_that_loses_lines_or_guesses_numbers_is_told_so(tables: dict[str, list[Any]]) -> None:
    assert "1 line(s) of a.json are missing from `counted_receipts`" in str(repair(tables, LINES[:5], LINES[5:]))
    assert "another quantity than the till sent" in str(repair(tables, [*LINES[:5], line(6, 0, "1.00")]))
    assert "1 line(s) without a quantity, which its rule forbids" in str(repair(tables, LINES, action="warn"))


def event(update_id: str, **counted: tuple[int, int]) -> list[Any]:
    expectations = [{"name": name, "dataset": "t", "passed_records": passed, "failed_records": failed}
                    for name, (passed, failed) in counted.items()]
    progress = {"flow_progress": {"status": "RUNNING", "data_quality": {"expectations": expectations}}}
    idle = {"flow_progress": {"status": "COMPLETED"}}
    return [SimpleNamespace(event_type="create_update", update_id=update_id, details="{}"),
            *(SimpleNamespace(event_type="flow_progress", update_id=update_id, details=json.dumps(details))
              for details in ([progress, idle] if counted else [idle]))]


def test_counts_of_the_newest_update_pass_and_those_of_all_updates_are_recognised() -> None:
    log = [*event("first", known=(9, 1), priced=(8, 2)), *event("second", known=(19, 2), priced=(17, 4))]
    assert quality.counts_problems([("t", "known", 19, 2), ("t", "priced", 17, 4)], log) == []
    every = quality.counts_problems([("t", "known", 28, 3), ("t", "priced", 25, 6)], log)
    assert "These are sums over all updates" in every[0]
    ungrouped = quality.counts_problems([("t", "known", 9, 1), ("t", "known", 19, 2), ("t", "priced", 17, 4)], log)
    assert "Filter by the newest update, then group" in ungrouped[0]
    old = quality.counts_problems([("t", "known", 9, 1)], log)
    assert "`known` has 9 passed and 1 failed records, expected 19 and 2" in old[0]
    assert "no row for the expectation `priced`" in old[1]
    assert "has counted nothing" in quality.counts_problems([], [*log, *event("third")])[0]


def test_counts_that_are_no_frame_or_lack_a_column_say_so() -> None:
    assert "`counts` is a list, expected a DataFrame" in str(judged(5, []))
    assert "`counts` has no column `dataset`, `passed_records`" in str(
        judged(5, SimpleNamespace(columns=["name", "failed_records"])))


@pytest.fixture(scope="module")
def lab(lab_for: Callable[[str], Lab]) -> Lab:
    """A lab whose bronze_receipts holds the lines of this file."""
    lab = lab_for(NAME)
    rows = [(row.household_id, 7, 1, row.product_id, row.quantity, row.sales_value, row._rescued_data, "a.json")
            for row in LINES]
    lab.spark.createDataFrame(rows, "household_id BIGINT, store_id BIGINT, basket_id BIGINT, product_id BIGINT, "
                              "quantity INT, sales_value DECIMAL(10,2), _rescued_data STRING, source_file STRING"
                              ).write.saveAsTable("bronze_receipts")
    return lab


def guard(lab: Lab, *, household: str = "BIGINT NOT NULL", condition: str | None = "quantity > 0") -> Any:
    lab.spark.sql(f"CREATE OR REPLACE TABLE guarded_sales (household_id {household}, basket_id BIGINT, "
                  "product_id BIGINT, quantity INT, sales_value DECIMAL(10,2))")
    if condition:
        lab.spark.sql(f"ALTER TABLE guarded_sales ADD CONSTRAINT positive_quantity CHECK ({condition})")
    return lab.spark.table("guarded_sales")


def test_a_guarded_table_passes_and_a_table_that_lets_rows_in_is_told_which(lab: Lab) -> None:
    open_table = str(lab.check("11.1", guard(lab, household="BIGINT", condition=None)))
    assert "`guarded_sales.household_id` takes NULL" in open_table
    assert "has no constraint `positive_quantity`" in open_table
    assert "which takes the quantity 0" in str(lab.check("11.1", guard(lab, condition="quantity >= 0")))
    assert lab.check("11.1", guard(lab)).status == "correct"
    assert "`guarded_sales` is empty" in str(lab.check("11.2", 0))
    insert = ("guarded_sales SELECT household_id, basket_id, product_id, quantity, sales_value FROM bronze_receipts "
              "WHERE household_id IS NOT NULL AND quantity > 0")
    lab.spark.sql(f"INSERT OVERWRITE {insert}")
    assert lab.check("11.2", 3).status == "correct"
    assert "`written` is 6, but guarded_sales has 3 rows" in str(lab.check("11.2", 6))
    lab.spark.sql(f"INSERT INTO {insert}")
    assert "were rows appended to what was there?" in str(lab.check("11.2", 6))


def test_rows_moved_aside_before_the_constraint_pass_and_the_null_trap_is_named(lab: Lab) -> None:
    lab.spark.sql("CREATE OR REPLACE TABLE archive AS SELECT * FROM bronze_receipts WHERE NOT (sales_value < 0) "
                  "OR sales_value IS NULL")
    lab.spark.sql("CREATE OR REPLACE TABLE archive_broken AS SELECT * FROM bronze_receipts "
                  "WHERE NOT (sales_value >= 0)")
    text = str(lab.check("11.3", lab.spark.table("archive_broken")))
    assert "`archive` still has 1 row(s) without a sales_value" in text
    assert "`archive_broken` has 1 rows, expected 2" in text
    assert "has no constraint `sales_not_negative` yet" in text
    lab.spark.sql("INSERT INTO archive_broken SELECT * FROM archive WHERE sales_value IS NULL")
    lab.spark.sql("DELETE FROM archive WHERE sales_value IS NULL")
    lab.spark.sql("ALTER TABLE archive ADD CONSTRAINT sales_not_negative CHECK (sales_value >= 0)")
    assert lab.check("11.3", lab.spark.table("archive_broken")).status == "correct"
