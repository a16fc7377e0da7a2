"""Lesson 12's checks, on the real change feed and with stand-ins for tables: no Spark is needed to judge rows.

That the solution's tables pass is proven where the solution runs.
"""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row

from helpers import checks
from helpers.exercises import household_feed as feed
from helpers.pipelines.report import DatasetReport, UpdateReport

NAME = "12_change_data_capture"
LESSON = importlib.import_module(f"helpers.exercises.{NAME}")
DATA = Path(__file__).resolve().parents[2] / "datasets" / "retail" / "households"
STATE = ("household_id", "sequence_number", "income", "home_ownership")


class Frame:
    """Rows with as much of a DataFrame as checks ask for; filters let everything pass."""

    def __init__(self, rows: Iterable[Mapping[str, Any]], **types: str) -> None:
        self.rows = [dict(row) for row in rows]
        self.columns = list(self.rows[0])
        self.dtypes = [(name, types.get(name, "int")) for name in self.columns]

    def select(self, *names: str) -> Frame:
        return Frame({name: row[name] for name in names} for row in self.rows)

    def where(self, condition: str) -> Frame:
        return self

    def selectExpr(self, *expressions: str) -> Frame:
        return self

    def collect(self) -> list[Row]:
        return [Row(**row) for row in self.rows]


@dataclass
class StandIn:
    """A lab whose tables are given; its landing volume holds the feed's real files."""

    folder: Path
    tables: dict[str, Frame] = field(default_factory=dict)

    @property
    def spark(self) -> StandIn:
        return self

    catalog = spark

    def tableExists(self, name: str) -> bool:
        return name in self.tables

    def table(self, name: str) -> Frame:
        return self.tables[name]

    def volume(self, path: str) -> str:
        return str(self.folder / path)

    def pipeline(self, name: str) -> StandIn:
        return self

    def event_log(self) -> Frame:
        return self.tables["event log"]


@pytest.fixture
def lab(tmp_path: Path) -> StandIn:
    """The first seven days have arrived and are in household_changes."""
    lab = StandIn(tmp_path)
    arrive(lab, range(1, 8))
    return lab


def arrive(lab: StandIn, days: Iterable[int]) -> None:
    landing = Path(lab.volume("landing/households"))
    landing.mkdir(parents=True, exist_ok=True)
    for day in days:
        shutil.copy(DATA / f"2017-01-{day:02}.json", landing)
    lab.tables["household_changes"] = Frame(
        {**json.loads(line), "source_file": file.name}
        for file in sorted(landing.glob("*")) for line in file.read_text(encoding="utf-8").splitlines())


def judge(number: str, lab: StandIn, answer: Any) -> checks.Verdict:
    return checks.judge(checks.load_exercises(NAME)[number], lab, answer)


def rows(changes: Iterable[feed.Change], columns: Sequence[str] = STATE) -> list[dict[str, Any]]:
    """Changes as rows of a table; a key comes first."""
    known = [{"household_id": each.household, "sequence_number": each.sequence,
              **dict(zip(feed.FACTS, each.facts, strict=True))} for each in changes]
    return [{name: row[name] for name in columns} for row in known]


def living(lab: StandIn) -> list[feed.Change]:
    return [each for each in feed.newest(feed.landed_changes(lab)).values() if not each.deletes]


def by_arrival(lab: StandIn) -> list[feed.Change]:
    """What is left when the last line of a household wins."""
    last = {each.household: each for each in feed.landed_changes(lab)}
    return [each for each in last.values() if not each.deletes]


def report(error: str | None = None, **datasets: tuple[str, tuple[str, ...]]) -> UpdateReport:
    made = tuple(DatasetReport(name, kind, inputs) for name, (kind, inputs) in datasets.items())
    return UpdateReport("p", "retail", "u", "FAILED" if error else "COMPLETED", "USER_ACTION", False, 0, 1, made, error)


