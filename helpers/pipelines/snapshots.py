"""AUTO CDC from snapshots: what a whole snapshot changes, as rows of the target's change table.

A snapshot's changes and a mark with its version are one commit, so an update that is cut off goes on after the last
snapshot that was stored. Of two updates that store the same one, Delta drops the second: both carry the change table's
next version as their transaction.

Imitates https://docs.databricks.com/aws/en/ldp/developer/ldp-python-ref-apply-changes-from-snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from helpers.classic import observed
from helpers.pipelines import changes, frames, tables
from helpers.pipelines.cdc import DELETE, END, OPERATION, SEQUENCE, SNAPSHOT, UPSERT, Field
from helpers.pipelines.change_rows import change_rows, rules_of, stored_schema
from helpers.pipelines.errors import FlowFailed, InvalidDataset
from helpers.pipelines.graph import Flow
from helpers.pipelines.names import literal, own, quoted, quoted_part

if TYPE_CHECKING:
    from helpers.pipelines.setup import SetUp

#: A version's type in Python and in the target's __START_AT.
_TYPES = {int: "bigint", str: "string", float: "double", datetime: "timestamp", date: "date", bytes: "binary"}
#: Snapshots in one update, after which a function that never ends is called a mistake.
_MOST = 1000


@dataclass(frozen=True)
class Snapshot:
    """All rows there are at one version, with the columns of change rows."""

    rows: Any
    version: Any


def following(setup: SetUp, flow: Flow, latest: Any, *, clock: Callable[[], datetime]) -> Snapshot | None:
    """The snapshot that comes after the version ``latest`` (None at first); None when there is none.

    A table or view is a snapshot at any time; its version is the time of looking.
    """
    building = setup.building(flow)
    if flow.next_snapshot is None:
        frame, version = frames.build(flow, setup.spark, building), _plain(clock())
    else:
        found = frames.snapshot(flow, building, latest)
        if found is None:
            return None
        frame, version = found[0], _plain(found[1])
        _check_version(flow, version, latest)
        _check_reads(setup, flow, setup.discovery.of_frame(frame, building).inputs)
    return Snapshot(_rows(flow, frame, version), version)


def _plain(version: Any) -> Any:
    """A time without a zone, as Spark gives it back."""
    zoned = isinstance(version, datetime) and version.tzinfo is not None
    return version.astimezone().replace(tzinfo=None) if zoned else version


def _check_version(flow: Flow, version: Any, latest: Any) -> None:
    named = f"{flow.defined_at}: the snapshot of '{flow.target}' has the version {version!r}"
    if type(version) not in _TYPES:
        raise InvalidDataset(f"{named}. Give an int, float, str, bytes, date or datetime.")
    if latest is not None and type(latest) is not type(version):
        raise InvalidDataset(f"{named}, the one before had {latest!r}. Keep to one type, or run a full refresh.")
    if latest is not None and version <= latest:
        raise InvalidDataset(f"{named}, which does not come after {latest!r}, the last one that was applied. Give a "
                             "later one, or None when there is none.")


def _check_reads(setup: SetUp, flow: Flow, inputs: Sequence[Any]) -> None:
    for read in inputs:
        inside = own(read.name, setup.plan.schema)
        if inside in setup.plan.definitions.datasets:
            raise InvalidDataset(f"{flow.defined_at}: the snapshot function of '{flow.target}' reads '{inside}', a "
                                 f"dataset of this pipeline, for which it does not wait. Write source=\"{inside}\".")


def _rows(flow: Flow, frame: Any, version: Any) -> Any:
    from pyspark.sql import functions as F

    sequence = F.lit(version).cast(_TYPES[type(version)])
    return change_rows(replace(flow, changes=replace(rules_of(flow), sequence_by=sequence)), frame)


@dataclass(frozen=True)
class Target:
    """A target that snapshots go into. ``transaction``: the name under which Delta knows its flow's writes."""

    setup: SetUp
    flow: Flow
    transaction: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def name(self) -> str:
        """The table's name, with its schema."""
        return f"{self.setup.plan.schema}.{self.flow.target}"

    @property
    def changes(self) -> str:
        """The change table's name, with its schema."""
        return f"{self.setup.plan.schema}.{changes.table_name(self.flow.target)}"

    def latest(self) -> Any:
        """The version of the last snapshot that was stored; None at first."""
        marks = self.setup.spark.table(quoted(self.changes)).where(f"operation = '{SNAPSHOT}'")
        return marks.selectExpr("max(sequence) AS latest").collect()[0].latest

    def snapshots(self) -> Iterator[Snapshot]:
        """The snapshots after that one, each asked for when the one before has been stored."""
        for _ in range(_MOST):
            snapshot = following(self.setup, self.flow, self.latest(), clock=self.clock)
            if snapshot is None:
                return
            yield snapshot
            if self.flow.next_snapshot is None or rules_of(self.flow).once:
                return
        raise FlowFailed(f"{self.flow.defined_at}: '{self.flow.name}' has given {_MOST} snapshots in one update. Let "
                         "its function return None when there is no further one.")

    def store(self, snapshot: Snapshot) -> int:
        """Add what the snapshot changes, in one commit; gives how many rows the snapshot has."""
        from pyspark.sql import functions as F
        from pyspark.sql.observation import Observation

        newest = tables.version(self.setup.spark, self.changes, folder=self.setup.catalog.location(self.changes))
        if newest is None:
            raise changes.unreadable(self.flow, self.changes)
        self._widen(snapshot)
        counted = Observation()
        seen = replace(snapshot, rows=snapshot.rows.observe(counted, F.count(F.lit(1)).alias("rows")))
        number = newest.number + 1
        (self._difference(seen).write.format("delta").mode("append")
         .option("txnAppId", f"{self.transaction}/snapshots").option("txnVersion", str(number))
         .saveAsTable(quoted(self.changes)))
        return int(observed(self.setup.spark, counted).get("rows") or 0)

    def _widen(self, snapshot: Snapshot) -> None:
        """New columns of a snapshot come into both tables."""
        stored = stored_schema(snapshot.rows)
        for name, schema in ((self.changes, stored), (self.name, stored["row"].dataType)):
            tables.add_columns(self.setup.spark, name, self.setup.spark.table(quoted(name)).schema, [schema])

    def _difference(self, snapshot: Snapshot) -> Any:
        """The keys that the snapshot changes or lacks, compared with the target, and the mark."""
        from pyspark.sql import functions as F

        spark, rules = self.setup.spark, rules_of(self.flow)
        row = spark.table(quoted(self.changes)).schema["row"].dataType
        fields = [changes.as_field(field) for field in row.fields]
        keys = [quoted_part(key) for key in rules.keys]
        new = _new(self.flow, snapshot.rows, row, keys).alias("new")
        current = spark.table(quoted(self.name)).where(f"{END} IS NULL" if rules.scd_type == 2 else "true")
        old = current.selectExpr(f"struct({', '.join(quoted_part(each.name) for each in fields)}) AS row").alias("old")
        same = " AND ".join(f"{_value('new', field)} <=> {_value('old', field)}" for field in fields)
        changed = new.join(old, F.expr(" AND ".join(f"new.row.{key} = old.row.{key}" for key in keys)), "full_outer")
        rows = changed.where(f"new.row IS NULL OR old.row IS NULL OR NOT ({same})").selectExpr(
            "coalesce(new.row, old.row) AS row", f"if(new.row IS NULL, '{DELETE}', '{UPSERT}') AS operation")
        mark = spark.range(1).select(F.lit(None).cast(row).alias("row"), F.lit(SNAPSHOT).alias("operation"))
        kind = _TYPES[type(snapshot.version)]
        return rows.unionByName(mark).select("row", F.lit(snapshot.version).cast(kind).alias("sequence"), "operation")


