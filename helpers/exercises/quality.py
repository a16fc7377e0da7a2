"""Judging data quality without Spark: rules on receipt lines, counts of expectations, and rows on the wrong side.

A line is a row of bronze_receipts. As a key it is (basket, product, file, quantity, sales value).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

WORDS = {"one": 1, "two": 2, "three": 3}
#: What is true for a row that keeps the rule of this name.
RULES: Mapping[str, Callable[[Any], bool]] = {
    "household_known": lambda row: row.household_id is not None,
    "positive_quantity": lambda row: row.quantity is not None and row.quantity > 0,
    "sales_not_negative": lambda row: row.sales_value is not None and row.sales_value >= 0,
    "nothing_rescued": lambda row: row._rescued_data is None,
    "source_known": lambda row: row.source_file is not None,
}
_ACTIONS = {"warn": "only warns", "drop": "drops the row", "fail": "fails the update"}


def keeps(row: Any, *rules: str) -> bool:
    """Whether a row keeps all of these rules."""
    return all(RULES[rule](row) for rule in rules)


def line_key(row: Any, quantity: Any = ...) -> tuple[Any, ...]:
    """A line as it is compared; ``quantity`` takes the place of the row's own."""
    number = row.quantity if quantity is ... else quantity
    return row.basket_id, row.product_id, row.source_file, number, row.sales_value


def number_of(row: Any) -> int | None:
    """The quantity of a line, as a number or as the word that was rescued."""
    if row.quantity is not None:
        return row.quantity
    try:
        return WORDS.get(json.loads(row._rescued_data or "{}").get("quantity"))
    except (ValueError, AttributeError):
        return None


def rules_problems(dataset: Any, actions: Mapping[str, str], rows: Sequence[Any]) -> list[str]:
    """Whether a dataset's report has these expectations, each with its action and the failures that ``rows`` have."""
    if (dataset.rows_read or 0) < len(rows):
        return [f"This update read {dataset.rows_read or 0:,} of {len(rows):,} lines for `{dataset.name}`, so the "
                "rules were tried on those only. What makes an update begin anew?"]
    found = {count.name: count for count in dataset.expectations}
    problems = [f"`{dataset.name}` has no expectation `{rule}`. It has {', '.join(found) or 'none'}."
                for rule in actions if rule not in found]
    for rule, action in actions.items():
        if rule in found:
            problems += _rule_problems(found[rule], dataset.name, action, sum(not keeps(row, rule) for row in rows))
    return problems


def _rule_problems(count: Any, table: str, action: str, failed: int) -> list[str]:
    problems = []
    if count.action != action:
        problems.append(f"`{count.name}` of `{table}` {_ACTIONS[count.action]}, expected one that {_ACTIONS[action]}. "
                        "What stands for that, and what does it do when nothing stands there?")
    if count.failed_records != failed:
        problems.append(f"`{count.name}` of `{table}` counts {count.failed_records:,} failed rows, expected "
                        f"{failed:,}: what does its condition say about 0, about a sign and about NULL?")
    return problems


def split_problems(everything: Counter[Any], wanted: Counter[Any], good: Counter[Any], bad: Counter[Any]) -> list[str]:
    """What is wrong with the two sides; a line is (basket, product, file, quantity, sales value)."""
    neither, both = everything - good - bad, (good + bad) - everything
    problems = []
    unknown = sum(count for line, count in neither.items() if None in line[3:])
    if unknown:
        problems.append(f"{unknown} line(s) are in neither table: their quantity or sales_value is NULL, so the rule "
                        "is NULL, and its NOT is NULL as well. What turns NULL into true or false?")
    if neither.total() > unknown:
        problems.append(f"{neither.total() - unknown} line(s) are in neither table, although their values are known. "
                        "Is the second rule exactly the opposite of the first?")
    if both:
        problems.append(f"{both.total()} line(s) are there twice: in both tables, or read twice. Is the second rule "
                        "exactly the opposite of the first?")
    wrong = good - wanted
    if wrong and not problems:
        problems.append(f"`priced_sales` has {wrong.total()} line(s) that belong in quarantine: quantity must be above "
                        "0, and sales_value 0 or more.")
    elif wanted - good and not problems:
        problems.append(f"`quarantined_sales` has {(wanted - good).total()} line(s) that keep both rules.")
    return problems


def repair_problems(wanted: Counter[Any], found: Counter[Any]) -> list[str]:
    """What is wrong with the lines of counted_receipts; each is (basket, product, file, quantity, sales value)."""
    without = sum(count for line, count in found.items() if line[3] is None)
    problems = [f"`counted_receipts` has {without} line(s) without a quantity, which its rule forbids. Is the rule "
                "gone?"] if without else []
    missing, more = wanted - found, found - wanted
    places = Counter(line[:3] for line in missing.elements()) & Counter(
        line[:3] for line in more.elements() if line[3] is not None)
    if places:
        problems.append(f"{places.total()} line(s) of `counted_receipts` have another quantity than the till sent. "
                        "Which number is each word?")
    elif missing and not without:
        files = ", ".join(sorted({str(line[2]) for line in missing}))
        problems.append(f"{missing.total()} line(s) of {files} are missing from `counted_receipts`. If an earlier try "
                        "left them out, the stream has read them and does not come back: mend the query, then "
                        "`strict.update(full_refresh=True)`.")
    elif more and not problems:
        problems.append(f"`counted_receipts` has {more.total()} line(s) too many: were some read twice?")
    return problems


def counts_problems(found: list[tuple[Any, ...]], events: Iterable[Any]) -> list[str]:
    """Compare (dataset, name, passed, failed) with the newest update of an event log, oldest event first."""
    events = list(events)
    newest = [event.update_id for event in events if event.event_type == "create_update"][-1]
    wanted, everything = _summed(events, newest), _summed(events, None)
    if not wanted:
        return ["The newest update of `watched` read no new row, so it has counted nothing. Run "
                "`watched.update(full_refresh=True)`, then this cell again."]
    got = {(dataset, name): (passed, failed) for dataset, name, passed, failed in found}
    if len(found) > len(wanted):
        return [f"`counts` has {len(found)} rows, expected {len(wanted)}, one for each expectation: are there counts "
                "of several updates or micro-batches in it? Filter by the newest update, then group."]
    if got == everything and got != wanted:
        return ["These are sums over all updates: the full refresh counted the same rows again. What has only one "
                "event for each update?"]
    return [_count_problem(name, got.get((dataset, name)), numbers) for (dataset, name), numbers in wanted.items()
            if got.get((dataset, name)) != numbers]


def _summed(events: Iterable[Any], update: str | None) -> dict[tuple[str, str], tuple[int, int]]:
    """Passed and failed records by dataset and rule, of one update or of all."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for event in events:
        if event.event_type != "flow_progress" or update not in (None, event.update_id):
            continue
        quality = json.loads(event.details)["flow_progress"].get("data_quality") or {}
        for each in quality.get("expectations", ()):
            passed, failed = sums.get((each["dataset"], each["name"]), (0, 0))
            sums[each["dataset"], each["name"]] = (passed + each["passed_records"], failed + each["failed_records"])
    return sums


def _count_problem(name: str, found: tuple[int, int] | None, wanted: tuple[int, int]) -> str:
    if found is None:
        return f"`counts` has no row for the expectation `{name}` of the newest update."
    return (f"`{name}` has {found[0]} passed and {found[1]} failed records, expected {wanted[0]} and {wanted[1]}. "
            "Which update are yours from?")
