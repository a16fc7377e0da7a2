"""Checks of lesson 15: job orchestration."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import orchestration, receipts

TITLE = "Job orchestration"
OBJECTIVES = ("4.1", "4.2", "6.2")
DIFFERENCES = (
    "jobs.compute", "jobs.ids", "jobs.notebook-path", "jobs.referenced-jobs", "jobs.references", "jobs.parallel",
    "jobs.mail", "jobs.dbutils", "jobs.unsupported", "jobs.lab-run", "jobs.repair-latest-id",
)
SETUP, BRONZE, SILVER, GOLD, REPORT = TASKS = (
    "setup_environment", "bronze_ingestion", "silver_transformation", "gold_aggregation", "create_report",
)
KINDS = {SETUP: "notebook_task", BRONZE: "pipeline_task", SILVER: "pipeline_task", GOLD: "pipeline_task",
         REPORT: "notebook_task"}
UPSTREAM = dict(zip(TASKS[1:], ([each] for each in TASKS), strict=False))
TABLES = {BRONZE: ("bronze_transactions", "bronze_products"), SILVER: ("silver_transactions", "silver_sales"),
          GOLD: ("gold_revenue_by_department",)}
ADDRESS = "data-team@example.com"
_NOT_SO = {
    "notebook_task": "it fills tables. In a notebook, your own code would have to remember which files it has read, "
                     "and count what the rules drop. Which kind does that for you?",
    "pipeline_task": "it fills no table. A pipeline holds definitions of tables; it cannot count files or write a "
                     "sentence. Which kind runs any code?",
    "sql_task": "its statements would remember no file.",
}


def kinds(lab: Any, answer: Any) -> Verdict:
    if not isinstance(answer, Mapping):
        return verdict([f"`kinds` is a {type(answer).__name__}, expected a dictionary: task name to kind."], right="")
    problems = [f"`kinds` says nothing of `{key}`." for key in TASKS if key not in answer]
    problems += [f"There is no task `{key}` in the table." for key in answer if key not in TASKS]
    problems += [f"`{key}` should not be a {answer[key]}: {_NOT_SO.get(str(answer[key]), 'that is another work.')}"
                 for key in TASKS if key in answer and answer[key] != KINDS[key]]
    return verdict(problems, right="Three tasks fill tables, so they are updates of a pipeline. The first and the last "
                                   "do something else: code, in a notebook.")


def setup(lab: Any, answer: Any) -> Verdict:
    problems = orchestration.not_a_run(answer, name="tried")
    problems = problems or orchestration.result_problems(answer, {SETUP: "SUCCESS"})
    if problems:
        return verdict(problems, right="")
    values = answer.task(SETUP).values or {}
    files, landed = values.get("files"), len(looking.landed_lines(lab))
    if "files" not in values:
        other = f" It has set {', '.join(map(repr, values))}." if values else ""
        problems.append(f"The task ended well, but has set no task value `files`.{other} Which call of dbutils does "
                        "that?")
    elif isinstance(files, str) and files == str(landed):
        problems.append(f"The task value `files` is the text {files!r}. A task value may be a number: leave str() out.")
    elif not isinstance(files, int) or isinstance(files, bool):
        problems.append(f"The task value `files` is {files!r}, expected a number: how many files there are.")
    elif files != landed:
        problems.append(f"The task value `files` is {files}, but landing/transactions holds {landed} files. Does the "
                        "notebook look into the folder transactions, below the parameter landing?")
    return verdict(problems, right=f"The task counted {files} files and left the number for later tasks.")


def definition(lab: Any, answer: Any) -> Verdict:
    return verdict(_definition(lab, answer, "daily"), right="Five tasks, each after the one that it needs, and nothing "
                                                            "has run yet: a definition is only a plan.")


def _definition(lab: Any, answer: Any, name: str) -> list[str]:
    problems = orchestration.definition_problems(lab, "retail", answer, name=name)
    if not isinstance(answer, Mapping):
        return problems
    if answer.get("name") != "daily_retail":
        problems.append(f"The job's name is {answer.get('name')!r}, expected 'daily_retail'.")
    problems += orchestration.parameter_problems(answer, {"schema": lab.schema, "landing": lab.volume()})
    problems += orchestration.task_problems(answer, TASKS) + orchestration.kind_problems(answer, KINDS)
    problems += orchestration.dependency_problems(answer, UPSTREAM)
    for key, tables in TABLES.items():
        problems += orchestration.pipeline_problems(answer, key, pipeline="retail", tables=tables)
    for key in (SETUP, REPORT):
        problems += orchestration.notebook_problems(answer, key, f"{key}.ipynb")
    return problems + _files_reference(answer)


def _files_reference(answer: Mapping[str, Any]) -> list[str]:
    if orchestration.kind(orchestration.tasks(answer).get(REPORT, {})) != "notebook_task":
        return []
    given = orchestration.base_parameters(answer, REPORT)
    if "files" not in given:
        where = " `files` as a job parameter would be known before anything is counted." \
            if "files" in orchestration.parameters(answer) else ""
        return [f"`{REPORT}` gets no `files`. The field base_parameters of its notebook_task hands it one.{where}"]
    text = "".join(str(given["files"]).split())
    if text == f"{{{{tasks.{SETUP}.values.files}}}}":
        return []
    if not text.startswith("{{"):
        return [f"`{REPORT}` gets the fixed text {given['files']!r} as `files`. A reference is a text in double "
                "braces: tasks, the task, values, the key, with points between them."]
    return [f"`{REPORT}` gets {given['files']!r} as `files`. Which task has counted the files, and under which key?"]


def careful(lab: Any, answer: Any) -> Verdict:
    problems = _definition(lab, answer, "careful")
    if isinstance(answer, Mapping):
        found = orchestration.tasks(answer)
        problems += _retries(found) + _limits(answer, found) + _mail(answer, found)
    return verdict(problems, right="Bronze is tried twice, nothing hangs longer than its limit, and a failed morning "
                                   "tells somebody.")


def _retries(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    problems = [f"`{key}` has max_retries {task['max_retries']}: a wrong query or a wrong cell fails again, only "
                "later. Only one task reads from outside." for key, task in found.items()
                if key != BRONZE and task.get("max_retries")]
    bronze = found.get(BRONZE, {})
    retries, wait = bronze.get("max_retries", 0), bronze.get("min_retry_interval_millis", 0)
    if BRONZE in found and retries != 1:
        end = "it would be tried again without end" if retries == -1 else f"that makes {retries + 1} attempts at most" \
            if isinstance(retries, int) else "that is no number"
        problems.append(f"`{BRONZE}` has max_retries {retries}: {end}. Expected one retry.")
    if BRONZE in found and wait != 1000:
        unit = " The unit is a thousandth of a second." if wait == 1 else ""
        problems.append(f"`{BRONZE}` has min_retry_interval_millis {wait}, expected one second.{unit}")
    return problems


def _limits(answer: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    wanted = [(f"`{key}`", found[key].get("timeout_seconds", 0), 600) for key in TABLES if key in found]
    wanted.append(("The job itself", answer.get("timeout_seconds", 0), 1800))
    return [f"{who} has timeout_seconds {limit}, expected {expected}: "
            + ("0 means no limit." if not limit else "the unit is seconds.") for who, limit, expected in wanted
            if limit != expected]


def _mail(answer: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    def told(owner: Mapping[str, Any], event: str) -> Any:
        mails = owner.get("email_notifications")
        return mails.get(event) or () if isinstance(mails, Mapping) else ()

    if ADDRESS in told(answer, "on_failure"):
        return []
    on_tasks = [key for key, task in found.items() if ADDRESS in told(task, "on_failure")]
    other = [event for event in ("on_start", "on_success") if ADDRESS in told(answer, event)]
    why = f" `{on_tasks[0]}` tells of its own failure only." if on_tasks else \
        f" {other[0]} tells of another event." if other else ""
    return [f"Nobody at {ADDRESS} hears that the job failed.{why} email_notifications is a field of the job too."]


def morning(lab: Any, answer: Any) -> Verdict:
    problems = orchestration.not_a_run(answer, name="morning")
    if not problems:
        problems += orchestration.result_problems(answer, dict.fromkeys(TASKS, "SUCCESS"))
    if not problems:
        problems += _complete(lab)
    return verdict(problems, right="Five times SUCCESS. The report says: "
                                   f"{answer.task(REPORT).exit_value}." if not problems else "")


def _complete(lab: Any) -> list[str]:
    """Whether bronze holds every landed line, and gold the sum of silver's."""
    problems = looking.rows_by_file_problems(
        lab, "bronze_transactions", looking.landed_lines(lab), hint="Did files arrive after the bronze task had run?")
    rows = looking.table(lab, "gold_revenue_by_department").select("department", "revenue").collect()
    total = sum((row.revenue for row in rows if row.revenue is not None), Decimal(0))
    wanted = receipts.revenue(receipts.newest(receipts.receipt_lines(lab)).values())
    if not problems and total != wanted:
        problems.append(f"`gold_revenue_by_department` adds up to {total} dollars, but the files give {wanted}. Which "
                        "tables do the silver and the gold task refresh?")
    return problems


