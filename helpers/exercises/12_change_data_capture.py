"""Checks of lesson 12: change data capture with AUTO CDC."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from helpers import looking
from helpers.checks import Exercise, Verdict, verdict
from helpers.exercises import household_feed as feed

TITLE = "Change data capture with AUTO CDC"
OBJECTIVES = ("2.1", "3.1", "3.4", "3.6")
DIFFERENCES = (
    "pipelines.cdc-storage", "pipelines.cdc-tombstones", "pipelines.cdc-ties", "pipelines.cdc-rules",
    "pipelines.cdc-once", "pipelines.unsupported", "pipelines.notebook", "pipelines.event-log-time",
    "pipelines.event-log-function",
)
PARTS = ("operation", "sequence_number", "source_file", "_rescued_data")
TRACKED = ("income", "home_ownership")
FLOW = "apply_households"
MOMENT = 822
READS = {"household_changes", "known_changes"}


def state(lab: Any, answer: Any) -> Verdict:
    wanted = feed.newest(feed.table_changes(lab))
    problems = _not_a_frame(answer, "state", ("household_id", "sequence_number", *TRACKED))
    if problems:
        return verdict(problems, right="")
    rows = feed.known(answer.select("household_id", "sequence_number", *TRACKED).collect())
    problems += feed.repeated(rows, "state", "A window of one row for each household leaves the newest change only.")
    problems += feed.alive(rows, wanted, "state",
                       "Was the DELETE filtered out before the newest change was chosen? Then an older one is chosen.")
    problems += feed.overtaken({row.household_id: row.sequence_number for row in rows}, wanted, "state")
    problems += feed.absent(rows, wanted, "state", "Only households whose newest change is a DELETE may be missing.")
    if not problems:
        problems += feed.unequal(rows, wanted, "state", TRACKED)
    return verdict(problems, right=f"{len(rows)} households, each as its newest change left it, and the deleted ones "
                                   "are gone. But this query reads the whole feed each time.")


def merge(lab: Any, answer: Any) -> Verdict:
    name, last = "merged_by_number", "2017-01-07.json"
    rows = looking.table(lab, name).select("household_id", "sequence_number", *TRACKED).collect()
    found = {row.household_id: row.sequence_number for row in rows}
    before = feed.newest(feed.landed_changes(lab, upto="2017-01-06.json")).values()
    if found == {change.household: change.sequence for change in before if not change.deletes}:
        return verdict([f"`{name}` is as it was on the evening of 6 January: nothing of {last} was applied."], right="")
    wanted = feed.newest(feed.landed_changes(lab, upto=last))
    problems = feed.repeated(rows, name, "A comparison in ON makes a late change NOT MATCHED, and that branch inserts. "
                                         "In which branch does the comparison belong?")
    if not problems:
        problems += feed.alive(rows, wanted, name, "A newer DELETE still deletes.")
        problems += feed.overtaken(found, wanted, name)
        problems += feed.absent(rows, wanted, name, "Only households whose newest change is a DELETE may be missing.")
    if problems:
        problems.append("To begin again, run the cell that makes the copy.")
    return verdict(problems, right="The late change of household 371 did nothing, and all others of the day were "
                                   "applied.")


def scd_type_1(lab: Any, answer: Any) -> Verdict:
    problems = looking.update_problems(answer, households="STREAMING_TABLE")
    if not problems:
        if not READS & set(answer.dataset("households").inputs):
            problems.append("`households` does not read `household_changes`: FROM STREAM names the source.")
        problems += _present(lab)
    wanted = _living(lab)
    return verdict(problems, right=f"{len(wanted)} households, the same as your query found. The next update reads "
                                   "new changes only.")


def applied(lab: Any, answer: Any) -> Verdict:
    told = Counter(_applied(lab))
    if not told:
        return verdict([f"The event log of `retail` has no counts of a flow `{FLOW}` yet. Is 12.3 solved, and did the "
                        "flow get that name?"], right="")
    problems = _present(lab)
    columns = ("update_id", "upserted", "deleted")
    frame = _not_a_frame(answer, "applied", columns)
    if frame:
        return verdict([*problems, *frame], right="")
    problems += [f"`applied.{name}` is a {looking.types(answer)[name]}, expected a number: CAST it."
                 for name in columns[1:] if looking.types(answer)[name] == "string"]
    found = Counter((row.update_id, _number(row.upserted), _number(row.deleted))
                    for row in answer.select(*columns).collect())
    problems += _wrong_counts(found, told)
    upserted, deleted = (sum(each[place] for each in told) for place in (1, 2))
    return verdict(problems, right=f"In {told.total()} updates {upserted} rows of `households` were upserted and "
                                   f"{deleted} deleted. Household 2062 stays deleted, although a late change of it "
                                   "came after the delete: number 855 is older than 856.")


def without_key(lab: Any, answer: Any) -> Verdict:
    if hasattr(answer, "error") and "NULL_KEY" in str(answer.error):
        return verdict(["The flow stopped at the change without a key (NULL_KEY): nothing of that micro-batch was "
                        "applied. Which dataset does the flow read? Nothing has to leave the feed."], right="")
    problems = looking.update_problems(answer, households="STREAMING_TABLE", known_changes="VIEW")
    if not problems:
        problems += looking.input_problems(answer, "known_changes", ["household_changes"])
        problems += looking.input_problems(answer, "households", ["known_changes"])
        problems += _present(lab)
    return verdict(problems, right="The day has been applied, and the change of nobody has not. It is still in "
                                   "`household_changes`: whoever finds out which household it was can send it again.")


def scd_type_2(lab: Any, answer: Any) -> Verdict:
    name = "household_history"
    problems = looking.update_problems(answer, household_history="STREAMING_TABLE")
    if problems:
        return verdict(problems, right="")
    frame = looking.table(lab, name)
    if "__START_AT" not in frame.columns:
        return verdict([f"`{name}` has no column `__START_AT`: it is SCD type 1, which is the default. (A table that "
                        f"was made as type 1 wants `retail.update(full_refresh=[\"{name}\"])` to become type "
                        "2.)"], right="")
    problems += _left_in(frame, name) + looking.missing_columns(frame, ("household_id", *feed.FACTS), name=name)
    if problems:
        return verdict(problems, right="")
    changes = feed.landed_changes(lab)
    wanted = feed.versions(changes, TRACKED)
    problems += _wrong_versions(frame, wanted, feed.versions(changes), name)
    open_now = sum(version.end is None for version in wanted)
    return verdict(problems, right=f"{len(wanted)} versions of {len({each.change.household for each in wanted})} "
                                   f"households, {open_now} of them hold now: as many rows as `households` has.")


def as_of(lab: Any, answer: Any) -> Verdict:
    versions = feed.versions(feed.landed_changes(lab), TRACKED)
    then = {each.change.household: each for each in versions
            if each.start <= MOMENT and (each.end is None or each.end > MOMENT)}
    problems = _not_a_frame(answer, "as_of", ("household_id", *TRACKED))
    if problems:
        return verdict(problems, right="")
    rows = answer.select("household_id", *TRACKED).collect()
    problems += feed.repeated(rows, "as_of", f"At {MOMENT} its old version has just ended and its new one has begun. "
                                             "Which of the two holds?")
    changes = {household: version.change for household, version in then.items()}
    found = {row.household_id for row in rows}
    if found and changes.keys() - found == {household for household, version in then.items() if version.end is None}:
        problems.append(f"`as_of` has {len(rows)} rows, and {len(then) - len(found)} households are missing: those "
                        "whose version holds to this day. What is their __END_AT?")
    else:
        problems += feed.absent(rows, changes, "as_of", f"Their version had begun by {MOMENT} and had not ended.")
    problems += _at_another_time(found - changes.keys(), versions)
    if not problems:
        problems += feed.unequal(rows, changes, "as_of", TRACKED)
    return verdict(problems, right=f"{len(rows)} households as of change {MOMENT}. In that very change household 371 "
                                   "stopped owning its home.")


def _at_another_time(households: set[int], versions: Sequence[feed.Version]) -> list[str]:
    starts = {each.change.household: each.start for each in reversed(versions)}
    early = sorted(household for household in households if starts.get(household, 0) > MOMENT)
    gone = sorted(households - set(early))
    said = ((early, f"it came after change {MOMENT}."), (gone, "it was deleted by then."))
    return [f"Household {which[0]} is in `as_of`, but {why}{feed.others(which)}" for which, why in said if which]


# What a state must hold


def _living(lab: Any) -> dict[int, feed.Change]:
    newest = feed.newest(feed.landed_changes(lab))
    return {household: change for household, change in newest.items() if not change.deletes}


def _present(lab: Any) -> list[str]:
    """How `households` differs from the state that all landed changes lead to."""
    name, wanted = "households", feed.newest(feed.landed_changes(lab))
    frame = looking.table(lab, name)
    problems = _left_in(frame, name)
    if "__START_AT" in frame.columns:
        problems.append(f"`{name}` has the column `__START_AT`: it is SCD type 2, a history.")
    problems += looking.missing_columns(frame, ("household_id", *feed.FACTS), name=name)
    if problems:
        return [*problems, f"After a change of its columns or type: `retail.update(full_refresh=[\"{name}\"])`."]
    rows = frame.select("household_id", *feed.FACTS).collect()
    problems += feed.repeated(rows, name, "Is the key household_id alone? A table that is filled by a query only adds.")
    problems += feed.alive(rows, wanted, name, "Which clause says what a delete is?")
    problems += feed.absent(rows, wanted, name, "Did an update run after the last file arrived, and did it end well?")
    return problems or feed.unequal(rows, wanted, name, feed.FACTS)


def _not_a_frame(answer: Any, name: str, columns: Sequence[str]) -> list[str]:
    # A DataFrame has every attribute, so its class is asked.
    if not hasattr(type(answer), "collect"):
        return [f"`{name}` is a {type(answer).__name__}, expected a DataFrame."]
    return looking.missing_columns(answer, columns, name=name)


def _left_in(frame: Any, name: str) -> list[str]:
    left = [part for part in PARTS if part in frame.columns]
    return [f"`{name}` has the column {', '.join(f'`{part}`' for part in left)}: it belongs to the change, not to the "
            "household."] if left else []


# What the event log tells


def _applied(lab: Any) -> Iterable[tuple[str, int, int]]:
    log = lab.pipeline("retail").event_log().where(f"level = 'METRICS' AND origin.flow_name = '{FLOW}'")
    for row in log.selectExpr("origin.update_id", "details").collect():
        metrics = json.loads(row.details)["flow_progress"]["metrics"]
        if "num_upserted_rows" in metrics:
            yield row.update_id, metrics["num_upserted_rows"], metrics["num_deleted_rows"]


def _number(value: Any) -> int | None:
    return int(value) if str(value).isdigit() else None


def _wrong_counts(found: Counter[Any], told: Counter[Any]) -> list[str]:
    if found == told:
        return []
    empty = sum(times for (_, upserted, deleted), times in found.items() if upserted is None or deleted is None)
    if empty == found.total() and found:
        return ["The counts in `applied` are NULL. Their place in details is $.flow_progress.metrics.num_upserted_rows "
                "and $.flow_progress.metrics.num_deleted_rows."]
    if empty:
        return [f"{empty} rows of `applied` have no counts: other events, such as that a micro-batch was read. Leave "
                "them out."]
    problems = looking.row_count_problem(
        found.total(), told.total(), name="applied", more="is it one flow's events only?",
        fewer="the events of all updates are asked for, not those of the last one only.")
    return problems or ["The counts in `applied` are not those of the event log. Did upserted and deleted change "
                        "places?"]


# What a history must hold


def _wrong_versions(frame: Any, wanted: Sequence[feed.Version], all_tracked: Sequence[feed.Version],
                    name: str) -> list[str]:
    rows = frame.select("household_id", "__START_AT", "__END_AT", *feed.FACTS).collect()
    found = Counter(tuple(row) for row in rows)
    if found == _as_rows(wanted):
        return []
    if found == _as_rows(all_tracked):
        return [f"`{name}` has {len(rows):,} versions, expected {len(wanted):,}: a change of any column has opened "
                "one. Which clause says which columns count? (After such a change: "
                f"`retail.update(full_refresh=[\"{name}\"])`.)"]
    problems = looking.row_count_problem(
        len(rows), len(wanted), name=name, more="which columns open a version, and what ends one?",
        fewer="which columns open a version? Did an update run after the last file arrived?")
    ends = {(each.change.household, each.start): each.end for each in wanted}
    for row in rows:
        place = (row.household_id, row["__START_AT"])
        if place in ends and ends[place] != row["__END_AT"]:
            return [*problems, f"The version of household {place[0]} that begins at {place[1]} ends at "
                               f"{row['__END_AT']}, expected {ends[place]}. What does a DELETE do to a version?"]
    return problems or [f"The versions in `{name}` are right, their values are not. Which columns open a version?"]


def _as_rows(versions: Sequence[feed.Version]) -> Counter[Any]:
    return Counter((each.change.household, each.start, each.end, *each.change.facts) for each in versions)


EXERCISES = (
    Exercise("12.1", "The state that a feed tells", ("3.4", "2.1"), state, (
        "Which change of a household is its newest, and which of those say that it is gone?",
        "QUALIFY chooses the newest change. WHERE comes before QUALIFY: what happens to a household if WHERE takes its "
        "DELETE away first?",
        "Two steps: SELECT … FROM (SELECT * FROM household_changes QUALIFY row_number() OVER (…) = 1) WHERE …",
    )),
    Exercise("12.2", "A MERGE that knows what is newer", ("3.4",), merge, (
        "Copy the MERGE of above, with your table and the one file. One comparison is missing.",
        "A change that is too old must still match its row, and then do nothing.",
        "WHEN MATCHED AND change.sequence_number > … AND … THEN …, in each branch that changes a row that is there.",
    )),
    Exercise("12.3", "AUTO CDC, type 1", ("3.6", "2.1"), scd_type_1, (
        "Two statements: the table without a query, and the flow. The cards have the same two.",
        "Key, delete and sequence have other names here: household_id, operation, sequence_number.",
        "COLUMNS * EXCEPT (operation, …) takes all columns but those.",
    )),
    Exercise("12.4", "What was applied", ("3.6",), applied, (
        "First the update: until then the new days are files only.",
        'retail.event_log().where("level = … AND origin.flow_name = …").selectExpr(…)',
        "CAST(get_json_object(details, '$.flow_progress.metrics.num_upserted_rows') AS INT) AS upserted; a where after "
        "it can use the new name.",
    )),
    Exercise("12.5", "A change of nobody", ("3.1", "3.6"), without_key, (
        "CREATE TEMPORARY VIEW … AS SELECT … FROM STREAM …: a piece of the pipeline that stores nothing.",
        "A WHERE in the view is enough. A rule, CONSTRAINT … EXPECT (…) ON VIOLATION DROP ROW, counts what it drops.",
        "The flow is the one of 12.3, but for its source: FROM STREAM known_changes.",
    )),
    Exercise("12.6", "A history", ("3.6",), scd_type_2, (
        "A second target, and a second flow with a name of its own.",
        "Read known_changes if you have it. Take the flow of 12.3, and say type 2.",
        "STORED AS SCD TYPE 2 TRACK HISTORY ON …, or stored_as_scd_type=2 and track_history_column_list=[…].",
    )),
    Exercise("12.7", "As of", ("3.6", "3.4"), as_of, (
        "The version had begun by then, and had not ended.",
        "Not ended: it ended later, or it has no end.",
        "WHERE __START_AT <= … AND (__END_AT > … OR …)",
    )),
)
