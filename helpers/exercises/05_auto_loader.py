"""Checks of lesson 05: Auto Loader."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict

TITLE = "Auto Loader"
OBJECTIVES = ("2.1", "2.3", "2.7")
DIFFERENCES = (
    "autoloader.paths", "autoloader.file-limit", "autoloader.inference-sample", "autoloader.schema-files",
    "autoloader.unsupported", "autoloader.state", "autoloader.state-function", "autoloader.triggers",
    "autoloader.input-file-name", "pipelines.notebook",
)
FIELDS = ("household_id", "basket_id", "product_id", "quantity", "sales_value", "transaction_timestamp")


def receipts(lab: Any, answer: Any) -> Verdict:
    problems = looking.not_a_stream(answer, name="receipts")
    if not problems:
        problems += looking.missing_columns(answer, FIELDS, name="receipts")
        problems += _not_auto_loader(answer, "receipts")
        problems += _no_schema_location(lab, "state/receipts_schema")
    return verdict(problems, right=f"`receipts` is a stream of {len(answer.columns)} columns, and its schema is "
                                   "written "
                   "down in state/receipts_schema. Nothing has been read into a table yet."
                   if not problems else "")


def load(lab: Any, answer: Any) -> Verdict:
    problems = looking.stream_problems(answer, name="load")
    if not problems:
        problems += looking.has_checkpoint(lab, "state/receipts_checkpoint")
        problems += _complete(lab, "bronze_receipts")
    return verdict(problems, right=f"{sum(looking.landed_lines(lab).values()):,} rows, as many as the files have "
                                   "lines. "
                   "The stream has ended by itself.")


def rows_read(lab: Any, answer: Any) -> Verdict:
    lines = list(looking.landed_lines(lab).values())
    problems = _complete(lab, "bronze_receipts")
    # Whoever came back later reads the last two or three days at once: that is right too.
    new = list(itertools.accumulate(reversed(lines[1:])))
    if not isinstance(answer, int) or isinstance(answer, bool):
        problems.append(f"`rows_read` is a {type(answer).__name__}, expected a number: `lab.outcome(query).rows`.")
    elif answer == sum(lines):
        problems.append(f"This start read all {answer:,} rows: it had no memory of the first. Which option names the "
                        "folder in which a stream remembers?")
    elif answer == 0:
        problems.append("This start read nothing: an earlier one had read the file already. That is Auto Loader at "
                        "work. "
                        'Let one more day arrive, `lab.arrive("2017-01-04")`, and run the cell again.')
    elif not problems and answer not in new:
        problems.append(f"`rows_read` is {answer:,}, but the newest file has {lines[-1]:,} lines. What does "
                        "`lab.outcome(query)` say about your start?")
    return verdict(problems, right=f"{answer} rows: only what is new. The older files were not read again.")


def typed(lab: Any, answer: Any) -> Verdict:
    problems = looking.not_a_stream(answer, name="typed")
    if problems:
        return verdict(problems, right="")
    found = looking.types(answer)
    old = "(If your options are right, an older schema is in the schema location: what stands there is kept.)"
    if found.get("basket_id") == "string":
        problems.append(f"`typed.basket_id` is a string: the types were not inferred. Which option asks for it? {old}")
    if found.get("quantity") == "string":
        problems.append("`typed.quantity` is a string: one line of the sample says it in words, and only text holds "
                        "both. "
                        "Say in a schema hint what it is.")
    if found.get("sales_value") in ("double", "string"):
        problems.append(f"`typed.sales_value` is a {found['sales_value']}: money wants exact cents. Say so in a "
                        "schema hint.")
    elif found.get("sales_value") != "decimal(10,2)":
        problems.append(f"`typed.sales_value` is {found.get('sales_value')}, expected decimal(10,2).")
    problems += looking.wrong_types(answer, {"transaction_timestamp": "timestamp"}, name="typed")
    problems += _not_auto_loader(answer, "typed") + _no_schema_location(lab, "state/typed_schema")
    return verdict(problems, right="Ids and quantities are numbers, money is a decimal, time is a timestamp.")


def load_typed(lab: Any, answer: Any) -> Verdict:
    problems = looking.stream_problems(answer, name="load_typed")
    if not problems:
        problems += looking.has_checkpoint(lab, "state/typed_checkpoint") + _by_file(lab, "bronze_typed")
    return verdict(problems, right="Every row knows its file, and each file is there once.")


def rescued(lab: Any, answer: Any) -> Verdict:
    if not hasattr(answer, "columns"):
        return verdict([f"`rescued` is a {type(answer).__name__}, expected a DataFrame."], right="")
    wanted = Counter((name, str(record["product_id"]), record["quantity"])
                     for name, records in looking.landed_records(lab).items()
                     for record in records if isinstance(record.get("quantity"), str))
    problems = looking.missing_columns(answer, ("source_file", "product_id", "quantity_text"), name="rescued")
    if problems:
        return verdict(problems, right="")
    rows = answer.select("source_file", "product_id", "quantity_text").collect()
    found = Counter((row.source_file, str(row.product_id), row.quantity_text) for row in rows)
    problems += looking.row_count_problem(
        len(rows), wanted.total(), name="rescued",
        more="rows are in it that have no rescued quantity (a damaged line is rescued whole), or a file was loaded "
             "twice.",
        fewer="was bronze_typed loaded again after the tills' new file arrived?")
    if not problems and found != wanted:
        example = next(iter(wanted - found))
        problems.append(f"`quantity_text` should hold what the till sent, such as {example[2]!r} for product "
                        f"{example[1]}. "
                        "`get_json_object(_rescued_data, '$.quantity')` takes one field out of the JSON text.")
    return verdict(problems, right=f"{len(rows)} lines say their quantity in words. The rows are there with a NULL, "
                                   "and the "
                   "word is kept: you can repair them, and nobody had to stop the load.")


def copied_file(lab: Any, answer: Any) -> Verdict:
    lines = looking.landed_lines(lab)
    copies = [name for name in lines if name.endswith("_redelivered.json")]
    if not copies:
        return verdict(['Nothing was delivered twice yet. Run the cell with lab.break_it("duplicate files") '
                        'first.'], right="")
    problems = []
    if answer in [name.replace("_redelivered", "") for name in copies]:
        problems.append(f"{answer} came first: it is the original. Its twin came later, under another name.")
    elif answer not in copies:
        problems.append(f"{answer!r} does not repeat another file. Which (basket_id, product_id) stand in two source "
                        "files?")
    left = looking.table(lab, "bronze_typed").where("source_file LIKE '%redelivered%'").count()
    if left:
        problems.append(f"bronze_typed still has {left:,} rows of the copy. DELETE FROM works on a Delta table.")
    else:
        problems += _by_file(lab, "bronze_typed", without=copies)
    return verdict(problems, right="Found and repaired. The copied file will not be read again: its path is in the "
                                   "checkpoint.")


def update(lab: Any, answer: Any) -> Verdict:
    if not hasattr(answer, "datasets"):
        return verdict([f"`update` is a {type(answer).__name__}, expected what `retail.update()` gives "
                        "back."], right="")
    if answer.error:
        return verdict([f"The update failed: {answer.error}"], right="")
    frame = looking.table(lab, "bronze_sql")
    problems = looking.wrong_types(frame, {"sales_value": "decimal(10,2)"}, name="bronze_sql")
    problems += _by_file(lab, "bronze_sql")
    kinds = {dataset.name: dataset.kind for dataset in answer.datasets}
    if kinds.get("bronze_sql") != "STREAMING_TABLE":
        problems.append("`bronze_sql` is not a streaming table. Write CREATE OR REFRESH STREAMING TABLE, and STREAM "
                        "before "
                        "read_files.")
    return verdict(problems, right="The same load in one statement: schema and checkpoint are the pipeline's business.")


def _not_auto_loader(frame: Any, name: str) -> list[str]:
    if "_rescued_data" in frame.columns:
        return []
    return [f"`{name}` has no column `_rescued_data`, so it is a plain file stream. Auto Loader's format is "
            "`cloudFiles`."]


def _no_schema_location(lab: Any, path: str) -> list[str]:
    if (Path(lab.volume(path)) / "_schemas").is_dir():
        return []
    return [f"No schema was written to {path}. Give the option cloudFiles.schemaLocation as `lab.volume(\"{path}\")`."]


def _complete(lab: Any, name: str) -> list[str]:
    return looking.row_count_problem(
        looking.table(lab, name).count(), sum(looking.landed_lines(lab).values()), name=name,
        more="a file was read twice. Was the stream started with another checkpoint? Drop the table, empty the "
             "checkpoint's folder and load once more.",
        fewer="not everything that has landed was read. Did the stream end before the last file arrived?")


def _by_file(lab: Any, name: str, *, without: Any = ()) -> list[str]:
    frame = looking.table(lab, name)
    problems = looking.missing_columns(frame, ["source_file"], name=name)
    if problems:
        return problems
    found = {row.source_file: row["count"] for row in frame.groupBy("source_file").count().collect()}
    wanted = {file: lines for file, lines in looking.landed_lines(lab).items() if file not in without}
    for file, lines in wanted.items():
        if found.get(file, 0) != lines:
            problems.append(f"`{name}` has {found.get(file, 0):,} rows of {file}, which has {lines:,} lines.")
    if not set(found) & set(wanted):
        problems.append("`source_file` should be the file's name, such as 2017-01-01.json: `_metadata.file_name`.")
    return problems


EXERCISES = (
    Exercise("05.1", "A stream of files", ("2.3",), receipts, (
        "A stream begins with spark.readStream, and Auto Loader is a format like any other.",
        'The format is "cloudFiles"; two options begin with cloudFiles.: the format of the files and the schema '
        'location.',
        'spark.readStream.format("cloudFiles").option("cloudFiles.format", "json").option("cloudFiles.schemaLocation", '
        "lab.volume(…)).load(lab.volume(…))",
    )),
    Exercise("05.2", "Read what is there, then stop", ("2.3", "2.1"), load, (
        "A DataFrame that streams is written with writeStream.",
        "Two things are needed besides the table's name: where it remembers, and when it ends.",
        'receipts.writeStream.option("checkpointLocation", lab.volume(…)).trigger(availableNow=True).toTable(…)',
    )),
    Exercise("05.3", "The next day", ("2.1", "2.3"), rows_read, (
        "Nothing about the stream changes: start exactly what you started before.",
        "Keep the query in a variable, then ask lab.outcome(query).rows.",
    )),
    Exercise("05.4", "Types", ("2.3", "2.7"), typed, (
        "Begin with your first stream, and add two options.",
        "cloudFiles.inferColumnTypes is \"true\" as a text; cloudFiles.schemaHints is a list of columns as in CREATE "
        "TABLE.",
        '.option("cloudFiles.schemaHints", "quantity INT, sales_value DECIMAL(10,2), …")',
    )),
    Exercise("05.5", "Which file was it?", ("2.3",), load_typed, (
        "_metadata is a struct: its fields are selected with a point.",
        'typed.select("*", "_metadata.file_name") adds it; withColumnRenamed gives it another name.',
    )),
    Exercise("05.6", "What did not fit", ("2.3", "2.7"), rescued, (
        "First load: until then the new file is in the folder only.",
        "The rows that you look for have a quantity in _rescued_data, which is a JSON text.",
        "get_json_object(_rescued_data, '$.quantity') takes the field out of the JSON text.",
    )),
    Exercise("05.7", "The same receipts twice", ("2.3",), copied_file, (
        "A line is known by basket_id and product_id. Which of them stand in two source files?",
        "Join bronze_typed with itself on both ids, where the source files differ, and count by file.",
        "Then spark.sql(\"DELETE FROM bronze_typed WHERE source_file = '…'\").",
    )),
    Exercise("05.8", "The same in SQL", ("2.3",), update, (
        "CREATE OR REFRESH STREAMING TABLE … AS SELECT …: look at lesson 00.",
        "FROM STREAM read_files('${landing}/transactions', format => 'json', schemaHints => '…')",
        "SELECT *, _metadata.file_name AS source_file",
    )),
)
