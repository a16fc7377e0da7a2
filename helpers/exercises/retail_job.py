"""What the capstone's checks look at: the job's definition by task key, its runs, and the tables that came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers import looking
from helpers.exercises import orchestration, receipts

TASKS = ("setup_environment", "bronze_ingestion", "silver_transformation", "gold_aggregation", "create_dashboard")
GOLD = frozenset({
    "gold_revenue_by_department", "gold_revenue_by_category", "gold_revenue_by_price_tier", "gold_revenue_by_day",
    "gold_revenue_by_hour", "gold_revenue_by_income", "gold_quality_by_category",
})  # fmt: skip
#: How often each task that was tried again before is tried again now.
RETRIES = {"bronze_ingestion": 2, "silver_transformation": 1, "gold_aggregation": 1}


def definition_problems(definition: Mapping[str, Any]) -> list[str]:
    """What is wrong with a definition even if it is valid, each with its task."""
    if missing := orchestration.task_problems(definition, TASKS):
        return missing
    tasks = orchestration.tasks(definition)
    return [*order_problems(tasks), *selection_problems(tasks), *retry_problems(tasks)]


def order_problems(tasks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Each task that can begin before a task whose work it needs has ended."""
    direct = {key: set(orchestration.upstream(task)) for key, task in tasks.items()}
    early = [key for place, key in enumerate(TASKS) if not set(TASKS[:place]) <= _all_before(key, direct)]
    # A task that waits for an early one is early too, and is right once that one is.
    for key in (each for each in early if not _waits_for_the_one_before(each, direct)):
        waits = sorted(direct[key])
        found = f"waits for {', '.join(f'`{each}`' for each in waits)} only" if waits else "waits for nobody"
        yield (f"`{key}` {found}, so it can begin while a task whose work it needs is still running. Whose tables or "
               "files does it read?")


def _waits_for_the_one_before(key: str, direct: Mapping[str, set[str]]) -> bool:
    place = TASKS.index(key)
    return place > 0 and TASKS[place - 1] in _all_before(key, direct)


def _all_before(key: str, direct: Mapping[str, set[str]]) -> set[str]:
    """The tasks that a task waits for, directly or through others."""
    found: set[str] = set()
    todo = set(direct.get(key, ()))
    while todo:
        one = todo.pop()
        found.add(one)
        todo |= direct.get(one, set()) - found
    return found