def broken(lab: Any, answer: Any) -> Verdict:
    run, failed, never_ran = answer
    if elsewhere := orchestration.not_here(run):
        return elsewhere
    problems = orchestration.not_a_run(run, name="broken")
    if problems:
        return verdict(problems, right="")
    found = orchestration.results(run)
    itself = [key for key, state in found.items() if state in ("FAILED", "TIMEDOUT")]
    if not itself:
        return verdict(["In this run every task went well, so there is nothing to find. If you have mended the folder "
                        'already, run lab.break_it("upstream task") and this cell again.'], right="")
    waiting = {key for key, state in found.items() if state == "UPSTREAM_FAILED"}
    problems += _cause(failed, itself, found)
    problems += orchestration.names_problems(
        never_ran, waiting, name="never_ran", more="it did run, with a start and an end.",
        fewer="everything behind the failed task counts, also what waits for it only through another task.")
    tried = orchestration.attempts(run, itself[0])
    again = f" It was tried {tried} times: no retry brings a folder back." if tried > 1 else ""
    mail = f" A mail to {ADDRESS} waits in work/outbox." if run.notifications else ""
    return verdict(problems, right=f"`{itself[0]}` failed, and {len(waiting)} tasks never ran.{again}{mail} Its error: "
                                   f"{run.task(itself[0]).error}")


