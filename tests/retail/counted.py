"""What a schema's event log says of expectations, over all of its updates, and whether it may be true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: (dataset, expectation)
Rule = tuple[str, str]
#: (passed records, failed records)
Count = tuple[int, int]
_ENDED = ("COMPLETED", "FAILED", "CANCELED")


@dataclass(frozen=True)
class Counted:
    """``streamed``: sums over all micro-batches; ``computed``: of views, what their last computation counted.

    ``ends``: the end states of each update; ``cut_off``: the datasets that ran in an update that is marked incomplete.
    """

    streamed: Mapping[Rule, Count]
    computed: Mapping[Rule, Count]
    ends: Mapping[str, tuple[str, ...]]
    cut_off: frozenset[str]


def counted(events: Iterable[Mapping[str, Any]]) -> Counted:
    """Add up events, oldest first, as :meth:`tests.retail.running.Shell.tables` gives them."""
    streamed: dict[Rule, Counter[str]] = {}
    computed: dict[Rule, Count] = {}
    ends: dict[str, tuple[str, ...]] = {}
    ran: dict[str, set[str]] = {}
    incomplete = set()
    for event in events:
        update, details = event["update"], event["details"]
        ends.setdefault(update, ())
        if event["type"] == "update_progress":
            ends[update] += (details["state"],) if details["state"] in _ENDED else ()
            incomplete |= {update} if details.get("incomplete") else set()
        elif event["type"] == "flow_progress":
            if details["status"] not in ("QUEUED", "EXCLUDED"):
                ran.setdefault(update, set()).add(event["dataset"])
            for rule in details.get("data_quality", {}).get("expectations", ()):
                key = rule["dataset"], rule["name"]
                if event["batch"] is None:
                    computed[key] = rule["passed_records"], rule["failed_records"]
                else:
                    streamed.setdefault(key, Counter()).update(
                        passed=rule["passed_records"], failed=rule["failed_records"]
                    )
    sums = {key: (count["passed"], count["failed"]) for key, count in streamed.items()}
    cut_off = frozenset[str]().union(*(ran.get(update, set()) for update in incomplete))
    return Counted(sums, computed, ends, cut_off)


def wrong(found: Counted, undisturbed: Counted) -> list[str]:
    """What cannot be true of a run that was killed and then went on to its end.

    No record is counted twice; one that is not counted belongs to a dataset that an update, marked as incomplete,
    was working on. Each update has one end.
    """
    said = [f"the update {update} ended as {states}" for update, states in found.ends.items() if len(states) != 1]
    for rule, right in undisturbed.streamed.items():
        count = found.streamed.get(rule, (0, 0))
        short = count != right and all(one <= other for one, other in zip(count, right, strict=True))
        if count != right and not (short and rule[0] in found.cut_off):
            said.append(f"{rule}: {count} is counted, {right} is right, and cut off was {sorted(found.cut_off)}")
    for rule, right in undisturbed.computed.items():
        if found.computed.get(rule) != right and rule[0] not in found.cut_off:
            said.append(f"{rule}: {found.computed.get(rule)} is counted, {right} is right")
    return said
