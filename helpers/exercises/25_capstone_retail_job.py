"""Checks of lesson 25: the capstone, a job whose sources the learner completes, runs, repairs and reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import orchestration, receipts, retail_job, updates

TITLE = "Capstone: the retail job"
OBJECTIVES = ("2.3", "3.1", "3.4", "3.6", "3.7", "4.1", "4.2", "4.3", "6.2")
DIFFERENCES = (
    "pipelines.notebook", "pipelines.id", "pipelines.event-log-time", "jobs.notebook-path", "jobs.referenced-jobs",
    "jobs.compute", "jobs.schedule", "jobs.mail", "jobs.ids", "commands.arrival", "jobs.lab-run",
    "jobs.pipeline-parameters",
)
RULES = ("household_known", "product_known", "positive_quantity", "sales_not_negative")
TYPES = {
    "household_id": "bigint", "store_id": "bigint", "basket_id": "bigint", "product_id": "bigint", "quantity": "int",
    "week": "int", "sales_value": "decimal(10,2)", "retail_disc": "decimal(10,2)", "coupon_disc": "decimal(10,2)",
    "coupon_match_disc": "decimal(10,2)", "transaction_timestamp": "timestamp", "_rescued_data": "string",
}  # fmt: skip
KEPT = ("A streaming table keeps the rows that it has. After a change of its rules: "
        '`retail.update(full_refresh=["silver_transactions", "silver_quarantine"])`.')
Check = Callable[[Any, Any], Verdict]


def ran_here(check: Check) -> Check:
    """A check of runs: on Databricks a note takes a run's place, and that is no attempt."""

    def judged(lab: Any, answer: Any) -> Verdict:
        answers = answer if isinstance(answer, tuple) else (answer,)
        return orchestration.not_here(*answers) or check(lab, answer)

    return judged


def bronze(lab: Any, answer: Any) -> Verdict:
    names = ("bronze_transactions", "bronze_products", "bronze_households")
    problems = retail_job.update_problems(answer, dict.fromkeys(names, "STREAMING_TABLE"))
    if not problems:
        problems += looking.wrong_types(looking.table(lab, names[0]), TYPES, name=names[0])
        problems += looking.rule_problems(lab, answer, names[0], {"readable": "warn"})
        problems += retail_job.bronze_problems(lab)
    lines = sum(looking.landed_lines(lab).values())
    return verdict(problems, right=f"All three feeds are in bronze, {lines:,} receipt lines with their file and types.")


def silver(lab: Any, answer: Any) -> Verdict:
    kinds = {"silver_transactions": "STREAMING_TABLE", "silver_quarantine": "STREAMING_TABLE",
             "silver_sales": "MATERIALIZED_VIEW"}
    problems = retail_job.update_problems(answer, kinds)
    if not problems:
        problems += looking.rule_problems(lab, answer, "silver_transactions", dict.fromkeys(RULES, "drop"))
        problems += retail_job.silver_problems(lab, hint=KEPT)
    if problems:
        return verdict(problems, right="")
    bad = sum(not line.good for line in receipts.receipt_lines(lab))
    return verdict([], right=f"{looking.table(lab, 'silver_sales').count():,} sales, one row each. {bad} lines wait in "
                             "quarantine, and each knows which rules it broke.")


def gold(lab: Any, answer: Any) -> Verdict:
    problems = retail_job.update_problems(answer, dict.fromkeys(sorted(retail_job.GOLD), "MATERIALIZED_VIEW"))
    if not problems:
        problems += looking.input_problems(answer, "gold_revenue_by_price_tier", ["silver_sales"])
        problems += retail_job.gold_problems(lab)
    return verdict(problems, right="Seven gold tables, and their revenue is what the receipts say, to the cent.")


def definition(lab: Any, answer: Any) -> Verdict:
    job, given = answer
    if not isinstance(given, dict):
        return verdict([f"`definition` is a {type(given).__name__}, expected a dictionary: what "
                        '`job.read("job.json")` gives.'], right="")
    problems = [*job.problems(given), *retail_job.definition_problems(given)]
    return verdict(problems, right="Five tasks in order, each pipeline task with its own tables, and bronze is tried "
                                   "again twice.")


