"""What a classic DataFrame reads: the JVM has its plan, analysed at once, where Connect has a description."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from helpers import sql
from helpers.pipelines.names import quoted_part

#: Leaves whose rows stand in the plan itself, or are another part of it.
_WRITTEN_OUT = frozenset({"LocalRelation", "OneRowRelation", "Range", "CTERelationRef", "EmptyRelation"})
_ALL_FIELDS = 2**31 - 1
_ID = re.compile(r"(#|\bCTERelation(?:Def|Ref) )(\d+)")


@dataclass(frozen=True)
class ClassicPlan:
    """``text``: the plan, equal for equal queries; None where it holds a function that no text tells apart."""

    inputs: tuple[sql.Input, ...]
    streaming: bool
    unversioned: bool
    text: str | None


def classic_plan(frame: Any) -> ClassicPlan:
    """Look at a DataFrame without running it."""
    plan = frame._jdf.queryExecution().analyzed()
    found = list(_reads(plan))
    inputs = tuple(dict.fromkeys(read for read in found if read is not None))
    return ClassicPlan(inputs, plan.isStreaming(), None in found, _text(frame.sparkSession, plan))


def _reads(plan: Any) -> Iterator[sql.Input | None]:
    """The tables and views that a plan names; None for a source without a name."""
    name = _table(plan)
    if name is not None:
        yield sql.Input(name=name, streaming=plan.isStreaming())
        return
    children = _items(plan.children())
    if not children and _kind(plan) not in _WRITTEN_OUT:
        yield None
    for below in (*children, *_items(plan.subqueries())):
        yield from _reads(below)


def _table(plan: Any) -> str | None:
    """The name of a table or view, which the analysed plan keeps as an alias; an alias of the query's is none."""
    if _kind(plan) != "SubqueryAlias":
        return None
    identifier = plan.identifier()
    qualifier = [str(part) for part in _items(identifier.qualifier())]
    if not qualifier and _kind(plan.child()) != "View":
        return None
    return ".".join(quoted_part(part) for part in (*qualifier, identifier.name()))


def _text(spark: Any, plan: Any) -> str | None:
    patterns = spark._jvm.org.apache.spark.sql.catalyst.trees.TreePattern
    leaves = _items(plan.collectLeaves())
    if not plan.deterministic() or plan.containsPattern(patterns.PYTHON_UDF()) or any(map(_is_old_version, leaves)):
        return None
    written = [str(leaf.data().toString()) for leaf in leaves if _kind(leaf) == "LocalRelation"]
    return _without_ids("\n".join([str(plan.treeString(True, False, _ALL_FIELDS, False, False)), *written]))


def _is_old_version(leaf: Any) -> bool:
    """Whether a Delta table is read as it was; the plan's text does not say at which version."""
    if _kind(leaf) != "LogicalRelation" or _kind(leaf.relation()) != "HadoopFsRelation":
        return False
    location = leaf.relation().location()
    return _kind(location) == "TahoeLogFileIndex" and bool(location.isTimeTravelQuery())


def _without_ids(text: str) -> str:
    """Columns numbered from 0: Spark counts them through the life of its JVM."""
    numbers: dict[str, int] = {}
    return _ID.sub(lambda found: f"{found[1]}{numbers.setdefault(found[2], len(numbers))}", text)


def _kind(plan: Any) -> str:
    return str(plan.getClass().getSimpleName())


def _items(sequence: Any) -> list[Any]:
    return [sequence.apply(place) for place in range(sequence.size())]