def _cause(failed: Any, itself: list[str], found: Mapping[str, str]) -> list[str]:
    if failed in itself:
        return []
    state = found.get(failed) if isinstance(failed, str) else None
    if state is None:
        return [f"`failed` is {failed!r}, expected the name of one task of the run."]
    if state == "UPSTREAM_FAILED":
        return [f"`{failed}` is UPSTREAM_FAILED: it never ran, so it cannot be the cause. What did it wait for?"]
    return [f"`{failed}` is {state}. Which task ended with an error of its own?"]


def repaired(lab: Any, answer: Any) -> Verdict:
    again, run = answer
    if elsewhere := orchestration.not_here(run):
        return elsewhere
    problems = orchestration.not_a_run(run, name="repaired")
    if problems:
        return verdict(problems, right="")
    if len(run.repair_history) < 2:
        return verdict(["`repaired` is a new run, not a repair: it has an id of its own, and all five tasks ran. "
                        "`job.repair(…)` takes the run that failed."], right="")
    problems += orchestration.result_problems(run, dict.fromkeys(TASKS, "SUCCESS"))
    if problems and not Path(lab.volume("landing/products")).is_dir():
        problems.append("The folder landing/products is still not there: a repair does not mend the cause.")
    ran = orchestration.repaired_tasks(run)
    problems += orchestration.names_problems(
        again, ran, name="again", more="it had succeeded, so the repair kept it.",
        fewer="not only the task that failed: what of those that never ran?")
    if not problems:
        problems += _complete(lab)
    kept = [key for key in TASKS if key not in ran]
    said = f"{', '.join(f'`{key}`' for key in kept)} was kept, and did not run again." if kept else \
        "You named the first task, so everything ran again."
    return verdict(problems, right=f"Run {run.run_id} is a success now, with its old id. {said}")


