"""Checks of lesson 11: constraints and expectations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import quality
from helpers.exercises.quality import keeps, line_key

TITLE = "Constraints and expectations"
OBJECTIVES = ("3.1", "3.6", "3.7")
DIFFERENCES = ("pipelines.null-condition", "pipelines.notebook", "pipelines.event-log-time",
               "pipelines.event-log-function", "pipelines.expectation-boolean", "sql.expectation-subquery")
_TYPES = {"household_id": "bigint", "basket_id": "bigint", "product_id": "bigint", "quantity": "int",
          "sales_value": "decimal(10,2)"}


def guarded(lab: Any, answer: Any) -> Verdict:
    problems = _no_frame(answer, "guarded", "guarded_sales")
    frame = looking.table(lab, "guarded_sales")
    problems += looking.wrong_types(frame, _TYPES, name="guarded_sales")
    if any(field.name == "household_id" and field.nullable for field in frame.schema.fields):
        problems.append("`guarded_sales.household_id` takes NULL. Which words stand behind the type of a column that "
                        "must be filled, in CREATE TABLE?")
    condition = _constraint(lab, "guarded_sales", "positive_quantity")
    if condition is None:
        problems.append("`guarded_sales` has no constraint `positive_quantity`. A CHECK is added once the table is "
                        "there: which statement changes a table?")
    elif not problems:
        problems += [f"`positive_quantity` says `{condition}`, which {'takes' if took else 'refuses'} the quantity "
                     f"{value}. What does \"above 0\" mean for it?"
                     for value, took in _tried(lab, condition).items() if took != (value > 0)]
    return verdict(problems, right="The table says no to a line without a household, and to a quantity of 0 or less.")


def written(lab: Any, answer: Any) -> Verdict:
    wanted = sum(keeps(row, "household_known", "positive_quantity") for row in _bronze(lab))
    found = looking.table(lab, "guarded_sales").count()
    if not found:
        return verdict(["`guarded_sales` is empty: a write with one violating row writes nothing at all. Which rows "
                        "does your query have to leave out?"], right="")
    problems = looking.row_count_problem(
        found, wanted, name="guarded_sales",
        more="were rows appended to what was there? INSERT OVERWRITE replaces it.",
        fewer="rows are left out that break neither rule, or bronze_receipts has grown since.")
    if not isinstance(answer, int) or isinstance(answer, bool):
        problems.append(f"`written` is a {type(answer).__name__}, expected a number: "
                        '`spark.table("guarded_sales").count()`.')
    elif answer != found:
        problems.append(f"`written` is {answer:,}, but guarded_sales has {found:,} rows. Count the table after the "
                        "write.")
    return verdict(problems, right=f"{wanted:,} rows are in. The query left the others out; the table would have "
                                   "refused all of them together.")


def broken(lab: Any, answer: Any) -> Verdict:
    rows, archive = _bronze(lab), looking.table(lab, "archive")
    wanted = sum(not keeps(row, "sales_not_negative") for row in rows)
    kept, left_out = archive.count(), looking.table(lab, "archive_broken").count()
    problems = _no_frame(answer, "broken", "archive_broken") + _still_broken(archive)
    problems += looking.row_count_problem(
        left_out, wanted, name="archive_broken", more="rows are in it that keep the rule.",
        fewer="were the rows deleted before they were copied, or does your condition pass over NULL?")
    if kept + left_out < len(rows):
        problems.append(f"{len(rows) - kept - left_out} row(s) of bronze_receipts are in neither of the two tables.")
    problems += [] if _constraint(lab, "archive", "sales_not_negative") else [
        "`archive` has no constraint `sales_not_negative` yet. ALTER TABLE adds it, once no row breaks it."]
    return verdict(problems, right=f"{wanted} rows moved aside, also where the amount is missing. From now on nobody "
                                   "can write such a row to `archive`.")


def _still_broken(archive: Any) -> list[str]:
    rows = archive.where("(sales_value >= 0) IS NOT TRUE").select("sales_value").collect()
    unknown = sum(row.sales_value is None for row in rows)
    problems = [f"`archive` still has {unknown} row(s) without a sales_value. For them `sales_value >= 0` is NULL, and "
                "so is its NOT. What is true for both, false and NULL?"] if unknown else []
    if len(rows) > unknown:
        problems.append(f"`archive` still has {len(rows) - unknown} row(s) with a negative sales_value. DELETE FROM "
                        "works on a Delta table.")
    return problems


def clean_sales(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, clean_sales="STREAMING_TABLE")
    if problems:
        return verdict(problems, right="")
    rows, dataset = _bronze(lab), answer.dataset("clean_sales")
    actions = {"household_known": "drop", "positive_quantity": "drop", "nothing_rescued": "warn",
               "source_known": "fail"}
    problems = quality.rules_problems(dataset, actions, rows) or _kept(
        lab, "clean_sales", rows, "household_known", "positive_quantity")
    return verdict(problems, right=f"{dataset.dropped_records} lines were dropped and counted. A rescued line was only "
                                   "counted: it is in the table, unless it broke another rule.")


def counts(lab: Any, answer: Any) -> Verdict:
    names = ("dataset", "name", "passed_records", "failed_records")
    if not hasattr(answer, "columns"):
        return verdict([f"`counts` is a {type(answer).__name__}, expected a DataFrame."], right="")
    problems = looking.missing_columns(answer, names, name="counts")
    if problems:
        return verdict(problems, right="")
    events = lab.pipeline("watched").event_log().select("event_type", "origin.update_id", "details").collect()
    found = [tuple(row) for row in answer.select(*names).collect()]
    return verdict(quality.counts_problems(found, events),
                   right="The newest update only, one row for each rule. Keep this query.")


def silver_and_gold(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, silver_sales="STREAMING_TABLE", gold_revenue="MATERIALIZED_VIEW")
    if problems:
        return verdict(problems, right="")
    rows, rules = _bronze(lab), ("household_known", "positive_quantity", "sales_not_negative")
    problems = quality.rules_problems(answer.dataset("silver_sales"), dict.fromkeys(rules, "drop"), rows) or _kept(
        lab, "silver_sales", rows, *rules)
    problems += _gold(lab, answer, [row for row in rows if keeps(row, *rules)])
    return verdict(problems, right="Silver drops what breaks a rule, and gold stands behind a rule that would stop it.")


def _gold(lab: Any, update: Any, rows: Sequence[Any]) -> list[str]:
    frame = looking.table(lab, "gold_revenue")
    problems = looking.missing_columns(frame, ("store_id", "revenue"), name="gold_revenue")
    if problems:
        return problems
    actions = {count.name: count.action for count in update.dataset("gold_revenue").expectations}
    if actions.get("revenue_not_negative") != "fail":
        problems.append("`gold_revenue` has no expectation `revenue_not_negative` that fails the update. It has "
                        f"{', '.join(f'{name} ({action})' for name, action in actions.items()) or 'none'}.")
    wanted: dict[Any, Decimal] = {}
    for row in rows:
        wanted[row.store_id] = wanted.get(row.store_id, Decimal(0)) + row.sales_value
    if {row.store_id: row.revenue for row in frame.select("store_id", "revenue").collect()} != wanted:
        problems.append(f"`gold_revenue` should have {len(wanted)} stores, each with the sum of its sales_value in "
                        "silver_sales. Is it grouped by store_id, and read from silver_sales?")
    return problems


def quarantine(lab: Any, answer: Any) -> Verdict:
    tables = ("priced_sales", "quarantined_sales")
    problems = looking.update_problems(answer, **dict.fromkeys(tables, "STREAMING_TABLE"))
    if problems:
        return verdict(problems, right="")
    rows = _bronze(lab)
    wanted = Counter(line_key(row) for row in rows if keeps(row, "positive_quantity", "sales_not_negative"))
    good, bad = (_lines(looking.table(lab, table)) for table in tables)
    problems = quality.split_problems(Counter(map(line_key, rows)), wanted, good, bad)
    problems += [f"`{table}` has no expectation that drops: a WHERE leaves rows out too, but nobody counts them."
                 for table in tables if not any(count.action == "drop" for count in answer.dataset(table).expectations)]
    return verdict(problems, right=f"{good.total():,} lines on one side, {bad.total():,} in quarantine, none in both "
                                   "and none lost.")


def repaired(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(
        answer, counted_receipts="STREAMING_TABLE", unreadable_receipts="STREAMING_TABLE")
    if problems:
        return verdict(problems, right="")
    rows, dataset = _bronze(lab), answer.dataset("counted_receipts")
    readable = Counter(line_key(row, number) for row in rows if (number := quality.number_of(row)) is not None)
    problems = quality.repair_problems(readable, _lines(looking.table(lab, "counted_receipts")))
    problems += looking.row_count_problem(
        looking.table(lab, "unreadable_receipts").count(), len(rows) - readable.total(), name="unreadable_receipts",
        more="lines are in it whose number can be read.", fewer="lines without any number are missing.")
    actions = {count.name: count.action for count in dataset.expectations}
    if dataset.rows_read and actions.get("quantity_is_number") != "fail":
        problems.append("The rule `quantity_is_number` no longer fails the update. Mend the query and leave the rule: "
                        "the next surprise should stop it again.")
    return verdict(problems, right=f"{readable.total():,} lines, and every one has a number. The stream went on where "
                                   "it stopped, and the rule is still on guard.")


def _bronze(lab: Any) -> list[Any]:
    columns = ("household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "_rescued_data",
               "source_file")
    return looking.table(lab, "bronze_receipts").select(*columns).collect()


def _lines(frame: Any) -> Counter[Any]:
    columns = ("basket_id", "product_id", "source_file", "quantity", "sales_value")
    return Counter(map(line_key, frame.select(*columns).collect()))


def _no_frame(answer: Any, name: str, table: str) -> list[str]:
    if hasattr(answer, "columns"):
        return []
    return [f'`{name}` is a {type(answer).__name__}, expected a DataFrame: `spark.table("{table}")`.']


def _constraint(lab: Any, table: str, name: str) -> str | None:
    found = {row.key: row.value for row in lab.spark.sql(f"SHOW TBLPROPERTIES {table}").collect()}
    return found.get(f"delta.constraints.{name}")


def _tried(lab: Any, condition: str) -> dict[int, bool]:
    """Which quantities a condition takes, on a line that is right otherwise."""
    rows = lab.spark.sql(
        f"SELECT quantity, ({condition}) IS TRUE AS taken FROM (SELECT 1L AS household_id, 1L AS basket_id, "
        "1L AS product_id, CAST(1 AS DECIMAL(10,2)) AS sales_value, explode(array(1, 0, -1)) AS quantity)").collect()
    return {row.quantity: row.taken for row in rows}


def _kept(lab: Any, table: str, rows: Sequence[Any], *rules: str) -> list[str]:
    return looking.row_count_problem(
        looking.table(lab, table).count(), sum(keeps(row, *rules) for row in rows), name=table,
        more="rows are in it that a rule should have dropped.", fewer="another rule or a WHERE leaves rows out too.")


EXERCISES = (
    Exercise("11.1", "A table that says no", ("3.7",), guarded, (
        "NOT NULL stands in CREATE TABLE, CHECK comes after it with a statement of its own.",
        "The two statements for price_list, above, have exactly this form.",
        "ALTER TABLE guarded_sales ADD CONSTRAINT name CHECK (condition)",
    )),
    Exercise("11.2", "All or nothing", ("3.7", "3.1"), written, (
        "The table refuses. The query must leave out what would be refused.",
        "Two conditions in WHERE, one for each constraint.",
        "INSERT OVERWRITE guarded_sales SELECT … FROM bronze_receipts WHERE … AND …, with five columns in its order.",
    )),
    Exercise("11.3", "A rule that comes late", ("3.7", "3.1"), broken, (
        "Three statements: copy, delete, add the constraint. The first two need the same condition.",
        "The condition must find rows for which `sales_value >= 0` is false, and those for which it is NULL.",
        "CREATE OR REPLACE TABLE archive_broken AS SELECT * FROM archive WHERE (…) IS NOT TRUE",
    )),
    Exercise("11.4", "Expectations with an action", ("3.7", "3.6"), clean_sales, (
        "Begin with the statement of watched_receipts: only names, two conditions and the actions change.",
        "DROP ROW and FAIL UPDATE stand behind ON VIOLATION, after the closing bracket of EXPECT (…).",
        "CONSTRAINT source_known EXPECT (source_file IS NOT NULL) ON VIOLATION …",
    )),
    Exercise("11.5", "Counts from the event log", ("3.7",), counts, (
        "Two steps: find the id of the newest update, then explode the expectations of its flow_progress events.",
        "origin.update_id of the create_update event with the latest timestamp is the id.",
        "SELECT explode(from_json(get_json_object(details, '$.flow_progress.data_quality.expectations'), 'array<…>')) "
        "AS rule …, and around it SELECT rule.dataset, rule.name, sum(rule.passed_records) AS passed_records, …",
    )),
    Exercise("11.6", "Silver and gold in Python", ("3.7", "3.6"), silver_and_gold, (
        "Decorators stand one above the other: first what the dataset is, then what it expects.",
        "A dictionary of rules that drop: @dp.expect_all_or_drop(RULES). A materialized view: @dp.materialized_view.",
        'spark.read.table("silver_sales").groupBy("store_id").agg(F.sum("sales_value").alias("revenue"))',
    )),
    Exercise("11.7", "Quarantine", ("3.7", "3.1"), quarantine, (
        "Two CREATE statements with the same SELECT. Only the expectations differ.",
        "NOT (rule) is NULL where the rule is NULL. Look at the small table of 11.3.",
        "EXPECT ((quantity > 0 AND sales_value >= 0) IS NOT TRUE) ON VIOLATION DROP ROW",
    )),
    Exercise("11.8", "Repair what a rule has stopped", ("3.7", "3.1"), repaired, (
        "Three definitions: a temporary view that finds the number, and two tables that share its rows.",
        "In the view: SELECT * EXCEPT (quantity), coalesce(quantity, the number of the word) AS quantity.",
        "The word is get_json_object(_rescued_data, '$.quantity'), its number map('one', 1, …)[word]. "
        "Then FROM STREAM view WHERE quantity IS NOT NULL, and IS NULL.",
    )),
)
