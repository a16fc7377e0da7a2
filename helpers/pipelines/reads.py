"""What a flow reads, found without reading it: from its SQL, or from the plan that its function returns."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from helpers import sql
from helpers.classic import is_classic
from helpers.errors import LakeprepError
from helpers.pipelines import frames, names
from helpers.pipelines.building import FILES, Building
from helpers.pipelines.classic_plan import classic_plan
from helpers.pipelines.errors import InvalidDataset, condition
from helpers.pipelines.graph import STREAMED, Flow

#: A view that calls one of these is computed at every update: its result changes though its inputs do not.
_FUNCTIONS = ("now|curdate|getdate|rand|randn|random|randstr|uniform|uuid|shuffle|unix_timestamp|version|reflect|"
              "try_reflect|java_method|monotonically_increasing_id|spark_partition_id|input_file_\\w+")
_CHANGING = re.compile(
    rf"\b(current_\w+|user|session_user|localtimestamp|tablesample|\w*(python|java|scala)_ud\w*)\b|\b({_FUNCTIONS})\s*\(|"
    rf"function_name: \"({_FUNCTIONS})\"|['\"](now|today|tomorrow|yesterday)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Reads:
    """What a flow reads. ``fingerprint``: of a batch query; None where no text tells if it would give the same rows."""

    inputs: tuple[sql.Input, ...]
    streaming: bool
    #: It reads something without a version: files, or another source that is not a table.
    unversioned: bool
    fingerprint: str | None
    notes: tuple[str, ...] = ()
    #: The function looked at a table that does not exist yet; what else it reads shows once it does.
    deferred: bool = False


@dataclass(frozen=True)
class Discovery:
    """How flows are looked at. ``own``: the dataset that a name means; ``functions``: the user's, which may change."""

    spark: Any
    own: Callable[[str], str | None]
    functions: Callable[[], frozenset[str]]

    def of(self, flow: Flow, building: Building) -> Reads:
        """What the flow reads. A function is called, and its plan looked at; nothing is run.

        A function that gives snapshots is not called before it is known which comes next.
        """
        if isinstance(flow.body, sql.Query):
            return self._of_query(flow.body)
        if flow.next_snapshot:
            return Reads((), False, True, None)
        if is_classic(self.spark):
            return self._called(flow, building)
        building.discovering = True
        try:
            return self._of_function(flow, building)
        except LakeprepError:
            raise
        except Exception as error:
            if self.missing(error) is None:
                # The stand-ins for files may be too little for this function; the real frames are not.
                building.discovering = False
        return self._called(flow, building)

    def missing(self, error: BaseException) -> str | None:
        """The pipeline's dataset that was looked for and does not exist yet."""
        found = _not_found(error)
        return None if found is None else self.own(found)

    def _called(self, flow: Flow, building: Building) -> Reads:
        try:
            return self._of_function(flow, building)
        except Exception as error:
            # What Connect's plan would tell to be unknown, a classic session has looked for.
            missing = self.missing(error) or (_not_found(error) if is_classic(self.spark) else None)
            if missing is None:
                raise
            asked = [*building.streamed, *(read.name for query in building.queries.values() for read in query.inputs
                                           if read.streaming)]
            streaming = missing in {self.own(name) or names.canonical(name) for name in asked}
            return Reads((sql.Input(name=missing, streaming=streaming),), streaming, True, None, deferred=True)

    def _of_query(self, query: sql.Query) -> Reads:
        files = bool(query.file_sources)
        return Reads(query.inputs, query.streaming, files, self._fingerprint(query.text, query.streaming), query.notes)

    def _of_function(self, flow: Flow, building: Building) -> Reads:
        return self.of_frame(frames.build(flow, self.spark, building), building)

    def of_frame(self, frame: Any, building: Building) -> Reads:
        """What a DataFrame reads."""
        if is_classic(self.spark):
            return self._of_classic(frame, building)
        plan = frame._plan.to_proto(self.spark.client)
        found: dict[tuple[str, bool], sql.Input] = {}
        streaming = unversioned = False
        for message in _messages(plan):
            for read in _tables(message, building):
                found[read.name, read.streaming] = read
            if _is_unversioned(message, building):
                unversioned, streaming = True, streaming or getattr(message, "is_streaming", False)
        streaming = streaming or any(read.streaming for read in found.values())
        streaming = streaming or any(query.streaming for query in building.queries.values())
        notes = tuple(note for query in building.queries.values() for note in query.notes)
        fingerprint = self._fingerprint(_without_ids(plan), streaming)
        return Reads(tuple(found.values()), streaming, unversioned, fingerprint, notes)

    def _of_classic(self, frame: Any, building: Building) -> Reads:
        plan = classic_plan(frame)
        files = {read for read in plan.inputs if names.parts(read.name)[-1].startswith(FILES)}
        notes = tuple(note for query in building.queries.values() for note in query.notes)
        return Reads(tuple(read for read in plan.inputs if read not in files), plan.streaming,
                     plan.unversioned or bool(files), self._fingerprint(plan.text, plan.streaming), notes)

    def _fingerprint(self, text: str | None, streaming: bool) -> str | None:
        if streaming or text is None or self.may_change(text):
            return None
        return hashlib.sha256(text.encode()).hexdigest()

    def may_change(self, text: str) -> bool:
        """Whether a query or condition calls something that gives other results for the same rows."""
        words = set(re.findall(r"\w+", text.lower()))
        return bool(_CHANGING.search(text)) or not words.isdisjoint(self.functions())


