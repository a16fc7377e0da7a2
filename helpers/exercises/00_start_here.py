"""Checks of lesson 00: a first pipeline."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import updates

TITLE = "Start here"
OBJECTIVES = ("1.1", "2.1", "2.7", "3.6", "3.7")
DIFFERENCES = ("pipelines.notebook", "runtime.catalog", "commands.arrival", "pipelines.materialized-view",
               "pipelines.event-log-time", "runtime.idle-stop")
PIPELINE = "yours"
KEPT = 'What the table has stays: `yours.update(full_refresh=["known_homes"])` reads everything again.'


def no_household(lab: Any, answer: Any) -> Verdict:
    records = [record for each in looking.landed_records(lab).values() for record in each]
    wanted = sum(record.get("household_id") is None for record in records)
    problems = _not_a_number(answer, "no_household", "`.count()` at the end makes one of a DataFrame.")
    if not problems and answer != wanted:
        causes = {
            len(records): "that is every line. Which lines does `filter(…)` keep?",
            len(records) - wanted: "these lines have one. What is the opposite of your condition?",
            0: "a comparison with NULL is never true, so `= NULL` finds nothing. Which two words ask for it?",
        }
        problems = [f"`no_household` is {answer:,}, expected another number: "
                    + causes.get(answer, "was `landed` read again after a day had arrived?")]
    return verdict(problems, right=f"{wanted} of {len(records):,} lines do not say who bought. Nothing was "
                                   "changed: you have only looked.")


def known_homes(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, known_homes="STREAMING_TABLE")
    if problems:
        return verdict(problems, right="")
    problems += looking.rule_problems(lab, answer, "known_homes", {"home_known": "drop"})
    frame, told = looking.table(lab, "known_homes"), _homes(lab)
    problems += looking.missing_columns(frame, ("household_id", "home_ownership"), name="known_homes")
    lines = sum(looking.landed_lines(lab, "households").values())
    problems += looking.row_count_problem(
        frame.count(), told.total(), name="known_homes",
        more=f"lines without a home_ownership are in it. Which action does the rule have? {KEPT}",
        fewer="has every file been read? And does the rule drop only what is NULL?")
    return verdict(problems, right=f"{told.total()} of {lines} lines are in, and the rule has counted the "
                                   f"{lines - told.total()} that it dropped.")


def homes(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, homes="MATERIALIZED_VIEW")
    if problems:
        return verdict(problems, right="")
    problems += looking.input_problems(answer, "homes", ["known_homes"])
    frame, wanted = looking.table(lab, "homes"), _homes(lab)
    missing = looking.missing_columns(frame, ("home_ownership", "lines"), name="homes")
    rows = [] if missing else frame.select("home_ownership", "lines").collect()
    found = Counter({row.home_ownership: row.lines for row in rows})
    if not missing and len(rows) > len(wanted):
        problems.append(f"`homes` has {len(rows)} rows, expected {len(wanted)}: one for each home_ownership. Which "
                        "clause makes one row of many?")
    problems += [f"{kind}: {found[kind]} lines, expected {number}. Does `lines` count the rows of known_homes?"
                 for kind, number in wanted.items() if not missing and found[kind] != number]
    return verdict(problems + missing, right=f"{len(wanted)} rows, computed from the {wanted.total()} of known_homes. "
                                             "The pipeline found the order by itself.")


def rows_read(lab: Any, answer: Any) -> Verdict:
    lines = list(looking.landed_lines(lab, "households").values())
    # Whoever let more days arrive in between reads them at once: that is right too.
    new = list(itertools.accumulate(reversed(lines[1:])))
    problems = _not_a_number(answer, "rows_read", 'An update\'s report says it: `.dataset("known_homes").rows_read`.')
    if not problems and answer == 0:
        problems = ["This update read nothing: an earlier one had read the file already. That is a streaming table at "
                    'work. Let one more day arrive, `lab.arrive("2017-01-03")`, and run the cell again.']
    elif not problems and answer not in new:
        cause = {
            sum(lines): "that is every file. Was it a full refresh, or the first update of the table?",
            _homes(lab, newest=True).total(): "these are the rows that it **wrote**. What the rule dropped was read "
                                              "too.",
        }
        problems = [f"`rows_read` is {answer:,}, and the newest file has {lines[-1]:,} lines: "
                    + cause.get(answer, "which update did you ask?")]
    return verdict(problems, right=f"{answer} rows: only the new file. The others were not read again.")


def number_of_updates(lab: Any, answer: Any) -> Verdict:
    events = updates.events(lab, PIPELINE)
    wanted = len({event["update_id"] for event in events if "create_update" in event["details"]})
    problems = _not_a_number(answer, "number_of_updates", "`.count()` at the end makes one of a DataFrame.")
    if not problems and answer != wanted:
        causes = {len(events): "that is every event. An update leaves many; which event_type has it exactly once?",
                  0: "no event was found. An event_type is written in small letters, with an underscore."}
        problems = [f"`number_of_updates` is {answer}, the log of `yours` has another number: "
                    + causes.get(answer, "which event_type begins an update? And is it the log of `yours`?")]
    return verdict(problems, right=f"{wanted} updates: each has left an event `create_update`, and the log keeps "
                                   "them all.")


def _homes(lab: Any, *, newest: bool = False) -> Counter[str]:
    """How many lines of the household feed tell each home_ownership, of all files or of the newest."""
    files = list(looking.landed_records(lab, "households").values())
    told = [record.get("home_ownership") for records in files[-1 if newest else 0:] for record in records]
    return Counter(home for home in told if home is not None)


def _not_a_number(answer: Any, name: str, hint: str) -> list[str]:
    if isinstance(answer, int) and not isinstance(answer, bool):
        return []
    return [f"`{name}` is a {type(answer).__name__}, expected a number. {hint}"]


EXERCISES = (
    Exercise("00.1", "Look at what landed", ("2.7",), no_household, (
        "In the cell above, `filter` keeps some lines and `count` counts them.",
        'NULL is not compared with =. In SQL you ask: column IS NULL.',
        'landed.filter("household_id IS NULL").count()',
    )),
    Exercise("00.2", "A table that reads each file once", ("3.6", "3.7", "2.1"), known_homes, (
        "Take the definition of `sales` above, and change the names, the columns and the folder.",
        "The rule stands in brackets after the table's name: CONSTRAINT home_known EXPECT (…) ON VIOLATION DROP ROW",
        "AS SELECT household_id, home_ownership FROM STREAM read_files('${landing}/households', format => 'json')",
    )),
    Exercise("00.3", "A result that follows", ("3.6",), homes, (
        "A result that is computed again when its input has changed: which of the two kinds of table is that?",
        "SELECT home_ownership, count(*) AS lines FROM known_homes GROUP BY home_ownership",
    )),
    Exercise("00.4", "The next day", ("2.1",), rows_read, (
        "Keep what `yours.update()` gives back: it is the report of this update.",
        'report.dataset("known_homes").rows_read',
    )),
    Exercise("00.5", "What happened is written down", ("3.7",), number_of_updates, (
        "Each update begins with one event. Look at the first rows above: which event_type is it?",
        "yours.event_log().where(\"event_type = '…'\").count()",
    )),
)