@ran_here
def first_run(lab: Any, run: Any) -> Verdict:
    problems = orchestration.not_a_run(run, name="run")
    if not problems:
        problems = retail_job.parameter_problems(lab, run) + retail_job.run_problems(run)
    problems = problems or _tables(lab)
    if not problems and not Path(run.job_parameters["report"]).is_file():
        problems.append(f"There is no report in {run.job_parameters['report']}. Where did the last task write it?")
    return verdict(problems, right="Five tasks, all green: the tables hold what has landed, and the report is written.")


@ran_here
def failure(lab: Any, answer: Any) -> Verdict:
    run, culprit = answer
    problems = orchestration.not_a_run(run, name="failed")
    if problems:
        return verdict(problems, right="")
    problems = retail_job.parameter_problems(lab, run)
    found = {task.task_key: task for task in run.latest()}
    broke = [key for key, task in found.items() if task.state.result_state == "FAILED"]
    if not broke:
        problems.append(f"This run ended as {run.state.result_state}: no task broke. Did the two cells with "
                        "lab.break_it run before it?")
    elif culprit not in found:
        problems.append(f"`culprit` is {culprit!r}, which is no task_key of this run. It has {', '.join(found)}.")
    elif culprit not in broke:
        state = found[culprit].state.result_state
        why = "It never started, because of another task." if state == "UPSTREAM_FAILED" else ""
        problems.append(f"`{culprit}` is {state}. {why} Which task has the state of one that broke?".replace("  ", " "))
    if problems:
        return verdict(problems, right="")
    waiting = sum(task.state.result_state == "UPSTREAM_FAILED" for task in found.values())
    return verdict([], right=f"`{culprit}` broke: {found[culprit].error} The other {waiting} never started.")


@ran_here
def repair(lab: Any, answer: Any) -> Verdict:
    failed, run = answer
    problems = orchestration.not_a_run(failed, name="failed") + orchestration.not_a_run(run, name="repaired")
    if problems:
        return verdict(problems, right="")
    if run.run_id != failed.run_id:
        problems.append(f"Run {run.run_id} is a new run: run {failed.run_id} stays red in the history. What runs a "
                        "failed run again under its own id?")
    elif run.repair_history[-1].type != "REPAIR":
        problems.append(f"Run {run.run_id} has not been repaired yet: this is the failed run itself.")
    else:
        problems += retail_job.run_problems(run)
    problems += [] if problems else _tables(lab)
    number = sum(each.type == "REPAIR" for each in getattr(run, "repair_history", ()))
    return verdict(problems, right=f"Run {run.run_id} is green after {number} repair{'s' if number > 1 else ''}, under "
                                   "the same id, and the tables hold all that has landed.")


@ran_here
def looked(lab: Any, answer: Any) -> Verdict:
    run, read, unreadable = answer
    problems = orchestration.not_a_run(run, name="repaired")
    if problems:
        return verdict(problems, right="")
    update = (run.task("bronze_ingestion").update or {}).get("update_id")
    if not update:
        return verdict(["The bronze task of `repaired` has no update: it never started. Finish 25.7 first."], right="")
    events = updates.events(lab, "retail")
    wanted = updates.rows_written(event for event in events if event["update_id"] == update)
    problems += _read_problems(read, wanted, updates.rows_written(events)) + _number_problems(lab, unreadable)
    return verdict(problems, right=f"The update read what was new and nothing else: {updates.counted(wanted)}. And "
                                   f"{unreadable} lines wait in quarantine with a quantity that nobody could read.")


def _tables(lab: Any) -> list[str]:
    return retail_job.bronze_problems(lab) + retail_job.silver_problems(lab) + retail_job.gold_problems(lab)


def _read_problems(read: Any, wanted: dict[str, int], ever: dict[str, int]) -> list[str]:
    if not hasattr(read, "columns"):
        return [f"`read` is a {type(read).__name__}, expected a DataFrame of the event log."]
    if problems := looking.missing_columns(read, ("flow_name", "rows"), name="read"):
        return problems
    found: dict[str, int] = {}
    for row in read.select("flow_name", "rows").collect():
        found[row.flow_name] = found.get(row.flow_name, 0) + int(row.rows or 0)
    found = {flow: rows for flow, rows in found.items() if rows}
    wanted = {flow: rows for flow, rows in wanted.items() if rows}
    if found == wanted:
        return []
    if found == ever:
        return [f"`read` has {updates.counted(found)}: that is every update there ever was, the first days too. Which "
                "events are those of one update?"]
    if not found:
        return ["`read` has no rows with a number in `rows`. Is the update's id that of the bronze task, and the level "
                "METRICS?"]
    return [f"`read` has {updates.counted(found)}. The update of the bronze task has written into "
            f"{', '.join(f'`{flow}`' for flow in sorted(wanted)) or 'nothing'}. Whose update is yours, and are its "
            "numbers those in details?"]