def _not_found(error: BaseException) -> str | None:
    """The name of the table that was looked for in vain; None for any other error."""
    if condition(error) != "TABLE_OR_VIEW_NOT_FOUND":
        return None
    found = (error.getMessageParameters() or {}).get("relationName", "")  # type: ignore[attr-defined]
    return names.canonical(found) or None


def _query(message: Any, building: Building) -> sql.Query | None:
    """The query inside a plan's SQL node; None where the text is no query that we can read."""
    known = building.queries.get(message.query)
    try:
        return known or sql.parse_query(message.query, source="spark.sql", parameters={})
    except sql.PipelineSyntaxError:
        return None


def _tables(message: Any, building: Building) -> tuple[sql.Input, ...]:
    kind = message.DESCRIPTOR.full_name
    if kind == "spark.connect.Read" and message.HasField("named_table"):
        return (sql.Input(name=message.named_table.unparsed_identifier, streaming=message.is_streaming),)
    query = _query(message, building) if kind == "spark.connect.SQL" else None
    return query.inputs if query else ()


def _is_unversioned(message: Any, building: Building) -> bool:
    kind = message.DESCRIPTOR.full_name
    if kind == "spark.connect.SQL":
        query = _query(message, building)
        return query is None or bool(query.file_sources)
    return kind == "spark.connect.CachedRemoteRelation" or (
        kind == "spark.connect.Read" and not message.HasField("named_table"))


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for descriptor, value in message.ListFields():
        if descriptor.type != descriptor.TYPE_MESSAGE:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            values = [entry for entry in value.values() if hasattr(entry, "ListFields")]
        else:
            values = value if hasattr(value, "__len__") and not hasattr(value, "ListFields") else [value]
        for inner in values:
            yield from _messages(inner)


def _without_ids(plan: Any) -> str:
    """The plan as text, ids numbered from 0, without line numbers: equal for equal code, whatever came before."""
    numbers: dict[int, int] = {}
    copy = type(plan)()
    copy.CopyFrom(plan)
    for message in _messages(copy):
        fields = message.DESCRIPTOR.fields_by_name
        if "plan_id" in fields and message.HasField("plan_id"):
            message.plan_id = numbers.setdefault(message.plan_id, len(numbers))
        if "origin" in fields:
            message.ClearField("origin")
    return str(copy)


def ensure_kind(flow: Flow, kind: str, reads: Reads) -> None:
    """A streaming table needs a streaming query, unless it runs once or takes snapshots; a view a batch one."""
    if flow.once or (flow.changes and flow.changes.snapshots):
        _ensure_batch(flow, reads)
        return
    batch_function = not isinstance(flow.body, sql.Query) and flow.name == flow.target
    if kind in STREAMED and not reads.streaming and not reads.deferred and not batch_function:
        what = "the sink" if kind == "SINK" else "the streaming table"
        raise InvalidDataset(
            f"{flow.defined_at}: CREATE_APPEND_ONCE_FLOW_FROM_BATCH_QUERY_NOT_ALLOWED: {what} "
            f"'{flow.target}' has a batch query. Read its source as a stream (STREAM t, STREAM read_files(…), "
            "spark.readStream), or make it a materialized view.")
    if kind == "MATERIALIZED_VIEW" and reads.streaming:
        raise InvalidDataset(
            f"{flow.defined_at}: the materialized view '{flow.target}' has a streaming query. "
            "Remove STREAM (or use spark.read), or make it a streaming table.")


def _ensure_batch(flow: Flow, reads: Reads) -> None:
    if reads.streaming and flow.once:
        raise InvalidDataset(
            f"{flow.defined_at}: INVALID_FLOW_QUERY_TYPE.STREAMING_RELATION_FOR_ONCE_FLOW: the ONCE flow '{flow.name}' "
            "has a streaming query. Remove STREAM (or use spark.read), or remove ONCE.")
    if reads.streaming:
        raise InvalidDataset(f"{flow.defined_at}: '{flow.name}' takes snapshots from a streaming query. Give it a "
                             "table, a batch view, or a function that reads with spark.read.")
