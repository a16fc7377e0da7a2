"""Checks of lesson 10: streaming tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import arrived, updates

TITLE = "Streaming tables"
OBJECTIVES = ("3.6", "2.1", "2.3", "3.3")
DIFFERENCES = (
    "pipelines.notebook", "pipelines.materialized-view", "pipelines.event-log-time", "pipelines.restarts",
    "pipelines.reset-allowed", "pipelines.dropped-table", "pipelines.private", "pipelines.event-log-function",
    "pipelines.unsupported", "pipelines.query-settings", "pipelines.event-log-table", "pipelines.update-states",
    "pipelines.stream-aggregate", "pipelines.stream-from-view",
)
SILVER = ("household_id", "basket_id", "product_id", "quantity", "sales_value", "sold_at", "source_file")
RECEIPT_TYPES = {"quantity": "int", "sales_value": "decimal(10,2)", "retail_disc": "decimal(10,2)",
                 "transaction_timestamp": "timestamp"}
SUM = "A sum changes with each new row. Which kind of table may change its rows?"
BATCH = "It was read as a batch. In SQL the word STREAM makes the difference, in Python the reader."


def bronze(lab: Any, answer: Any) -> Verdict:
    problems = updates.problems_of_table(answer, "bronze_receipts", "STREAMING_TABLE", BATCH)
    if not problems:
        frame = looking.table(lab, "bronze_receipts")
        problems += looking.missing_columns(frame, ("household_id", "basket_id", "product_id", "week"),
                                            name="bronze_receipts")
        problems += looking.wrong_types(frame, RECEIPT_TYPES, name="bronze_receipts")
        problems += arrived.problems_by_file(lab, "bronze_receipts", arrived.landed(lab))
    return verdict(problems, right="Every line of every file, with its types and its file. Nobody named a checkpoint "
                                   "or a schema location.")


def silver(lab: Any, answer: Any) -> Verdict:
    problems = updates.problems_of_table(answer, "silver_receipts", "STREAMING_TABLE", BATCH)
    if problems:
        return verdict(problems, right="")
    inputs = answer.dataset("silver_receipts").inputs
    if "bronze_receipts" not in inputs:
        problems.append(f"`silver_receipts` reads {', '.join(inputs) or 'no table'}, expected `bronze_receipts`: in "
                        "the graph no line leads from bronze to silver.")
    frame = looking.table(lab, "silver_receipts")
    problems += looking.missing_columns(frame, SILVER, name="silver_receipts")
    # A later exercise adds a column, and a streaming table keeps it.
    more = [name for name in frame.columns if name not in (*SILVER, "discount")]
    if more:
        problems.append(f"`silver_receipts` also has {', '.join(more)}. Which method names the columns that stay? A "
                        "streaming table keeps a column that it once had: run a full refresh of silver_receipts then.")
    problems += _no_gaps(frame) + arrived.problems_by_file(lab, "silver_receipts", arrived.landed(lab, usable=True))
    return verdict(problems, right="Bronze is read as a stream: tomorrow only tomorrow's lines will go through here.")


def written(lab: Any, answer: Any) -> Verdict:
    if not hasattr(type(answer), "collect"):
        return verdict([f"`written` is a {type(answer).__name__}, expected a DataFrame."], right="")
    problems = looking.missing_columns(answer, ("flow_name", "rows"), name="written")
    if problems:
        return verdict(problems, right="")
    events = updates.events(lab, "retail")
    wanted = updates.rows_written(event for event in events if event["update_id"] == events[-1]["update_id"])
    rows = [(row["flow_name"], row["rows"]) for row in answer.select("flow_name", "rows").collect()]
    return verdict(_written_problems(rows, wanted, everything=updates.rows_written(events)),
                   right=f"{updates.counted(wanted)}. Silver wrote fewer rows than bronze: it keeps what can be used.")


def _written_problems(rows: Sequence[tuple[str, Any]], wanted: Mapping[str, int],
                      everything: Mapping[str, int]) -> list[str]:
    if not wanted:
        return ["The newest update wrote nothing: all files had been read. Let one more day arrive, "
                '`lab.arrive("2017-01-04")`, and run the cell again.']
    if any(number is None for _, number in rows):
        return ["Some rows of `written` have no number: not every event of a flow carries metrics. What is the "
                "`level` of those that do?"]
    found: Counter[str] = Counter()
    for flow, number in rows:
        found[flow] += int(number)
    differ = [flow for flow in wanted if found[flow] != wanted[flow]]
    if differ and all(found[flow] == everything[flow] for flow in differ):
        return [f"`written` says {updates.counted({flow: found[flow] for flow in differ})}: that is the sum over all "
                "updates. Which column tells one update from another?"]
    return [f"`written` says that {flow} wrote {found[flow]:,} rows, the event log of the newest update says "
            f"{wanted[flow]:,}." for flow in differ]


def gold(lab: Any, answer: Any) -> Verdict:
    name = "gold_revenue_by_day"
    problems = updates.problems_of_table(answer, name, "MATERIALIZED_VIEW", SUM)
    if problems:
        return verdict(problems, right="")
    frame = looking.table(lab, name)
    problems += looking.missing_columns(frame, ("day", "lines", "revenue"), name=name)
    if not problems:
        problems += looking.wrong_types(frame, {"day": "date"}, name=name)
        found = {str(row["day"]): (row["lines"], row["revenue"]) for row in frame.collect()}
        wanted = {str(row["day"]): (row["lines"], row["revenue"]) for row in lab.spark.sql(
            "SELECT CAST(sold_at AS DATE) AS day, count(*) AS lines, sum(sales_value) AS revenue FROM silver_receipts "
            "GROUP BY CAST(sold_at AS DATE)").collect()}
        problems += _days_problems(found, wanted)
    return verdict(problems, right="One row a day. Every update that changes silver computes it anew.")


def _days_problems(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    if len(found) != len(wanted):
        return [f"`gold_revenue_by_day` has {len(found)} different days, expected {len(wanted)}. Is `day` the date of "
                "sold_at, and is there one row for each?"]
    return [f"On {day} `gold_revenue_by_day` says {_day(found.get(day))}, silver_receipts says {_day(wanted[day])}. "
            "Was it updated after silver?" for day in sorted(wanted) if found.get(day) != wanted[day]][:3]


def without_discount(lab: Any, answer: Any) -> Verdict:
    if not isinstance(answer, int) or isinstance(answer, bool):
        return verdict([f"`without_discount` is a {type(answer).__name__}, expected a number of rows."], right="")
    frame = looking.table(lab, "silver_receipts")
    problems = looking.missing_columns(frame, ["discount"], name="silver_receipts")
    if problems:
        return verdict([*problems, "Was silver_receipts defined again, and then updated?"], right="")
    total, empty = frame.count(), frame.where("discount IS NULL").count()
    if empty == answer == 0 and updates.protected(lab, "bronze_receipts"):
        return verdict([], right="None any more: the full refresh of 10.6 has made every row anew.")
    return verdict(_discount_problems(answer, empty, total),
                   right=f"{empty:,} of {total:,} rows: those that were there before the query changed.")


def _discount_problems(answer: int, empty: int, total: int) -> list[str]:
    if empty == 0:
        return ["Every row of `silver_receipts` has a discount: the table was made anew. A plain `retail.update()`, "
                "without full_refresh, shows what a changed query does by itself."]
    if empty == total:
        return ["No row of `silver_receipts` has a discount yet: the newest file had gone through the old query. Let "
                'one more day arrive, `lab.arrive("2017-01-04")`, and update again.']
    if answer == total - empty:
        return [f"{answer:,} is the number of rows **with** a discount. How many are without?"]
    return [] if answer == empty else [
        f"`without_discount` is {answer:,}, but in {empty:,} rows of `silver_receipts` the discount IS NULL."]


def refreshed(lab: Any, answer: Any) -> Verdict:
    problems = updates.problems_of_update(answer)
    if problems:
        return verdict(problems, right="")
    if not updates.protected(lab, "bronze_receipts"):
        problems.append("`bronze_receipts` does not have the property pipelines.reset.allowed = false. It stands in "
                        "TBLPROPERTIES, between the table's name and AS.")
    if not answer.full_refresh:
        problems.append("This was no full refresh of everything: gold_revenue_by_day, for example, was not asked for. "
                        "Which value of full_refresh means all?")
    problems += _reread(answer, sum(looking.landed_lines(lab).values()))
    empty = looking.table(lab, "silver_receipts").where("discount IS NULL").count()
    if empty:
        problems.append(f"{empty:,} rows of `silver_receipts` are still without a discount: they were not read again.")
    for name, usable in (("bronze_receipts", False), ("silver_receipts", True)):
        problems += arrived.problems_by_file(lab, name, arrived.landed(lab, usable=usable))
    return verdict(problems, right="Silver and gold are new, bronze was left alone: not one file was read again.")


def _reread(report: Any, lines: int) -> list[str]:
    read = {dataset.name: dataset.rows_read or 0 for dataset in report.datasets}.get("bronze_receipts", 0)
    if read < lines:
        return []
    return [f"`bronze_receipts` was emptied and read all {read:,} lines again. Here the files were still there. Was "
            "the property defined before this update?"]


def forgotten(lab: Any, answer: Any) -> Verdict:
    problems = updates.problems_of_update(answer)
    for name, usable in (("bronze_receipts", False), ("silver_receipts", True)):
        left = looking.table(lab, name).where(f"household_id = {arrived.FORGOTTEN}").count()
        if left:
            problems.append(f"`{name}` still has {left} rows of household {arrived.FORGOTTEN}: passing over a deletion "
                            "above does not delete below.")
        problems += arrived.problems_by_file(lab, name, arrived.landed(lab, usable=usable))
    return verdict(problems, right=f"No row of household {arrived.FORGOTTEN} is left, all others are there, and the "
                                   "stream goes on. The landed files still know the household.")


def activity(lab: Any, answer: Any) -> Verdict:
    problems = updates.problems_of_table(answer, "activity", "STREAMING_TABLE", BATCH)
    if problems:
        return verdict(problems, right="")
    flows = {event["flow_name"] for event in updates.events(lab, "retail") if event["update_id"] == answer.update_id
             and event["details"].get("flow_definition", {}).get("output_dataset") == "activity"}
    if flows != {"bought", "changed"}:
        problems.append(f"These flows write into `activity`: {', '.join(sorted(flows))}. Expected: bought, changed. "
                        "Each has a checkpoint of its own. A wrong one goes when you begin again: make `retail` anew "
                        "with lab.pipeline, define all, and `retail.update(full_refresh=[\"activity\"])`.")
    frame = looking.table(lab, "activity")
    missing = looking.missing_columns(frame, ("household_id", "what"), name="activity")
    return verdict(problems + (missing or _activity_rows(lab, frame)),
                   right="Two flows, two checkpoints, one table. A third can join them without a full refresh.")


def _activity_rows(lab: Any, frame: Any) -> list[str]:
    found = Counter({row["what"]: row["count"] for row in frame.where(arrived.KEPT).groupBy("what").count().collect()})
    records = [each for file in looking.landed_records(lab, "households").values() for each in file]
    wanted = {"bought": looking.table(lab, "silver_receipts").where(arrived.KEPT).count(),
              "changed": sum(1 for each in records if each["household_id"] != arrived.FORGOTTEN)}
    odd = [str(what) for what in found if what not in wanted]
    problems = [f"`what` is also {', '.join(odd)}, expected only bought and changed."] if odd else []
    for what, number in wanted.items():
        problems += looking.row_count_problem(
            found[what], number, name=f"activity, {what}", more="a source was read twice. Do two flows read the same?",
            fewer="does its flow read the whole source as a stream, and does it name the value so?")
    return problems


def cause(lab: Any, answer: Any) -> Verdict:
    drifted = {name: sum("loyalty_tier" in record for record in records)
               for name, records in looking.landed_records(lab).items()}
    if not any(drifted.values()):
        return verdict(['The tills have no new software yet. Run the cell with lab.break_it("schema drift") first.'],
                       right="")
    frame = looking.table(lab, "bronze_receipts")
    if "loyalty_tier" not in frame.columns:
        return verdict(["`bronze_receipts` has no column `loyalty_tier`. Was retail updated after the tills' new file "
                        "arrived?"], right="")
    begun = [event["details"]["create_update"] for event in updates.events(lab, "retail")
             if "create_update" in event["details"]]
    causes = [each["cause"] for each in begun]
    filled = frame.where("loyalty_tier IS NOT NULL").count()
    return verdict(_cause_problems(answer, causes), right=f"{answer}: a new column, {filled:,} rows of it, and nobody "
                                                          "had to do anything.")


def _cause_problems(answer: Any, causes: Sequence[str]) -> list[str]:
    # Where the field was known before (the cell ran again), the newest update is the learner's own.
    if answer in ("SCHEMA_CHANGE", causes[-1]):
        return []
    if answer in causes:
        return [f"{answer} is the cause of an older update: the one that you started. After it the pipeline started "
                "one by itself. Which event create_update is the newest?"]
    return [f"`cause` is {answer!r}, which is no update's cause. These stand in the log: "
            f"{', '.join(sorted(set(causes)))}."]


def _no_gaps(frame: Any) -> list[str]:
    return [f"`silver_receipts` has {number} rows without a {name}: they cannot be used."
            for name in ("household_id", "product_id") if name in frame.columns
            and (number := frame.where(f"{name} IS NULL").count())]


def _day(values: tuple[int, Any] | None) -> str:
    return f"{values[0]:,} lines, revenue {values[1]}" if values else "nothing"


EXERCISES = (
    Exercise("10.1", "Bronze: a streaming table over files", ("3.6", "2.3"), bronze, (
        "household_changes, above, has the same shape.",
        "SELECT *, and one more column: _metadata.file_name AS source_file.",
        "schemaHints is a list as in CREATE TABLE: 'quantity INT, sales_value DECIMAL(10,2), …'",
        'retail.sql("""CREATE OR REFRESH STREAMING TABLE … AS SELECT … FROM STREAM read_files(…)"""), then '
        'retail.update()',
    )),
    Exercise("10.2", "Silver: a table that reads a table", ("3.6", "3.3"), silver, (
        "with retail: around a function that @dp.table decorates. The function returns a DataFrame.",
        'spark.readStream.table("bronze_receipts") is where it begins.',
        "Then .where(…), .withColumnRenamed(old, new) and .select(…), each of which gives a new DataFrame.",
    )),
    Exercise("10.3", "What did the update write?", ("2.1", "3.6"), written, (
        "update = retail.update() first: it knows its own id.",
        "Filter the event log twice: origin.update_id is your update's, level is METRICS.",
        "get_json_object(details, '$.flow_progress.metrics.num_output_rows') takes the number out of the text.",
        '.selectExpr("origin.flow_name", "CAST(… AS INT) AS rows")',
    )),
    Exercise("10.4", "Gold: which kind of table?", ("3.6",), gold, (
        "A sum over all rows of a day may change when a row comes in.",
        "Look at changes_by_kind: the same kind of table, without the word STREAM.",
        "CAST(sold_at AS DATE) AS day, and group by the same expression.",
    )),
    Exercise("10.5", "A changed query", ("3.6", "3.3"), without_discount, (
        "Copy your silver_receipts; one more withColumnRenamed and one more column in the select.",
        "Then retail.update(), without anything in the brackets.",
        'spark.table("silver_receipts").where("discount IS NULL").count()',
    )),
    Exercise("10.6", "A full refresh that reads no file", ("3.6", "2.3"), refreshed, (
        "First define bronze_receipts again, with the property. Then update.",
        "CREATE OR REFRESH STREAMING TABLE bronze_receipts TBLPROPERTIES (…) AS SELECT …",
        "full_refresh=True means every table that may be emptied.",
    )),
    Exercise("10.7", "Forget a household", ("3.6", "2.1"), forgotten, (
        "Three things: two DELETE statements, one changed function, one update.",
        'spark.sql("DELETE FROM … WHERE household_id = 1222"), for each of the two tables.',
        'spark.readStream.option("skipChangeCommits", "true").table("bronze_receipts")',
    )),
    Exercise("10.8", "Two flows into one table", ("3.6", "2.1"), activity, (
        "contacts, above, has one flow. Yours has two, each with its own CREATE FLOW.",
        "CREATE FLOW bought AS INSERT INTO activity BY NAME SELECT household_id, 'bought' AS what FROM STREAM …",
        "STREAM silver_receipts WITH (SKIPCHANGECOMMITS) also holds when a household is forgotten later.",
    )),
    Exercise("10.9", "A field that nobody announced", ("2.3", "2.1"), cause, (
        "One update of yours, but how many in the event log?",
        "Filter event_type = 'create_update' and order by timestamp: the newest last.",
        "get_json_object(details, '$.create_update.cause')",
    )),
)