def _number_problems(lab: Any, unreadable: Any) -> list[str]:
    if isinstance(unreadable, bool) or not isinstance(unreadable, int):
        return [f"`unreadable` is a {type(unreadable).__name__}, expected a whole number."]
    wanted = retail_job.unreadable_quantities(lab)
    lines = [line for line in receipts.receipt_lines(lab) if not line.good]
    if unreadable == wanted:
        return []
    if unreadable == len(lines):
        return [f"{unreadable} is everything in quarantine. Only some of it is there for its quantity."]
    if unreadable == sum((line.quantity or 0) <= 0 for line in lines):
        return [f"{unreadable} is every line that breaks positive_quantity: those with 0 or less are among them, and "
                "those arrived as numbers. What tells the others apart?"]
    return [f"`unreadable` is {unreadable}, expected {'fewer' if unreadable > wanted else 'more'}. A damaged line and "
            "an unreadable sales_value are in quarantine too: does your condition look at the quantity alone?"]


EXERCISES = (
    Exercise("25.1", "The bronze stream", ("2.3", "3.6"), bronze, (
        "Copy bronze_households, and change its name, its folder and its schemaHints.",
        "The rule stands in brackets after the table's name: (CONSTRAINT readable EXPECT (…)).",
        'retail.file(job.folder / "pipeline/bronze.sql"), then bronze = retail.update().',
        "The finished file is solutions/retail_job/pipeline/bronze.sql.",
    )),
    Exercise("25.2", "Rules, and one row a sale", ("3.1", "3.4", "3.7"), silver, (
        "household_known shows how a rule is written. Three more, with a comma after each.",
        "What is NULL > 0? Write both halves: quantity IS NOT NULL AND quantity > 0.",
        "QUALIFY row_number() OVER (PARTITION BY … ORDER BY … DESC) = 1",
        "The finished files are in solutions/retail_job/pipeline.",
    )),
    Exercise("25.3", "One gold table", ("3.4", "3.6"), gold, (
        "gold_revenue_by_department has the same columns; only its group is another.",
        "CAST(sum(sales_value) AS DECIMAL(14, 2)) AS revenue, and count(DISTINCT product_id) AS products.",
        "The finished file is solutions/retail_job/pipeline/gold.sql.",
    )),
    Exercise("25.4", "The job's definition", ("4.1", "4.2"), definition, (
        "Four settings at four tasks. The neighbours in the file show how each is written.",
        '"depends_on": [{"task_key": "…"}] at a task, refresh_selection inside its pipeline_task.',
        "The finished file is solutions/retail_job/job.json.",
    )),
    Exercise("25.5", "The first run", ("4.2",), first_run, (
        "job.run takes the definition, and the values as parameters=….",
        "run = job.run(definition, parameters=parameters)",
    )),
    Exercise("25.6", "The task that broke", ("6.2",), failure, (
        "failed = job.run(…) as in 25.5. Then write failed into a cell of your own and read its states.",
        "Only one task is FAILED. culprit is its key, as a text.",
    )),
    Exercise("25.7", "Repair", ("4.1", "6.2"), repair, (
        "Which feed does the error name, and which folder in the landing volume has a strange name?",
        '(landing / "products_moved").rename(landing / "products")',
        "repaired = job.repair(failed, definition)",
    )),
    Exercise("25.8", "What it read and dropped", ("3.7", "6.2"), looked, (
        "Exercise 10.3 asked the same of an event log.",
        "retail.event_log().where(f\"origin.update_id = '{update}' AND level = 'METRICS'\"), then selectExpr with "
        "origin.flow_name and CAST(get_json_object(details, '$.flow_progress.metrics.num_output_rows') AS INT) AS rows",
        "_rescued_data is a JSON text: get_json_object(_rescued_data, '$.quantity') is NULL where quantity was read.",
    )),
)