def _new(flow: Flow, rows: Any, row: Any, keys: Sequence[str]) -> Any:
    """The snapshot's rows in the shape of the change table; a missing or repeated key ends the query."""
    given = {name.lower() for name in rows.columns if name not in (SEQUENCE, OPERATION)}
    columns = [f"{quoted_part(field.name)}" if field.name.lower() in given else
               f"CAST(NULL AS {field.dataType.simpleString()}) AS {quoted_part(field.name)}" for field in row.fields]
    counted = rows.selectExpr(f"struct({', '.join(columns)}) AS row").selectExpr(
        "row", f"count(*) OVER (PARTITION BY {', '.join(f'row.{key}' for key in keys)}) AS times")
    no_key = " OR ".join(f"row.{key} IS NULL" for key in keys)
    return counted.selectExpr(
        f"CASE WHEN {no_key} THEN {_refusal(flow, 'NULL_KEY', 'a row without key')} "
        f"WHEN times > 1 THEN {_refusal(flow, 'DUPLICATE_KEY', 'a key twice')} ELSE row END AS row")


def _refusal(flow: Flow, condition: str, what: str) -> str:
    text = literal(f"[AUTOCDC_MICROBATCH_VALIDATION.{condition}] The snapshot of '{flow.target}' has {what}: ")
    end = literal(". Nothing of this snapshot was stored. Mend it, or leave such rows out.")
    return f"raise_error(concat({text}, to_json(row), {end}))"


def _value(side: str, field: Field) -> str:
    name = f"{side}.row.{quoted_part(field.name)}"
    return name if field.comparable else f"to_json({name})"
