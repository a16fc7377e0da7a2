"""Expectations inside the plan: counted, dropped and failed in the same pass that writes the rows.

Imitates https://docs.databricks.com/aws/en/ldp/expectations. A condition that is NULL counts as violated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.pipelines.report import ExpectationCount
from helpers.sql import Expectation

VIOLATION = "EXPECTATION_VIOLATION.VERBOSITY_ALL"
# The same words stand in the plan that Spark prints; only the raised message goes on with a record.
_MESSAGE = re.compile(
    rf"\[{re.escape(VIOLATION)}\] Flow '[^\n]*?Output record: \{{[^\n]*?\}}(?= \(end of record\))")


@dataclass(frozen=True)
class Counts:
    """What one pass (a micro-batch, a view's refresh) saw: rows before the drops, rows kept, failures by rule."""

    rows: int
    kept: int
    failed: tuple[int, ...]

    @property
    def dropped(self) -> int:
        """Rows that at least one drop rule took out."""
        return self.rows - self.kept

    def by_expectation(self, rules: Sequence[Expectation], dataset: str) -> tuple[ExpectationCount, ...]:
        """One entry a rule, in the order of definition."""
        return tuple(ExpectationCount(rule.name, dataset, self.rows - failed, failed, rule.action)
                     for rule, failed in zip(rules, self.failed, strict=True))


def metrics(rules: Sequence[Expectation]) -> list[Any]:
    """Aggregates that :func:`counts_from` reads: rows, rows kept, and the failures of each rule."""
    from pyspark.sql import functions as F

    met = _met(rules)
    failed = [F.count_if(~ok).alias(f"failed_{place}") for place, ok in enumerate(met)]
    return [F.count(F.lit(1)).alias("rows"), F.count_if(_kept(rules, met)).alias("kept"), *failed]


def answers(rules: Sequence[Expectation]) -> list[Any]:
    """Aggregates of the type that each condition gives, for :func:`not_boolean`."""
    from pyspark.sql import functions as F

    return [F.any_value(F.expr(rule.condition)).alias(f"answer_{place}") for place, rule in enumerate(rules)]


def not_boolean(schema: Any, rules: Sequence[Expectation]) -> tuple[Expectation, str] | None:
    """The first rule whose condition gives no truth value, and the type that it gives; NULL alone has no type."""
    for place, rule in enumerate(rules):
        found = schema[f"answer_{place}"].dataType.simpleString()
        if found not in ("boolean", "void"):
            return rule, found.upper()
    return None


def enforced(frame: Any, rules: Sequence[Expectation], *, flow: str) -> Any:
    """The DataFrame without the rows that a drop rule takes out; a fail rule ends the query at the first violation."""
    from pyspark.sql import functions as F

    met = _met(rules)
    fatal = [(rule, ok) for rule, ok in zip(rules, met, strict=True) if rule.action == "fail"]
    if fatal:
        frame = frame.filter(F.when(_all([ok for _, ok in fatal]), F.lit(True)).otherwise(_raise(fatal, flow)))
    return frame.filter(_kept(rules, met)) if any(rule.action == "drop" for rule in rules) else frame


def checked(frame: Any, rules: Sequence[Expectation], *, flow: str, observe: Any) -> Any:
    """Counted and enforced in one plan. ``observe``: a name (streams) or an Observation (batch)."""
    return enforced(frame.observe(observe, *metrics(rules)), rules, flow=flow)


def _met(rules: Sequence[Expectation]) -> list[Any]:
    from pyspark.sql import functions as F

    return [F.coalesce(F.expr(rule.condition).cast("boolean"), F.lit(False)) for rule in rules]


def _kept(rules: Sequence[Expectation], met: Sequence[Any]) -> Any:
    return _all([ok for ok, rule in zip(met, rules, strict=True) if rule.action == "drop"])


def _all(conditions: Sequence[Any]) -> Any:
    from pyspark.sql import functions as F

    result = F.lit(True)
    for condition in conditions:
        result = result & condition
    return result


def _raise(fatal: Sequence[tuple[Expectation, Any]], flow: str) -> Any:
    from pyspark.sql import functions as F

    names = F.array_compact(F.array(*[F.when(~ok, F.lit(rule.name)) for rule, ok in fatal]))
    return F.raise_error(F.concat(
        F.lit(f"[{VIOLATION}] Flow '{flow}' failed to meet the expectation. Violated expectations: '"),
        F.concat_ws("', '", names),
        F.lit("'. Output record: "), F.to_json(F.struct(F.col("*"))), F.lit(" (end of record)"),
    )).cast("boolean")


def counts_from(metrics: Mapping[str, Any] | None, rules: Sequence[Expectation]) -> Counts:
    """Counts from observed metrics; all zero when the pass read nothing."""
    found = metrics or {}
    return Counts(
        rows=int(found.get("rows") or 0),
        kept=int(found.get("kept") or 0),
        failed=tuple(int(found.get(f"failed_{place}") or 0) for place in range(len(rules))),
    )


def added(parts: Sequence[Counts], rules: Sequence[Expectation]) -> Counts:
    """Several passes as one."""
    return Counts(
        rows=sum(part.rows for part in parts),
        kept=sum(part.kept for part in parts),
        failed=tuple(sum(part.failed[place] for part in parts) for place in range(len(rules))),
    )


def violation(text: str) -> str | None:
    """The violation's message inside a longer error text, or None when the error is another one."""
    found = _MESSAGE.search(text)
    return found.group(0) if found else None