STREAMING = ("STREAMING_TABLE", ("household_changes",))
BEHIND_VIEW = {"known_changes": ("VIEW", ("household_changes",)), "households": ("STREAMING_TABLE", ("known_changes",))}


@pytest.mark.parametrize("number", range(1, 8))
def test_the_untouched_scaffold_is_not_attempted(lab: StandIn, number: int) -> None:
    assert judge(f"12.{number}", lab, ...).status == "not attempted"


def test_versions_are_those_of_the_sequence_and_not_of_the_arrival() -> None:
    def change(sequence: int, income: str, kids: str = "0", operation: str = "UPDATE") -> feed.Change:
        return feed.Change(7, sequence, operation, (None, income, None, None, None, None, kids))

    arrived = [change(10, "low"), change(40, "high"), change(50, "", operation="DELETE"), change(30, "low", "1"),
               change(40, "high")]
    found = [(each.change.only(["income", "kids_count"]), each.start, each.end) for each in feed.versions(arrived)]
    assert found == [(("low", "0"), 10, 30), (("low", "1"), 30, 40), (("high", "0"), 40, 50)]
    by_income = [(each.change.only(["income", "kids_count"]), each.start, each.end)
                 for each in feed.versions(arrived, ["income"])]
    assert by_income == [(("low", "1"), 10, 40), (("high", "0"), 40, 50)]


def test_the_newest_changes_pass_and_the_last_to_arrive_do_not(lab: StandIn) -> None:
    assert judge("12.1", lab, Frame(rows(living(lab)))).status == "correct"
    late = str(judge("12.1", lab, Frame(rows(by_arrival(lab)))))
    assert "Household 367 stands in `state` as change 807 left it, but change 808 is newer. (2 more like it.)" in late


def test_deletes_that_leave_too_early_or_not_at_all_are_named_with_their_cause(lab: StandIn) -> None:
    without = feed.newest(each for each in feed.landed_changes(lab) if not each.deletes)
    text = str(judge("12.1", lab, Frame(rows(without.values()))))
    assert "Household 1976 is in `state`, but its newest change, 810, is a DELETE. Was the DELETE filtered out" in text
    everything = str(judge("12.1", lab, Frame(rows(feed.landed_changes(lab)))))
    assert "Household 17 has more than one row in `state`. (41 more like it.) A window of one row" in everything
    assert "`state` has no column `sequence_number`" in str(judge("12.1", lab, Frame(rows(living(lab), STATE[:1]))))
    assert "`state` is a int, expected a DataFrame" in str(judge("12.1", lab, 793))


def test_a_merge_is_judged_by_its_table(lab: StandIn) -> None:
    lab.tables["merged_by_number"] = Frame(rows(living(lab)))
    assert judge("12.2", lab, Frame([{"num_affected_rows": 8}])).status == "correct"
    evening = feed.newest(feed.landed_changes(lab, upto="2017-01-06.json")).values()
    lab.tables["merged_by_number"] = Frame(rows(each for each in evening if not each.deletes))
    assert "nothing of 2017-01-07.json was applied" in str(judge("12.2", lab, "done"))
    late = next(each for each in feed.landed_changes(lab) if each.sequence == 821)
    right = living(lab)
    lab.tables["merged_by_number"] = Frame(rows([*right, late]))
    assert "Household 371 has more than one row in `merged_by_number`. A comparison in ON" in str(
        judge("12.2", lab, "done"))
    lab.tables["merged_by_number"] = Frame(rows([*(each for each in right if each.household != 371), late]))
    overwritten = judge("12.2", lab, "done")
    assert "Household 371 stands in `merged_by_number` as change 821 left it" in str(overwritten)
    assert overwritten.problems[-1] == "To begin again, run the cell that makes the copy."


def test_a_merge_is_not_held_to_days_that_came_later(lab: StandIn) -> None:
    lab.tables["merged_by_number"] = Frame(rows(living(lab)))
    arrive(lab, range(8, 12))
    assert judge("12.2", lab, "done").status == "correct"