def selection_problems(tasks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What the gold task refreshes beside its own tables, and what of these it leaves out."""
    work = tasks["gold_aggregation"].get("pipeline_task")
    chosen = work.get("refresh_selection") if isinstance(work, Mapping) else ""
    if not isinstance(work, Mapping) or not isinstance(chosen or [], list):
        return  # its shape is wrong, which the definition's own check has told
    selected = {str(name) for name in chosen or ()}
    if work.get("full_refresh") or work.get("full_refresh_selection"):
        yield ("`gold_aggregation` makes a full refresh: everything it selects is emptied and read again, each night. "
               "Which field selects tables for a normal refresh?")
    if not selected:
        yield ("`gold_aggregation` has no refresh_selection, so it refreshes the whole pipeline, bronze and silver "
               "too. How do the other two pipeline tasks say what is theirs?")
        return
    if other := sorted(selected - GOLD):
        yield (f"`gold_aggregation` selects {', '.join(f'`{name}`' for name in other)}, which gold.sql does not "
               "define. Is it another task's, or misspelled?")
    if number := len(GOLD - selected):
        tables = "table" if number == 1 else "tables"
        yield (f"{number} {tables} of gold.sql would be refreshed by no task of the job, and keep old numbers for "
               "ever. Compare your list with the file.")


def retry_problems(tasks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Each task that is tried again more or less often than it should be."""
    for key, task in tasks.items():
        found, wanted = task.get("max_retries", 0), RETRIES.get(key, 0)
        if found == wanted:
            continue
        if key not in RETRIES:
            yield f"`{key}` has max_retries {found}, and needs none. Were they meant for another task?"
        elif found == 0:
            yield f"`{key}` is not tried again when it fails: it has no max_retries."
        else:
            often = "without end" if found == -1 else f"up to {found} times"
            yield f"`{key}` is tried again {often}, expected {wanted}. Does the number stand at the right task?"


def run_problems(run: Any) -> list[str]:
    """Each task that broke, with its error, and how many never started because of it."""
    states = orchestration.results(run)
    if missing := [key for key in TASKS if key not in states]:
        return [f"The run has no task {', '.join(f'`{key}`' for key in missing)}. Which definition did it run?"]
    problems = [f"`{key}` ended as {state}: {run.task(key).error or 'it gave no reason.'}"
                for key, state in states.items() if state not in ("SUCCESS", "UPSTREAM_FAILED")]
    if waiting := [key for key, state in states.items() if state == "UPSTREAM_FAILED"]:
        problems.append(f"{', '.join(f'`{key}`' for key in waiting)} never started because of that.")
    return problems


def update_problems(report: Any, kinds: Mapping[str, str]) -> list[str]:
    """Whether an update went well and its sources define these datasets, each as this kind."""
    if not hasattr(report, "datasets") or report.error:
        return looking.update_problems(report)
    found = {dataset.name: dataset.kind for dataset in report.datasets}
    # A table of an earlier update that no source defines any more is only read.
    missing = [name for name in kinds if found.get(name, "SOURCE") == "SOURCE"]
    problems = [f"No source of the pipeline defines `{name}`. Is it named exactly so in the file, was the file saved, "
                "and was it given to `retail` before the update?" for name in missing]
    return problems + looking.update_problems(
        report, **{name: kind for name, kind in kinds.items() if name not in missing})


def parameter_problems(lab: Any, run: Any) -> list[str]:
    """Whether the run read this lesson's files and wrote into its schema."""
    given, problems = run.job_parameters, []
    if given.get("schema") != lab.schema:
        problems.append(f"The run wrote into the schema {given.get('schema')!r}, expected {lab.schema!r}. The job's "
                        "own values are production's: which argument of `job.run` replaces them?")
    if Path(given.get("landing", "")) != Path(lab.volume()):
        problems.append(f"The run read the files in {given.get('landing')}, expected those in {lab.volume()}.")
    return problems


def bronze_problems(lab: Any) -> list[str]:
    """Whether every landed line is in bronze, once."""
    problems: list[str] = []
    for feed, header in (("transactions", 0), ("products", 1), ("households", 0)):
        wanted = {name: lines - header for name, lines in looking.landed_lines(lab, feed).items()}
        problems += looking.rows_by_file_problems(lab, f"bronze_{feed}", wanted)
    return problems


def silver_problems(lab: Any, *, hint: str = "") -> list[str]:
    """Whether each line of bronze is a good one or in quarantine, and each sale is there once."""
    lines = receipts.receipt_lines(lab)
    good, bad = (Counter(line.file for line in lines if line.good is kept) for kept in (True, False))
    return [*looking.rows_by_file_problems(lab, "silver_transactions", good, hint=hint),
            *looking.rows_by_file_problems(lab, "silver_quarantine", bad, hint=hint),
            *receipts.sales_problems(lab)]


def gold_problems(lab: Any) -> list[str]:
    """Whether the two gold tables that the files can prove hold what the files say."""
    truth = {"gold_revenue_by_department": receipts.by_department(lab),
             "gold_revenue_by_price_tier": receipts.by_price_tier(lab)}
    return [problem for name, wanted in truth.items() for problem in receipts.gold_table_problems(
        looking.table(lab, name), name, *receipts.GOLD[name], wanted)]


def unreadable_quantities(lab: Any) -> int:
    """Landed lines whose quantity is no number."""
    records = looking.landed_records(lab)
    return sum(isinstance(line.get("quantity"), str) for lines in records.values() for line in _objects(lines))


def _objects(lines: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    return (line for line in lines if isinstance(line, dict))
