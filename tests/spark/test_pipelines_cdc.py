"""AUTO CDC: a feed that arrives in any order, in pieces and with interruptions, gives what a sorted replay gives."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from helpers.pipelines import Request, UpdateReport, changes, run_update
from helpers.pipelines.definitions import collect
from helpers.pipelines.dp import Registry
from helpers.pipelines.event_log import table_name
from helpers.pipelines.settings import PipelineSettings
from helpers.pipelines.sources import add_file, add_sql


@dataclass(frozen=True)
class Event:
    """One change. ``key`` is None for a truncate."""

    key: tuple[int, str] | None
    op: str
    seq: tuple[int, int]
    a: int | None = None
    s: tuple[int | None, str | None] | None = None

    def as_sql(self) -> str:
        k, n = self.key or (None, None)
        fields = f"named_struct('x', {_sql(self.s[0])}, 'y', CAST({_sql(self.s[1])} AS STRING))" if self.s else "NULL"
        return f"({_sql(k)}, {_sql(n)}, '{self.op}', {self.seq[0]}, {self.seq[1]}, {_sql(self.a)}, {fields})"


def _sql(value: Any) -> str:
    return "NULL" if value is None else repr(value)


TABLE = """CREATE TABLE {schema}.feed (
  k INT, n STRING, op STRING, major INT, minor INT, a INT, s STRUCT<x: INT, y: STRING>)"""
FLOW = """CREATE OR REFRESH STREAMING TABLE {name};
CREATE FLOW {name}_flow AS AUTO CDC INTO {name} FROM STREAM {source} KEYS (K, n) {nulls}
APPLY AS DELETE WHEN op = 'D' {truncates} SEQUENCE BY STRUCT(major, minor) COLUMNS * EXCEPT (op, major, minor)
STORED AS SCD TYPE {scd} {track};
"""


@dataclass(frozen=True)
class Case:
    """One target and, in words of its own, how a sorted replay of the changes makes it."""

    name: str
    scd: int
    nulls: bool = False
    truncates: bool = False
    tracked: Callable[[Event], Any] = lambda event: (event.a, event.s)
    track: str = ""

    def sql(self) -> str:
        return FLOW.format(
            name=self.name, source="feed" if self.truncates else "keyed", scd=self.scd, track=self.track,
            nulls="IGNORE NULL UPDATES" if self.nulls else "",
            truncates="APPLY AS TRUNCATE WHEN op = 'T'" if self.truncates else "")

    def expected(self, events: Iterable[Event]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = []
        state: dict[Any, list[list[Any]]] = {}
        for event in sorted(set(events), key=lambda each: each.seq):
            if event.op == "T":
                state = {} if self.truncates else state
                continue
            versions = state.setdefault(event.key, [])
            current = versions[-1] if versions and versions[-1][2] is None else None
            if event.op == "U" and self.nulls and current:
                event = _filled(event, current[0])
            if current and event.op == "U" and self.tracked(event) == self.tracked(current[0]):
                current[0] = event
                continue
            if current:
                current[2] = event.seq
            if event.op == "U":
                versions.append([event, event.seq, None])
        for (k, n), versions in state.items():
            kept = versions if self.scd == 2 else [each for each in versions if each[2] is None]
            rows += [(k, n, row.a, row.s, *((start, end) if self.scd == 2 else ())) for row, start, end in kept]
        return sorted(rows, key=repr)


def _filled(event: Event, before: Event) -> Event:
    a = before.a if event.a is None else event.a
    if event.s is None or before.s is None:
        return replace(event, a=a, s=event.s or before.s)
    return replace(event, a=a, s=tuple(new if new is not None else old
                                       for new, old in zip(event.s, before.s, strict=True)))


CASES = (
    Case("patched", 1, nulls=True, truncates=True),
    Case("history", 2),
    Case("tracked", 2, nulls=True, tracked=lambda event: event.a, track="TRACK HISTORY ON * EXCEPT (s)"),
)
VIEW = "CREATE TEMPORARY VIEW keyed AS SELECT * FROM STREAM feed WHERE op <> 'T';"


def feed(seed: int) -> list[Event]:
    """Changes of some 60 keys and two truncates, shuffled; one in five is delivered twice."""
    dice = random.Random(seed)
    events = [Event(None, "T", (at, 0)) for at in (12, 25)]
    for number in range(60):
        for order in dice.sample(range(1, 40), dice.randint(1, 7)):
            structs = (None, (dice.choice((None, 1)), dice.choice((None, "y", "z"))))
            key = (number % 20, "abc"[number // 20])
            events.append(Event(key, dice.choice("UUUD"), (order, 1), dice.choice((None, 1, 2)), dice.choice(structs)))
    events += dice.sample(events, len(events) // 5)
    dice.shuffle(events)
    return events


class Lake:
    """One schema with a feed, and pipelines over it."""

    def __init__(self, spark: Any, schema: str, folder: Path) -> None:
        self.spark, self.schema, self.folder = spark, schema, folder
        spark.sql(TABLE.format(schema=schema))

    def arrive(self, events: Iterable[Event]) -> None:
        self.spark.sql(f"INSERT INTO {self.schema}.feed VALUES {', '.join(event.as_sql() for event in events)}")

    def update(self, *texts: str, **request: Any) -> UpdateReport:
        """Run an update of the pipeline that the texts define; a text with ``import`` is Python."""
        settings = PipelineSettings(name="p", schema=self.schema)

        def definitions(session: Any, problems: Any) -> Any:
            registry = Registry()
            for place, text in enumerate(texts):
                if "import" in text:
                    path = self.folder / f"part_{place}.py"
                    path.write_text(text)
                    add_file(registry, path, spark=session, parameters={})
                else:
                    add_sql(registry, text, source=f"part_{place}.sql", parameters={})
            return collect(*registry.finished(), schema=self.schema, hooks=registry.hooks, problems=problems)

        return run_update(
            self.spark, settings, Request(**request), checkpoints=self.folder / "checkpoints", definitions=definitions)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return [_plain(row) for row in self.spark.sql(query.format(schema=self.schema)).collect()]

    def table(self, name: str) -> list[tuple[Any, ...]]:
        return sorted(self.rows(f"SELECT * FROM {{schema}}.{name}"), key=repr)

    def state(self, target: str) -> Path:
        (found,) = (self.folder / "checkpoints").glob(f"*/{target}/_applied.json")
        return found


def _plain(row: Any) -> tuple[Any, ...]:
    return tuple(_plain(value) if isinstance(value, tuple) else value for value in row)


@pytest.fixture
def lake(spark: Any, schema: str, tmp_path: Path) -> Iterator[Lake]:
    yield Lake(spark, schema, tmp_path)
    assert not spark.streams.active


def test_any_order_of_arrival_and_any_interruption_give_what_a_sorted_replay_gives(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, events = VIEW + "".join(case.sql() for case in CASES), feed(seed=7)
    third = len(events) // 3

    # Ended after the streams and before the MERGEs: the next update makes good for it, with what is new besides.
    lake.arrive(events[:third])
    with monkeypatch.context() as broken:
        broken.setattr(changes, "apply", _interrupted)
        assert "cut off" in str(lake.update(text).error)
    assert [lake.table(case.name) for case in CASES] == [[], [], []]
    lake.arrive(events[third : 2 * third])
    assert lake.update(text).error is None
    for case in CASES:
        assert lake.table(case.name) == case.expected(events[: 2 * third]), case.name

    # The last third is applied on top; for one table all of it again, as after an end between the MERGE and its note.
    lake.state("history").unlink()
    lake.arrive(events[2 * third :])
    assert lake.update(text).error is None
    for case in CASES:
        assert lake.table(case.name) == case.expected(events), case.name


def _interrupted(*_: Any, **__: Any) -> None:
    raise RuntimeError("cut off")


SOURCES = """CREATE TABLE {schema}.clients (id INT, name STRING, ts INT, op STRING);
CREATE TABLE {schema}.loaded (id INT, name STRING, ts INT, op STRING);
INSERT INTO {schema}.loaded VALUES (1, 'a', 1, 'L'), (2, 'b', 1, 'L');
INSERT INTO {schema}.clients VALUES (1, 'A', 5, 'U'), (2, NULL, 6, 'D'), (3, NULL, 2, 'U'), (4, 'd', 3, 'U')"""
PYTHON = """
from pyspark import pipelines as dp
from pyspark.sql.functions import col, expr