def test_a_present_passes_and_a_table_of_changes_is_told_what_it_lacks(lab: StandIn) -> None:
    update, columns = report(households=STREAMING), ("household_id", *feed.FACTS)
    lab.tables["households"] = Frame(rows(living(lab), columns))
    assert judge("12.3", lab, update).status == "correct"
    lab.tables["households"] = Frame([{**row, "operation": "INSERT", "_rescued_data": None}
                                      for row in rows(living(lab), columns)])
    assert "`households` has the column `operation`, `_rescued_data`" in str(judge("12.3", lab, update))
    lab.tables["households"] = Frame(rows(feed.newest(feed.landed_changes(lab)).values(), columns))
    assert "is a DELETE. Which clause says what a delete is?" in str(judge("12.3", lab, update))
    lab.tables["households"] = Frame(rows(feed.landed_changes(lab), columns))
    assert "A table that is filled by a query only adds." in str(judge("12.3", lab, update))
    lab.tables["households"] = Frame(rows(by_arrival(lab), columns))
    assert "Which order do the changes have?" in str(judge("12.3", lab, update))


def test_a_failed_or_foreign_update_is_told_so(lab: StandIn) -> None:
    assert "The update failed: no such table" in str(judge("12.3", lab, report(error="no such table")))
    assert "The pipeline has no `households`" in str(judge("12.3", lab, report(homes=STREAMING)))
    assert "`households` is a materialized view" in str(
        judge("12.3", lab, report(households=("MATERIALIZED_VIEW", ("household_changes",)))))
    assert "expected the report of an update" in str(judge("12.3", lab, 793))


def test_a_day_that_no_update_has_read_is_missed(lab: StandIn) -> None:
    lab.tables["households"] = Frame(rows(living(lab), ("household_id", *feed.FACTS)))
    arrive(lab, range(8, 12))
    text = str(judge("12.3", lab, report(households=STREAMING)))
    assert "Household 762 is in `households`, but its newest change, 842, is a DELETE. (1 more like it.)" in text
    assert "Did an update run after the last file arrived" in text


@pytest.fixture
def logged(lab: StandIn) -> StandIn:
    """Two updates have applied eleven days; the log also tells of an update that had nothing to apply."""
    arrive(lab, range(8, 12))
    lab.tables["households"] = Frame(rows(living(lab), ("household_id", *feed.FACTS)))
    told = ({"num_upserted_rows": 794, "num_deleted_rows": 0}, {"num_upserted_rows": 20, "num_deleted_rows": 2},
            {"num_output_rows": 0})
    details = [json.dumps({"flow_progress": {"metrics": each}}) for each in told]
    lab.tables["event log"] = Frame({"update_id": f"u{number}", "details": each} for number, each in enumerate(details))
    return lab


def counts(*rows: tuple[str, Any, Any], **types: str) -> Frame:
    return Frame((dict(zip(("update_id", "upserted", "deleted"), row, strict=True)) for row in rows), **types)


def test_the_counts_of_the_event_log_pass_and_others_name_their_cause(logged: StandIn) -> None:
    right = [("u0", 794, 0), ("u1", 20, 2)]
    assert judge("12.4", logged, counts(*right)).status == "correct"
    assert "the events of all updates are asked for" in str(judge("12.4", logged, counts(right[1])))
    assert "The counts in `applied` are NULL" in str(judge("12.4", logged, counts(("u0", None, None))))
    uncounted = counts(*right, ("u2", None, None))
    assert "rows of `applied` have no counts: other events" in str(judge("12.4", logged, uncounted))
    assert "change places?" in str(judge("12.4", logged, counts(("u0", 0, 794), ("u1", 2, 20))))
    texts = judge("12.4", logged, counts(("u0", "794", "0"), ("u1", "20", "2"), upserted="string", deleted="string"))
    assert texts.problems == ("`applied.upserted` is a string, expected a number: CAST it.",
                              "`applied.deleted` is a string, expected a number: CAST it.")