def kept(lab: Any, answer: Any) -> Verdict:
    run, said, in_bronze = answer
    if elsewhere := orchestration.not_here(run):
        return elsewhere
    problems = orchestration.not_a_run(run, name="repaired")
    if problems:
        return verdict(problems, right="")
    told = (run.task(SETUP).values or {}).get("files")
    rows = looking.table(lab, "bronze_transactions").select("source_file").distinct().collect()
    files = len({row.source_file for row in rows})
    if said != told:
        problems.append(f"`said` is {said!r}, but another number went to the report: the task value that "
                        f"`{SETUP}` left in this run. Which field of a task's run holds its values?")
    if in_bronze != files:
        problems.append(f"`in_bronze` is {in_bronze!r}, but bronze_transactions holds rows of {files} files.")
    after = "Both agree: no file came between." if told == files else \
        f"`{SETUP}` had counted {told} files before the last one arrived, and the repair kept its value. Bronze ran " \
        f"in the repair, and has rows of {files} files."
    return verdict(problems, right=after)


EXERCISES = (
    Exercise("15.1", "Five steps, two kinds of task", ("4.2",), kinds, (
        "Ask of each step: does it fill tables, or does it do something else?",
        "The layers bronze, silver and gold are tables of a pipeline.",
        'The dictionary begins {"setup_environment": "notebook_task", "bronze_ingestion": …',
    )),
    Exercise("15.2", "A notebook that hands on a value", ("4.2",), setup, (
        "look.ipynb, a little higher on this page, has all three parts: it reads a parameter, it looks into the "
        "folder, and it sets a value.",
        "len(list(folder.glob(\"*.json\"))) counts files.",
        'dbutils.jobs.taskValues.set(key="files", value=…); then tried = job.run(try_setup).',
    )),
    Exercise("15.3", "The whole morning", ("4.2",), definition, (
        "Begin with a copy of `small`, and look at `job.problems(daily)` as you go on: it names task and field.",
        "Each task but the first has depends_on with one entry, the task above it.",
        'refresh_selection is a list of table names: those after CREATE OR REFRESH in the file of that layer.',
        '"base_parameters": {"files": "{{tasks.….values.…}}"} stands inside the report\'s notebook_task.',
    )),
    Exercise("15.4", "Retries, limits and a mail", ("4.1",), careful, (
        "Copy first, so that `daily` stays as it is: copy.deepcopy(daily). Then set fields in the copy.",
        'for task in careful["tasks"]: … goes through the tasks; task["task_key"] says which one it is.',
        "One second is 1000 milliseconds. timeout_seconds and email_notifications of the job stand beside its name.",
    )),
    Exercise("15.5", "Run it", ("4.2", "6.2"), morning, (
        "The small job was run in the same way.", "morning = job.run(careful)")),
    Exercise("15.6", "Find the task that blocks the others", ("6.2", "4.1"), broken, (
        "Look at the table that the run shows: one task has an error beside it.",
        "print(broken.text()) prints it in the middle of a cell. FAILED and UPSTREAM_FAILED are two things.",
        "Three tasks are UPSTREAM_FAILED.",
    )),
    Exercise("15.7", "Repair the run", ("6.2", "4.1"), repaired, (
        "A repair runs what did not succeed: the task that failed, and those that never ran.",
        'Path(lab.volume("landing/products_moved")).rename(lab.volume("landing/products")) gives the folder its name '
        "back.",
        "repaired = job.repair(broken, careful)",
    )),
    Exercise("15.8", "What a repair keeps", ("6.2", "4.2"), kept, (
        "The report's sentence ends with the number: repaired.task(\"create_report\").exit_value.",
        'The setup left it: repaired.task("setup_environment").values["files"].',
        "SELECT count(DISTINCT source_file) FROM bronze_transactions",
    )),
)
