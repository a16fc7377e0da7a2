"""Checks of lesson 06: schema evolution."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.lab.outcome import Outcome

TITLE = "Schema evolution"
OBJECTIVES = ("2.3", "2.7")
DIFFERENCES = ("autoloader.schema-files", "autoloader.new-column-type", "autoloader.restart-same-frame",
               "autoloader.hidden-retry", "autoloader.inference-sample", "autoloader.unsupported")
NEW_FIELD = "UNKNOWN_FIELD_EXCEPTION"


def first_load(lab: Any, answer: Any) -> Verdict:
    problems = _no_outcome(answer, "first_load")
    if not problems and not answer.completed:
        problems = [f"The load stopped: {answer.condition}. {answer.message}"]
    if not problems:
        problems += looking.has_checkpoint(lab, "state/receipts_checkpoint") + _complete(lab, "bronze_receipts")
    return verdict(problems, right="Two days are loaded, and their schema is written down.")


def second_load(lab: Any, answer: Any) -> Verdict:
    problems = _no_outcome(answer, "second_load")
    if not problems and answer.completed:
        problems = ["This load completed. If you ran the cell twice, that start was the repair already; otherwise: "
                    "did the file of the 10th arrive, and is `coupon_upc` new to this schema location?"]
    elif not problems and NEW_FIELD not in (answer.condition or ""):
        problems = [f"It stopped, but not for the new field: {answer.condition or 'an error'}. {answer.message} "
                    "Is it the very same load as in 6.1? If you ran this cell twice: the first start has noted the new "
                    "schema, and this one came as far as the table, which is 6.3. `lab.reset()` and the cells from "
                    "there bring the first stop back."]
    elif not problems and not lab.databricks and not _tried_again(lab):
        problems = ["It stopped at the new field, but the checkpoint state/receipts_checkpoint knows nothing of this "
                    "start. Which checkpointLocation did the load of 6.1 have?"]
    return verdict(problems, right="Stopped at `coupon_upc`, as it should. Nothing of the 10th is in the table yet, "
                                   "and the "
                                   "new schema is in the schema location.")


def third_load(lab: Any, answer: Any) -> Verdict:
    problems = _no_outcome(answer, "third_load")
    if not problems and not answer.completed and NEW_FIELD in (answer.condition or ""):
        problems = ["It stopped at the new field again. Was the stream made anew, with spark.readStream, after the "
                    "first stop?"]
    elif not problems and not answer.completed:
        problems = ["The stream stopped, and this time **the table refused it**: "
                    f"{answer.condition or answer.message}. Auto "
                    "Loader's schema has grown, the table's has not. What does a Delta writer need, to take a new "
                    "column?"]
    if problems:
        return verdict(problems, right="")
    frame = looking.table(lab, "bronze_receipts")
    problems = looking.missing_columns(frame, ["coupon_upc"], name="bronze_receipts")
    problems = problems or _complete(lab, "bronze_receipts")
    coupons = 0 if problems else frame.where("coupon_upc IS NOT NULL").count()
    wanted = sum(1 for records in looking.landed_records(lab).values()
                 for record in records if record.get("coupon_upc") is not None)
    if not problems and coupons != wanted:
        problems.append(f"{coupons} rows have a coupon_upc, but {wanted} lines of the files do.")
    return verdict(problems, right=f"The 10th is in, `coupon_upc` is filled in {coupons} of its rows, and the older "
                                   "days are "
                                   "untouched. You restarted a stream, changed no checkpoint and lost nothing.")


def tiers(lab: Any, answer: Any) -> Verdict:
    if not hasattr(type(answer), "collect"):
        return verdict([f"`tiers` is a {type(answer).__name__}, expected a DataFrame."], right="")
    problems = looking.missing_columns(answer, ["loyalty_tier", "lines"], name="tiers")
    if problems:
        return verdict(problems, right="")
    found = {row.loyalty_tier: row.lines for row in answer.select("loyalty_tier", "lines").collect()}
    wanted = _tiers(lab)
    if None in found:
        problems.append("`tiers` has a row for NULL: those rows have other rescued data, or none. Leave them out.")
    for tier, lines in wanted.items():
        if found.get(tier) != lines:
            problems.append(f"{tier}: {found.get(tier, 0)} lines, the files have {lines}.")
    if any('"' in str(tier) for tier in found):
        problems.append("The tiers still carry quotation marks: `get_json_object(_rescued_data, '$.loyalty_tier')` "
                        "takes them off.")
    return verdict(problems, right=f"{len(wanted)} tiers, {sum(wanted.values()):,} lines: nothing was lost, and "
                                   "nothing stopped.")


def tier_column(lab: Any, answer: Any) -> Verdict:
    frame = looking.table(lab, "receipts_with_tier")
    problems = looking.wrong_types(frame, {"loyalty_tier": "string"}, name="receipts_with_tier")
    if not problems:
        found = {row.loyalty_tier: row["count"] for row in frame.groupBy("loyalty_tier").count().collect()}
        found.pop(None, None)
        if not found:
            problems.append("The column is there, and NULL in every row. UPDATE … SET fills it from `_rescued_data`.")
        elif found != dict(_tiers(lab)):
            problems.append(f"`loyalty_tier` counts {found}, the files {dict(_tiers(lab))}. Which rows did your "
                            "UPDATE leave out, "
                            "or fill with something else?")
        problems += looking.row_count_problem(
            frame.count(), looking.table(lab, "bronze_rescue").count(), name="receipts_with_tier",
            more="rows came in twice. UPDATE changes rows, INSERT adds some.", fewer="rows are gone. UPDATE removes "
                                                                                     "none.")
    return verdict(problems, right="A rescued field has become a column, for the rows that have it. No file was read "
                                   "again.")


def narrow_load(lab: Any, answer: Any) -> Verdict:
    problems = _no_outcome(answer, "narrow_load")
    if not problems and not answer.completed:
        problems = [f"The load stopped: {answer.condition or 'an error'}. {answer.message}"]
    if problems:
        return verdict(problems, right="")
    frame = looking.table(lab, "bronze_narrow")
    problems = looking.has_checkpoint(lab, "state/narrow_checkpoint") + _complete(lab, "bronze_narrow")
    for column in ("basket_id", "product_id", "sales_value"):
        problems += looking.missing_columns(frame, [column], name="bronze_narrow")
    if len(frame.columns) > 4:
        problems.append(f"`bronze_narrow` has {len(frame.columns)} columns, expected the three of `narrow` and "
                        "`_kept`. Was the "
                        "schema given with .schema(narrow)?")
    if "_kept" not in frame.columns:
        problems.append("There is no column `_kept`: every other field was ignored, without a word. Which option "
                        "names a column "
                        "for what does not fit?")
    elif not frame.where("get_json_object(_kept, '$.household_id') IS NOT NULL").count():
        problems.append("`_kept` is there, but it holds no household_id.")
    return verdict(problems, right="Three columns, and everything else is kept as JSON in `_kept`.")


def starts(lab: Any, answer: Any) -> Verdict:
    problems = []
    if not isinstance(answer, int) or isinstance(answer, bool):
        problems.append(f"`starts` is a {type(answer).__name__}, expected a number.")
    frame = looking.table(lab, "bronze_receipts")
    if "loyalty_tier" not in frame.columns:
        problems.append("`bronze_receipts` has no column `loyalty_tier` yet: one start writes the schema down, the "
                        "next one "
                        "reads the rows. Did your loop make the stream anew each time, and allow `mergeSchema`?")
    problems += _complete(lab, "bronze_receipts")
    if not problems and answer == 1:
        problems.append("One start is enough only when the column is known already: did the cell run before? "
                        'lab.break_it("schema drift") brings the tills\' next day; for a field that is known it '
                        'changes nothing.')
    elif not problems and answer != 2:
        problems.append(f"`starts` is {answer}: a stop to write the schema down and a start to read is two. Did the "
                        "loop end as "
                        "soon as a load had completed?")
    return verdict(problems, right="Two starts: one to learn, one to load. A task with a retry does this without you.")


def _tiers(lab: Any) -> Counter[str]:
    return Counter(record["loyalty_tier"] for records in looking.landed_records(lab).values()
                   for record in records if "loyalty_tier" in record)


def _tried_again(lab: Any) -> bool:
    """Whether the checkpoint of the receipts has planned a second micro-batch."""
    return (Path(lab.volume("state/receipts_checkpoint")) / "offsets" / "1").exists()


def _no_outcome(answer: Any, name: str) -> list[str]:
    if isinstance(answer, Outcome):
        return []
    return [f"`{name}` is a {type(answer).__name__}, expected what `lab.outcome(query)` gives back."]


def _complete(lab: Any, name: str) -> list[str]:
    return looking.row_count_problem(
        looking.table(lab, name).count(), sum(looking.landed_lines(lab).values()), name=name,
        more="a file was read twice. Was the stream started with another checkpoint?",
        fewer="not everything that has landed was read. Run the load again.")


EXERCISES = (
    Exercise("06.1", "A schema that was written down", ("2.3",), first_load, (
        "It is the load of lesson 05; `.options(**loader)` takes a dictionary.",
        'lab.outcome(….writeStream.option("checkpointLocation", '
        '…).trigger(availableNow=True).toTable("bronze_receipts"))',
    )),
    Exercise("06.2", "A new field stops the stream, once", ("2.3",), second_load, (
        "Change nothing: run what you ran in 6.1, beginning with spark.readStream.",
        "lab.outcome(query) does not raise: it tells you the error condition.",
    )),
    Exercise("06.3", "The table has a schema too", ("2.3",), third_load, (
        "The source has learnt the field. Who else has to?",
        'The writer takes .option("mergeSchema", "true").',
    )),
    Exercise("06.4", "Do not stop: rescue", ("2.3", "2.7"), tiers, (
        "_rescued_data is a JSON text: one function takes one field out of it.",
        "get_json_object(_rescued_data, '$.loyalty_tier') AS loyalty_tier, then GROUP BY it.",
    )),
    Exercise("06.5", "Give it a column", ("2.7",), tier_column, (
        "Two statements: one changes the table's schema, one its rows.",
        "ALTER TABLE … ADD COLUMN …, then UPDATE … SET … WHERE _rescued_data IS NOT NULL.",
    )),
    Exercise("06.6", "Your own schema", ("2.3",), narrow_load, (
        ".schema(narrow) stands before .load(…); with it, no schema location is needed.",
        'option("rescuedDataColumn", "_kept")',
    )),
    Exercise("06.7", "A job that repairs itself", ("2.3",), starts, (
        "A loop that counts its starts, and ends when an outcome is completed or the third start is over.",
        "Make the stream anew in each round, or it keeps the schema that it knew.",
    )),
)