def test_an_update_that_has_not_read_the_new_days_is_missed_beside_the_counts(logged: StandIn) -> None:
    arrive(logged, [12])
    text = str(judge("12.4", logged, counts(("u0", 794, 0), ("u1", 20, 2))))
    assert "Household 155 is in `households`, but its newest change, 870, is a DELETE" in text


def test_a_change_without_a_key_is_to_be_kept_out_by_a_view(lab: StandIn) -> None:
    arrive(lab, range(8, 13))
    form = Path(lab.volume("landing/households/2017-01-12_form.json"))
    form.write_text('{"operation": "UPDATE", "sequence_number": 9001, "household_id": null}\n', encoding="utf-8")
    lab.tables["households"] = Frame(rows(living(lab), ("household_id", *feed.FACTS)))
    assert judge("12.5", lab, report(**BEHIND_VIEW)).status == "correct"
    failed = report(error="[AUTOCDC_MICROBATCH_VALIDATION.NULL_KEY] A change has no key.", households=STREAMING)
    assert "The flow stopped at the change without a key (NULL_KEY)" in str(judge("12.5", lab, failed))
    unread = str(judge("12.5", lab, report(**{**BEHIND_VIEW, "households": STREAMING})))
    assert "`households` does not read `known_changes`. It reads `household_changes`." in unread
    stored = report(**{**BEHIND_VIEW, "known_changes": ("STREAMING_TABLE", ("household_changes",))})
    assert "`known_changes` is a streaming table, expected a temporary view" in str(judge("12.5", lab, stored))


def history(versions: Iterable[feed.Version]) -> Frame:
    return Frame({**row, "__START_AT": each.start, "__END_AT": each.end} for each in versions
                 for row in rows([each.change], ("household_id", *feed.FACTS)))


def test_a_history_of_the_tracked_columns_passes_and_others_name_their_cause(lab: StandIn) -> None:
    update, changes = report(household_history=STREAMING), feed.landed_changes(lab)
    right = feed.versions(changes, LESSON.TRACKED)
    lab.tables["household_history"] = history(right)
    assert judge("12.6", lab, update).status == "correct"
    lab.tables["household_history"] = history(feed.versions(changes))
    assert "a change of any column has opened one" in str(judge("12.6", lab, update))
    lab.tables["household_history"] = Frame(rows(living(lab), ("household_id", *feed.FACTS)))
    assert "it is SCD type 1, which is the default" in str(judge("12.6", lab, update))
    undeleted = feed.versions((each for each in changes if not each.deletes), LESSON.TRACKED)
    lab.tables["household_history"] = history(undeleted)
    assert "of household 1976 that begins at 619 ends at None, expected 810. What does a DELETE do" in str(
        judge("12.6", lab, update))


def test_as_of_takes_versions_that_have_begun_and_not_ended(lab: StandIn) -> None:
    versions = feed.versions(feed.landed_changes(lab), LESSON.TRACKED)

    def asked(holds: Any) -> str:
        found = [each.change for each in versions if holds(each.start, each.end)]
        return str(judge("12.7", lab, Frame(rows(found, ("household_id", *LESSON.TRACKED)))))

    assert asked(lambda start, end: start <= 822 and (end is None or end > 822)).startswith("✓")
    between = asked(lambda start, end: start <= 822 and (end is None or end >= 822))
    assert "Household 371 has more than one row in `as_of`. At 822 its old version has just ended" in between
    no_open = asked(lambda start, end: start <= 822 and end is not None and end > 822)
    assert "households are missing: those whose version holds to this day. What is their __END_AT?" in no_open
    arrive(lab, range(8, 12))
    versions = feed.versions(feed.landed_changes(lab), LESSON.TRACKED)
    now = asked(lambda start, end: end is None)
    assert "it came after change 822" in now
    assert "`as_of` has no row of household 762. (1 more like it.)" in now
