"""Checks of lesson 13: the medallion layers."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import receipts

TITLE = "The medallion layers"
OBJECTIVES = ("1.1", "3.1", "3.2", "3.4", "3.6")
DIFFERENCES = (
    "pipelines.notebook", "pipelines.materialized-view", "pipelines.null-condition", "pipelines.dropped-table",
    "sql.read-files-batch", "pipelines.stream-from-view",
)
RULES = ("household_known", "product_known", "positive_quantity", "sales_not_negative")
KEPT = "A streaming table keeps the rows that it has: after a change of its query, `retail.update(full_refresh=[…])`."


def bronze(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, bronze_transactions="STREAMING_TABLE", bronze_products="STREAMING_TABLE")
    if not problems:
        problems += looking.rows_by_file_problems(lab, "bronze_transactions", looking.landed_lines(lab))
        products = {name: lines - 1 for name, lines in looking.landed_lines(lab, "products").items()}
        problems += looking.rows_by_file_problems(lab, "bronze_products", products)
        wanted = {"product_id": "bigint", "quantity": "int", "sales_value": "decimal(10,2)", "_rescued_data": "string"}
        problems += looking.wrong_types(looking.table(lab, "bronze_transactions"), wanted, name="bronze_transactions")
        problems += looking.rule_problems(lab, answer, "bronze_transactions", {"readable": "warn"})
    return verdict(problems, right="Every line of every file is in bronze, damaged ones too, and each knows its file.")


def silver(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, silver_transactions="STREAMING_TABLE")
    if problems:
        return verdict(problems, right="")
    problems += looking.input_problems(answer, "silver_transactions", ["bronze_transactions"])
    problems += looking.rule_problems(lab, answer, "silver_transactions", dict.fromkeys(RULES, "drop"))
    lines = receipts.receipt_lines(lab)
    wanted = Counter(line.file for line in lines if line.good)
    problems += looking.rows_by_file_problems(lab, "silver_transactions", wanted, hint=KEPT)
    kept = wanted.total()
    return verdict(problems, right=f"{kept:,} of {len(lines):,} lines keep every rule; {len(lines) - kept} were "
                                   "dropped, and each rule counted its own.")


def quarantine(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, silver_quarantine="STREAMING_TABLE")
    if problems:
        return verdict(problems, right="")
    problems += looking.input_problems(answer, "silver_quarantine", ["bronze_transactions"])
    lines = receipts.receipt_lines(lab)
    wanted = Counter(line.file for line in lines if not line.good)
    frame = looking.table(lab, "silver_quarantine")
    problems += looking.missing_columns(frame, ("basket_id", "_rescued_data", "source_file"), name="silver_quarantine")
    found = frame.count()
    if found < wanted.total():
        problems.append(f"{wanted.total() - found} lines of bronze are neither in silver_transactions nor in "
                        "silver_quarantine. What does your condition give where the quantity is NULL? "
                        + KEPT)
    elif not problems:
        problems += looking.rows_by_file_problems(lab, "silver_quarantine", wanted, hint=KEPT)
    return verdict(problems, right=f"{wanted.total()} lines wait in quarantine. With those of silver_transactions they "
                                   f"are the {len(lines):,} of bronze: nothing is lost from sight.")


def products(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, silver_products="MATERIALIZED_VIEW")
    if problems:
        return verdict(problems, right="")
    problems += looking.input_problems(answer, "silver_products", ["bronze_products"])
    problems += looking.rule_problems(lab, answer, "silver_products", {"has_category": "warn"})
    frame, wanted = looking.table(lab, "silver_products"), receipts.catalogue(lab)
    missing = looking.missing_columns(frame, ("product_id", "department", "category", "brand"), name="silver_products")
    return verdict(problems + (missing or receipts.product_problems(frame, wanted)),
                   right=f"{len(wanted):,} products, one row each, as the newest file has them.")


def lost(lab: Any, answer: Any) -> Verdict:
    if not hasattr(answer, "columns"):
        return verdict([f"`lost` is a {type(answer).__name__}, expected a DataFrame: what spark.sql gives."], right="")
    problems = looking.missing_columns(answer, ("product_id", "lines", "revenue"), name="lost")
    if problems:
        return verdict(problems, right="")
    known, wanted, worth = receipts.catalogue(lab), Counter(), Decimal(0)
    for line in receipts.receipt_lines(lab):
        if line.product not in known:
            wanted[line.product] += 1
            worth += line.value or 0
    rows = answer.collect()
    found = Counter({row.product_id: row.lines for row in rows})
    if len(rows) != len(found):
        problems.append("A product_id has several rows in `lost`: GROUP BY product_id.")
    if None in wanted and None not in found:
        problems.append(f"{wanted[None]} lines have no product_id. NULL equals nothing, so an inner join loses them "
                        "too. Which join keeps exactly the lines for which nothing is found?")
    problems += [f"Product {key} is not lost: the catalogue has it."
                 for key in list(found - wanted)[:3] if key in known]
    problems += [f"Product {key} has {found[key]} lines in `lost`, expected {wanted[key]}. Is bronze the left side?"
                 for key in wanted if key is not None and found[key] != wanted[key]]
    total = sum((Decimal(row.revenue or 0) for row in rows), Decimal(0))
    if not problems and total != worth:
        problems.append(f"The revenues add up to {total}, expected {worth}: the sum of sales_value.")
    return verdict(problems, right=f"An inner join would lose {wanted.total()} lines, worth {worth} dollars: "
                                   f"{wanted[None]} without a product, the others of {len(wanted) - 1} products that "
                                   "nobody knows.")


def sales(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, silver_sales="MATERIALIZED_VIEW")
    if problems:
        return verdict(problems, right="")
    problems += looking.input_problems(answer, "silver_sales", ["silver_transactions", "silver_products"])
    problems += looking.rule_problems(lab, answer, "silver_sales", {"in_catalogue": "warn"})
    problems += receipts.sales_problems(lab)
    return verdict(problems, right=f"{looking.table(lab, 'silver_sales').count():,} sales: repeats are gone, "
                                   "corrections are applied, and the product that nobody knows is still there."
                   if not problems else "")


def gold(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, **dict.fromkeys(receipts.GOLD, "MATERIALIZED_VIEW"))
    if problems:
        return verdict(problems, right="")
    for name in ("gold_revenue_by_department", "gold_revenue_by_price_tier"):
        problems += looking.input_problems(answer, name, ["silver_sales"])
    problems += looking.input_problems(answer, "gold_quality_by_file", ["silver_transactions", "silver_quarantine"])
    problems += receipts.gold_problems(lab)
    return verdict(problems, right="All three gold tables hold what the files say, to the cent.")


def anew(lab: Any, answer: Any) -> Verdict:
    report, names = answer
    if not isinstance(names, (list, tuple, set)):
        return verdict([f"`anew` is a {type(names).__name__}, expected a list of names."], right="")
    found = {dataset.name: dataset for dataset in report.datasets}
    wanted = {name for name, one in found.items() if one.kind == "MATERIALIZED_VIEW" and one.status == "COMPLETED"}
    if absent := [name for name in receipts.GOLD if name not in found]:
        return verdict([f"This update did not know {', '.join(absent)}. Finish 13.7, then run the cell with "
                        "`morning = retail.update()` again."], right="")
    problems = [f"There is no dataset {name!r} in this update." for name in names if name not in found]
    problems += [_not_anew(found[name]) for name in names if name in found and name not in wanted]
    if missing := sorted(wanted - set(names)):
        problems.append(f"{len(missing)} more were computed anew. Which kind of object is written as a whole?")
    if problems and not wanted:
        problems.append("Nothing at all was computed in this update, for nothing had arrived since the one before. So "
                        "this time the list is empty: []")
    return verdict(problems, right=_said_anew(found, len(wanted)))


def _said_anew(found: dict[str, Any], number: int) -> str:
    if not number:
        return "None: nothing had arrived since the update before, so nothing had to be computed."
    idle = [name for name, one in found.items() if one.kind == "MATERIALIZED_VIEW" and one.status == "IDLE"]
    unread = f" Nothing that {', '.join(idle)} reads has changed, so it was left as it is." if idle else ""
    return f"{number} tables, all of them materialized views.{unread} The streaming tables read what is new."


def _not_anew(one: Any) -> str:
    if one.kind == "STREAMING_TABLE":
        return f"`{one.name}` is a streaming table: it read {one.rows_read or 0:,} rows, the new ones only."
    if one.kind == "MATERIALIZED_VIEW":
        return f"`{one.name}` is {one.status} in this update: was there anything to compute?"
    return f"`{one.name}` is a {one.kind.lower()}: it holds no rows of its own."


def too_much(lab: Any, answer: Any) -> Verdict:
    if isinstance(answer, bool) or not isinstance(answer, (int, float, Decimal)):
        return verdict([f"`too_much` is a {type(answer).__name__}, expected a number: take it out of the row, as in "
                        "`….first().dollars`."], right="")
    lines = receipts.receipt_lines(lab)
    every = receipts.revenue(line for line in lines if line.good)
    right = receipts.revenue(receipts.newest(lines).values())
    found = round(Decimal(answer), 2)
    problems = receipts.sales_problems(lab) + receipts.gold_problems(lab)
    if found == right - every:
        problems.append(f"{found}: you took the smaller sum minus the larger. The lines come first.")
    elif found in (every, right):
        problems.append(f"{found} is one of the two sums. How far is it from the other?")
    elif found != every - right:
        problems.append(f"`too_much` is {found}. The good lines add up to {every} dollars in the files: does "
                        "silver_transactions say so too, and do the sums of its rows and of gold come from one update?")
    return verdict(problems, right=f"{found} dollars in three weeks. Repeats and corrections would all be counted; "
                                   "gold says what the tills say.")


def change(lab: Any, answer: Any) -> Verdict:
    copies = [name for name in looking.landed_lines(lab) if name.endswith("_redelivered.json")]
    if not copies:
        return verdict(['Nothing was delivered twice yet. Run the cell with lab.break_it("duplicate files") first.'],
                       right="")
    problems = looking.rows_by_file_problems(lab, "bronze_transactions", looking.landed_lines(lab),
                                             hint="Bronze keeps every file, the copy too. Did an update run?")
    if isinstance(answer, bool) or not isinstance(answer, (int, float, Decimal)):
        problems.append(f"`change` is a {type(answer).__name__}, expected a number.")
    elif answer:
        problems.append(f"Gold has changed by {answer} dollars. Were both sums taken of gold, one before and one after "
                        "the update? Then the copy's sales count twice: what makes one row of all with the same key?")
    problems += receipts.sales_problems(lab) + receipts.gold_problems(lab)
    return verdict(problems, right=f"{copies[0]} is in bronze, with all its lines, and gold has not moved by a cent. "
                                   "Nobody had to get up at night.")


EXERCISES = (
    Exercise("13.1", "Bronze", ("1.1", "3.6"), bronze, (
        "Look at bronze_households: the same three lines, with another folder and format.",
        "The rule stands in brackets between the table's name and AS.",
        "CREATE OR REFRESH STREAMING TABLE bronze_transactions (CONSTRAINT readable EXPECT (…)) AS SELECT *, …",
    )),
    Exercise("13.2", "Clean, line by line", ("3.1", "3.6"), silver, (
        "One CONSTRAINT a rule, with commas between them.",
        "A NULL breaks a rule here. Write both: quantity IS NOT NULL AND quantity > 0.",
        "CONSTRAINT household_known EXPECT (household_id IS NOT NULL) ON VIOLATION DROP ROW, … FROM STREAM "
        "bronze_transactions",
    )),
    Exercise("13.3", "Quarantine", ("3.1",), quarantine, (
        "Write the condition of a good line first, all four rules with AND between them.",
        "For a bad line that condition is false, or NULL. Make false of the NULL, then turn it round.",
        "WHERE NOT coalesce(… AND … AND … AND …, false)",
    )),
    Exercise("13.4", "One row a product", ("3.4", "3.6"), products, (
        "newest_changes does the same for households. What is the key here, and what is the order?",
        "A row that a later file can replace needs a materialized view.",
        "QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY source_file DESC) = 1",
    )),
    Exercise("13.5", "What a join loses", ("3.2",), lost, (
        "One of the three joins keeps exactly what you look for.",
        "FROM bronze_transactions AS line LEFT ANTI JOIN silver_products AS product ON …",
        "Then GROUP BY line.product_id, with count(*) AS lines and sum(line.sales_value) AS revenue.",
    )),
    Exercise("13.6", "One row a sale", ("3.2", "3.4"), sales, (
        "Two steps: first one row for each key, then the join.",
        "The first step is a subquery in FROM: SELECT * FROM silver_transactions QUALIFY row_number() …",
        "FROM (…) AS sale LEFT JOIN silver_products AS product ON product.product_id = sale.product_id, and "
        "coalesce(product.department, 'UNKNOWN')",
    )),
    Exercise("13.7", "Gold", ("3.4", "3.6"), gold, (
        "Begin with one of them: GROUP BY its first column.",
        "Different ones are counted by count(DISTINCT …), and rows for which something is true by count_if(…).",
        "SELECT source_file, true AS valid FROM silver_transactions UNION ALL SELECT source_file, false …, in brackets "
        "after FROM.",
    )),
    Exercise("13.8", "What was computed anew", ("3.6",), anew, (
        "The table of the report has a column kind and a column status.",
        "A list comprehension over morning.datasets: each has .name, .kind and .status.",
    )),
    Exercise("13.9", "A gold that only adds", ("3.4",), too_much, (
        "Two sums, one from each table.",
        "A query in brackets that gives one value can stand in a SELECT: SELECT (SELECT sum(…) FROM …) - (…)",
        "spark.sql(…).first() is a row; its column is an attribute of it.",
    )),
    Exercise("13.10", "The copied file", ("3.4", "1.1"), change, (
        "Three steps: the sum, the update, the sum again.",
        'spark.sql("SELECT sum(revenue) AS revenue FROM gold_revenue_by_department").first().revenue',
    )),
)