dp.create_streaming_table("customers", expect_all_or_drop={"named": "name IS NOT NULL"})
dp.create_auto_cdc_flow(
    target="customers", source="clients", keys=[col("id")], sequence_by=col("ts"), stored_as_scd_type=1,
    apply_as_deletes=expr("op = 'D'"), except_column_list=["op"], name="feed")
dp.create_auto_cdc_flow(
    target="customers", source="loaded", keys=["id"], sequence_by="ts", stored_as_scd_type=1,
    except_column_list=["op"], name="load", once=True)

@dp.materialized_view
def names():
    return spark.read.table("customers").groupBy("name").count()
"""
METRICS = """SELECT origin.flow_name, get_json_object(details, '$.flow_progress.metrics.num_upserted_rows')
FROM {events} WHERE event_type = 'flow_progress' AND details LIKE '%num_upserted_rows%'
ORDER BY timestamp, sequence.data_plane_id.seq_no"""
KEYED = "CREATE TEMPORARY VIEW keyed AS SELECT * FROM STREAM clients WHERE id IS NOT NULL;"


def test_a_target_shows_its_own_columns_counts_upserts_and_starts_anew_on_full_refresh(lake: Lake) -> None:
    for statement in SOURCES.split(";"):
        lake.rows(statement)
    first = lake.update(PYTHON)
    assert first.error is None
    # The delete of 2 is no violation, and its older row in the one-time load does not bring it back.
    assert lake.rows("SELECT * FROM {schema}.customers ORDER BY id") == [(1, "A", 5), (4, "d", 3)]
    assert lake.rows("SELECT * FROM {schema}.names ORDER BY name") == [("A", 1), ("d", 1)]
    customers = first.dataset("customers")
    assert (customers.rows_read, customers.num_upserted_rows, customers.num_deleted_rows) == (6, 2, 0)
    assert (customers.num_output_rows, customers.dropped_records) == (None, 1)
    assert [(each.passed_records, each.failed_records) for each in customers.expectations] == [(5, 1)]
    events = f"{lake.schema}.{table_name(first.pipeline_id)}"
    assert lake.rows(METRICS.format(events=events)) == [("feed", "2"), ("load", "0")]
    assert lake.rows(f"SELECT count(*) FROM {events} WHERE details LIKE '%CHANGE%'") == [(2,)]

    # A new column arrives; the one-time load does not look at its source again.
    lake.rows("ALTER TABLE {schema}.clients ADD COLUMN city STRING")
    lake.rows("INSERT INTO {schema}.clients VALUES (1, 'A2', 7, 'U', 'X'), (4, NULL, 8, 'D', NULL)")
    lake.rows("INSERT INTO {schema}.loaded VALUES (9, 'z', 1, 'L')")
    second = lake.update(PYTHON)
    assert second.error is None
    assert lake.rows("SELECT * FROM {schema}.customers ORDER BY id") == [(1, "A2", 7, "X")]
    customers = second.dataset("customers")
    assert (customers.rows_read, customers.num_upserted_rows, customers.num_deleted_rows) == (2, 1, 1)

    lake.rows("INSERT INTO {schema}.clients VALUES (NULL, 'n', 9, 'U', NULL)")
    error = str(lake.update(PYTHON).error)
    assert [word for word in ("NULL_KEY", "'customers'", '"name":"n"', "'feed'") if word not in error] == []
    assert "\n" not in error

    history = PYTHON.replace("scd_type=1", "scd_type=2").replace('"clients"', '"keyed"')
    assert "Run a full refresh of 'customers'" in str(lake.update(KEYED, history).error)
    assert lake.update(KEYED, history, full_refresh=True).error is None
    assert lake.table("customers") == [
        (1, "A", 5, None, 5, 7), (1, "A2", 7, "X", 7, None), (1, "a", 1, None, 1, 5), (2, "b", 1, None, 1, 6),
        (4, "d", 3, None, 3, 8), (9, "z", 1, None, 1, None)]
    again = lake.update(KEYED, history).dataset("customers")
    assert (again.status, again.rows_read, again.num_upserted_rows) == ("IDLE", 0, 0)
