"""Checks of lesson 16: control flow in jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import night_job, orchestration, rehearsal

TITLE = "Control flow in jobs"
OBJECTIVES = ("4.1", "4.2", "6.2")
DIFFERENCES = (
    "jobs.referenced-jobs", "jobs.references", "jobs.reference-to-later-task", "jobs.parallel", "jobs.sql-task",
    "jobs.unsupported", "jobs.for-each-repair", "jobs.for-each-fields", "jobs.for-each-condition",
    "jobs.lab-run", "jobs.repair-latest-id",
)
SCRIPT, SQL, NOTEBOOK = "spark_python_task", "sql_task", "notebook_task"
BRANCH, LOOP, OTHER_JOB = "condition_task", "for_each_task", "run_job_task"
STATES = ("SUCCESS", "FAILED", "UPSTREAM_FAILED", "EXCLUDED", "SUCCESS_WITH_FAILURES")
BAD, GOOD = {"look": {"new_lines": 900, "bad_percent": 9.5}}, {"look": {"new_lines": 900, "bad_percent": 1.5}}
NOTHING = {"look": {"new_lines": 0, "bad_percent": 0.0, "days": []}}


def careful(lab: Any, answer: Any) -> Verdict:
    definition, bad_night, good_night = answer
    kinds = {"load": SCRIPT, "gold": SQL, "clean_up": SCRIPT, "alert": SCRIPT}
    problems = night_job.definition(lab, definition, "careful", kinds)
    if not problems:
        problems += rehearsal.problems(definition, "all goes well", {"alert": "EXCLUDED", "clean_up": "SUCCESS"})
        for key in ("load", "gold"):
            problems += rehearsal.problems(definition, f"`{key}` fails", {"alert": "SUCCESS", "clean_up": "SUCCESS"},
                                           failing=(key,))
        problems += night_job.too_early(definition, "clean_up", ("load", "gold"))
    if found := night_job.stop(problems, bad_night, good_night):
        return found
    bad = {"load": "FAILED", "gold": "UPSTREAM_FAILED", "alert": "SUCCESS", "clean_up": "SUCCESS"}
    good = {"load": "SUCCESS", "gold": "SUCCESS", "alert": "EXCLUDED", "clean_up": "SUCCESS"}
    problems += night_job.run(bad_night, "a_bad_night", bad) + night_job.run(good_night, "a_good_night", good)
    left = sorted(path.name for path in Path(lab.volume("daily")).glob("*.part"))
    if not problems and left:
        problems.append(f"The work file {left[0]} is still there. Is the work of clean_up **clean_up?")
    return verdict(problems, right="The bad night has an alert and no work file left. In the good one the alert is "
                                   "EXCLUDED: nobody is disturbed, and nothing has failed.")


def predicted(lab: Any, answer: Any) -> Verdict:
    definition, prediction = answer
    if not isinstance(prediction, Mapping):
        return verdict([f"`prediction` is a {type(prediction).__name__}, expected a dictionary: task name to state."],
                       right="")
    states = rehearsal.play(definition, failing=("products",))
    wanted = {key: state for key, state in states.items() if key not in ("receipts", "products")}
    wanted["run"] = rehearsal.run_result(definition, states)
    problems = [f"`prediction` says nothing of `{key}`." for key in wanted if key not in prediction]
    problems += [f"{prediction[key]!r} for `{key}` is no state of this lesson: {', '.join(STATES)}."
                 for key in wanted if key in prediction and prediction[key] not in STATES]
    problems += [f"`{key}` is not {prediction[key]}. {_QUESTIONS[key]}" for key in wanted
                 if prediction.get(key) in STATES and prediction[key] != wanted[key]]
    return verdict(problems, right="Right: and a run with a failed task and a missing table is a kind of success, "
                                   "because all its leaf tasks are good.")


_QUESTIONS = {
    "sales": "It has the default rule. Which mark does that rule leave, when a task before it has failed?",
    "report": "Its rule is ALL_DONE. Is there anything that this rule does not accept?",
    "count": "One of the two tasks before it did succeed. What does its rule ask for?",
    "panic": "Its rule asks that all fail, and one has not. Is the mark of an unmet rule for failures a failure?",
    "mail": "Nothing before it has failed. Which mark do the two rules for failures leave?",
    "archive": "The only task before it is EXCLUDED. There is one more rule about that, above.",
    "run": "Look for the leaf tasks, on which no other depends. How did they end, and did all the others end so too?",
}


def choosy(lab: Any, answer: Any) -> Verdict:
    definition, busy, quiet = answer
    kinds = {"look": NOTEBOOK, "any_new": BRANCH, "load": SCRIPT, "gold": SQL, "nothing_new": SCRIPT, "finish": SCRIPT}
    problems = night_job.definition(lab, definition, "choosy", kinds)
    if not problems:
        problems += night_job.condition(definition, "any_new", {"0": "false", "1": "true", "900": "true"}, "new_lines")
    if not problems:
        works = {"load": "SUCCESS", "gold": "SUCCESS", "nothing_new": "EXCLUDED", "finish": "SUCCESS"}
        rests = {"load": "EXCLUDED", "gold": "EXCLUDED", "nothing_new": "SUCCESS", "finish": "SUCCESS"}
        problems += rehearsal.problems(definition, "there are 900 new lines", works, values=GOOD)
        problems += rehearsal.problems(definition, "there is no new line", rests, values=NOTHING)
        failed = {"gold": "UPSTREAM_FAILED", "finish": "UPSTREAM_FAILED"}
        problems += rehearsal.problems(definition, "`load` fails", failed, failing=("load",), values=GOOD)
    if found := night_job.stop(problems, busy, quiet):
        return found
    problems += night_job.run(busy, "busy", {"load": "SUCCESS", "gold": "SUCCESS", "nothing_new": "EXCLUDED"})
    problems += night_job.run(quiet, "quiet", {"load": "EXCLUDED", "gold": "EXCLUDED", "nothing_new": "SUCCESS"})
    if not problems:
        problems += night_job.gold(lab, (busy.task("look").values or {}).get("days", ()))
    return verdict(problems, right="One definition, two nights: gold was refreshed when there was something new, and "
                                   "left alone when there was not. Both runs are a SUCCESS.")


def guarded(lab: Any, answer: Any) -> Verdict:
    definition, morning = answer
    kinds = {"look": NOTEBOOK, "any_new": BRANCH, "too_bad": BRANCH, "alarm": SCRIPT, "load": SCRIPT, "gold": SQL}
    problems = night_job.definition(lab, definition, "guarded", kinds)
    if not problems:
        wanted = {"1.9": "false", "2": "false", "2.1": "true", "10.5": "true"}
        problems += night_job.condition(definition, "too_bad", wanted, "bad_percent")
        problems += night_job.limit(definition)
    if not problems:
        stops = {"alarm": "FAILED", "load": "EXCLUDED", "gold": "EXCLUDED"}
        goes = {"alarm": "EXCLUDED", "load": "SUCCESS", "gold": "SUCCESS"}
        rests = {"too_bad": "EXCLUDED", "alarm": "EXCLUDED", "load": "EXCLUDED", "gold": "EXCLUDED"}
        fails = ("alarm",)
        problems += rehearsal.problems(definition, "9.5 % are bad", stops, failing=fails, values=BAD)
        problems += rehearsal.problems(definition, "1.5 % are bad", goes, failing=fails, values=GOOD)
        problems += rehearsal.problems(definition, "there is no new line", rests, failing=fails, values=NOTHING)
    if found := night_job.stop(problems, morning):
        return found
    problems += night_job.run(morning, "bad_morning", {"look": "SUCCESS", "any_new": "SUCCESS", "too_bad": "SUCCESS"})
    percent = (morning.task("look").values or {}).get("bad_percent", 0) if not problems else 0
    if not problems and morning.task("too_bad").outcome != "true":
        problems.append(f"`too_bad` said false: look found {percent} % bad lines. Did the bad day arrive, and did the "
                        "run begin after 2017-01-03, so that the good days do not thin it?")
    elif not problems:
        problems += night_job.run(morning, "bad_morning", {"alarm": "FAILED", "load": "EXCLUDED", "gold": "EXCLUDED"})
    return verdict(problems, right=f"{percent} % of the lines are bad, so nothing was loaded. The run is FAILED "
                                   "because its leaf `alarm` is: that is what sends the mail.")


def each(lab: Any, answer: Any) -> Verdict:
    definition, run = answer
    kinds = {"look": NOTEBOOK, "each_day": LOOP, "gold": SQL, "clean_up": SCRIPT}
    problems = night_job.definition(lab, definition, "each", kinds)
    if not problems:
        problems += night_job.loop(definition)
        problems += rehearsal.problems(definition, "`each_day` fails", {"gold": "UPSTREAM_FAILED",
                                       "clean_up": "SUCCESS"}, failing=("each_day",), values=GOOD)
        problems += night_job.too_early(definition, "gold", ("each_day",))
        problems += night_job.too_early(definition, "clean_up", ("each_day", "gold"))
    if found := night_job.stop(problems, run):
        return found
    problems += night_job.run(run, "every_day", dict.fromkeys(kinds, "SUCCESS"))
    days = (run.task("look").values or {}).get("days", []) if not problems else []
    if not problems:
        problems += night_job.iterations(run, days) + night_job.gold(lab, days)
    return verdict(problems, right=f"{len(days)} iterations, one for each day that `look` found, and gold has a row of "
                                   "each. Nobody wrote the number of days down.")


def repaired(lab: Any, answer: Any) -> Verdict:
    if found := orchestration.not_here(answer):
        return found
    problems = orchestration.not_a_run(answer, name="repaired")
    problems = problems or orchestration.result_problems(answer, {"each_day": "SUCCESS", "gold": "SUCCESS"})
    if not problems and not any(item.type == "REPAIR" for item in answer.repair_history):
        problems.append(f"Run {answer.run_id} went well, but it is a new run: it has no repair in its history. What "
                        "goes on with the run that failed?")
    if problems and not hasattr(answer, "latest"):
        return verdict(problems, right="")
    if problems and not (Path(lab.volume("landing/transactions")) / "2017-01-09.json").is_file():
        problems.append("The file of 2017-01-09 is still not there: nothing can be repaired before it has arrived.")
    if not problems:
        problems += night_job.iterations(answer, ["2017-01-08", "2017-01-09", "2017-01-10"])
        problems += night_job.gold(lab, ["2017-01-08", "2017-01-09", "2017-01-10"])
    return verdict(problems, right=f"Run {answer.run_id} is a success now, under the same id: its history shows the "
                                   "night's failure and the repair. Gold has all three days.")


def morning(lab: Any, answer: Any) -> Verdict:
    definition, run = answer
    kinds = {"night_shift": OTHER_JOB, "shelves": SCRIPT, "alert": SCRIPT}
    problems = night_job.definition(lab, definition, "morning", kinds)
    if not problems:
        problems += night_job.handed_down(definition)
        well, ill = ({"shelves": "SUCCESS", "alert": "EXCLUDED"}, {"shelves": "UPSTREAM_FAILED", "alert": "SUCCESS"})
        problems += rehearsal.problems(definition, "all goes well", well)
        problems += rehearsal.problems(definition, "`night_shift` fails", ill, failing=("night_shift",))
    if found := night_job.stop(problems, run):
        return found
    problems += night_job.run(run, "opening", {"night_shift": "SUCCESS", "shelves": "SUCCESS", "alert": "EXCLUDED"})
    number = (run.task("night_shift").output or {}).get("run_id") if not problems else None
    return verdict(problems, right=f"Your run {getattr(run, 'run_id', '')} started run {number} of the other job, "
                                   "waited for it, and would have told the right team.")


EXERCISES = (
    Exercise("16.1", "After a failure", ("4.1", "4.2"), careful, (
        "Both new tasks depend on load and gold. They differ in their rule.",
        "A rule is a field of the task: \"run_if\": \"…\". One rule always runs, another waits for a failure.",
        "clean_up has ALL_DONE, alert has AT_LEAST_ONE_FAILED; "
        "\"depends_on\": [{\"task_key\": \"load\"}, {\"task_key\": \"gold\"}].",
    )),
    Exercise("16.2", "What a run becomes", ("4.1", "6.2"), predicted, (
        "Go through the tasks from the top. For each: what became of those before it, and is its rule met?",
        "An unmet rule gives UPSTREAM_FAILED or EXCLUDED: the table of 16.1 says which. EXCLUDED counts as success.",
        "Leaves are report, count, panic and archive. None of them has failed.",
    )),
    Exercise("16.3", "If there is something new", ("4.1",), choosy, (
        "Write the tasks in the order of the list. Only load and nothing_new need an outcome.",
        "\"condition_task\": {\"op\": …, \"left\": \"{{tasks.look.values.…}}\", \"right\": \"0\"}; the right side is a "
        "text.",
        "load: \"depends_on\": [{\"task_key\": \"any_new\", \"outcome\": \"true\"}]; nothing_new: the same with "
        "\"false\". The outcomes are texts too.",
    )),
    Exercise("16.4", "If too much of it is bad", ("4.1",), guarded, (
        "Copy `choosy`, take out nothing_new and finish, and put too_bad between any_new and load.",
        "too_bad runs if any_new is \"true\"; load then runs if too_bad is \"false\".",
        "\"left\": \"{{tasks.look.values.bad_percent}}\", \"right\": \"{{job.parameters.most_bad}}\", and the operator "
        "of 16.3.",
    )),
    Exercise("16.5", "One task run for each day", ("4.1",), each, (
        "The for-each task has depends_on, like any other. What is repeated stands inside, as \"task\".",
        "\"for_each_task\": {\"inputs\": \"{{tasks.look.values.days}}\", \"concurrency\": 2, \"task\": {…}}",
        "The inner task: {\"task_key\": \"load_day\", \"max_retries\": 1, \"timeout_seconds\": 300, **load_days(…)}.",
    )),
    Exercise("16.6", "One day of three", ("4.1", "6.2"), repaired, (
        "First take the cause away, then repair.",
        "lab.arrive(\"2017-01-09\") lands the file again.",
        "job.repair takes the run and the definition that it came from, and gives the run back.",
    )),
    Exercise("16.7", "A job that starts a job", ("4.1", "4.2"), morning, (
        "Three tasks; the first has no depends_on, the two others depend on it.",
        "\"run_job_task\": {\"job_id\": \"${resources.jobs.night_shift.id}\", \"job_parameters\": {\"since\": …}}",
        "This job's parameter is {{job.parameters.begin}}. The alert has the rule of 16.1.",
    )),
)
