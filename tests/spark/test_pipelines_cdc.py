"""AUTO CDC: a feed that arrives in any order, in pieces and with interruptions, gives what a sorted replay gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from helpers.pipelines import Request, UpdateReport, changes, run_update, tables
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.change_rows import change_rows, packed, target_schema
from helpers.pipelines.definitions import collect
from helpers.pipelines.dp import Registry
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.event_log import table_name
from helpers.pipelines.graph import Flow
from helpers.pipelines.settings import PipelineSettings
from helpers.pipelines.sources import add_file, add_sql
from helpers.sql import AutoCdc, ColumnChoice
from tests.spark.cdc_feeds import CASES, SCHEMA, VIEW, Case, Event, differing, feed

#: What a batch meets: it is applied, and what is applied may be forgotten; or it waits for the next.
FATES = st.lists(st.sampled_from(("applied", "note lost", "waits")), min_size=2, max_size=3)


class Lake:
    """One schema with a feed, and pipelines over it."""

    def __init__(self, spark: Any, schema: str, folder: Path) -> None:
        self.spark, self.schema, self.folder = spark, schema, folder

    def arrive(self, events: Sequence[Event]) -> None:
        rows = self.spark.createDataFrame([event.as_row() for event in events], SCHEMA)
        rows.write.mode("append").saveAsTable(f"{self.schema}.feed")

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
    """A thousand keys, each a case of its own; tests/soak has more seeds, cuts and interruptions."""
    cases, events = CASES[:3], feed(seed=7, keys=1000)
    text = VIEW + "".join(case.sql() for case in cases)
    third = len(events) // 3

    # Ended after the streams and before the MERGEs: the next update makes good for it, with what is new besides.
    lake.arrive(events[:third])
    with monkeypatch.context() as broken:
        broken.setattr(changes, "apply", _interrupted)
        assert "cut off" in str(lake.update(text).error)
    assert [lake.table(case.name) for case in cases] == [[], [], []]
    lake.arrive(events[third : 2 * third])
    assert lake.update(text).error is None
    assert [differing(case, lake.table(case.name), events[: 2 * third]) for case in cases] == ["", "", ""]

    # The last third is applied on top; for one table all of it again, as after an end between the MERGE and its note.
    lake.state("history").unlink()
    lake.arrive(events[2 * third :])
    assert lake.update(text).error is None
    assert [differing(case, lake.table(case.name), events) for case in cases] == ["", "", ""]


def _interrupted(*_: Any, **__: Any) -> None:
    raise RuntimeError("cut off")


@settings(max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(number=st.integers(0, 2**32), case=st.sampled_from(CASES), fates=FATES)
def test_random_batches_and_restarts_give_what_a_sorted_replay_gives(
    lake: Lake, number: int, case: Case, fates: list[str]
) -> None:
    """Without streams: what they store is appended by hand, and applied as an update does."""
    events, target, folder = feed(number, keys=100), Applied(lake, case), lake.folder / str(number)
    for place, fate in enumerate(fates):
        start, end = (len(events) * at // len(fates) for at in (place, place + 1))
        target.store(events[start:end])
        if fate != "waits":
            target.apply(folder)
            assert differing(case, lake.table(case.name), events[:end]) == ""
        if fate == "note lost":
            (folder / "_applied.json").unlink()
    target.apply(folder)
    assert differing(case, lake.table(case.name), events) == ""


class Applied:
    """The new, empty tables of a case, and what is done with them."""

    def __init__(self, lake: Lake, case: Case) -> None:
        registry, self.lake, self.catalog = Registry(), lake, Catalog(lake.spark, lake.schema)
        add_sql(registry, VIEW + case.sql(), source="case.sql", parameters={})
        definitions = collect(*registry.finished(), schema=lake.schema)
        self.case, (self.flow,) = case, definitions.flows_into(case.name)
        dataset, rows = definitions.datasets[case.name], self._rows([])
        changes.create(lake.spark, dataset, [(self.flow, rows)], pipeline_id="p", catalog=self.catalog)
        tables.create(lake.spark, dataset, [target_schema(self.flow, rows)], pipeline_id="p")

    def _rows(self, events: Sequence[Event]) -> Any:
        kept = [event.as_row() for event in events if self.case.truncates or event.op != "T"]
        return change_rows(self.flow, self.lake.spark.createDataFrame(kept, SCHEMA))

    def store(self, events: Sequence[Event]) -> None:
        rows = packed(self.flow, self._rows(events))
        rows.write.format("delta").mode("append").saveAsTable(f"{self.lake.schema}.{changes.table_name(self.case.name)}")

    def apply(self, folder: Path) -> None:
        changes.apply(self.lake.spark, self.flow, schema=self.lake.schema, folder=folder, catalog=self.catalog)


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
METRICS = """SELECT origin.flow_name, details:flow_progress.metrics.num_upserted_rows,
  details:flow_progress.metrics.num_deleted_rows, details:flow_progress.metrics.num_output_rows
FROM event_log(TABLE(customers)) WHERE origin.dataset_name = 'customers' AND details LIKE '%num@_%@_rows%' ESCAPE '@'
ORDER BY timestamp, sequence.data_plane_id.seq_no"""
KEYED = "CREATE TEMPORARY VIEW keyed AS SELECT * FROM STREAM clients WHERE id IS NOT NULL;"


@pytest.mark.classic
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
    assert lake.rows(METRICS) == [("feed", "2", "0", None), ("load", "0", "0", None)]
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
    assert lake.rows(METRICS)[2:] == [("feed", "1", "1", None)]

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


@pytest.mark.parametrize(
    ("columns", "rules", "words"),
    [
        ("id, ts", {"sequence_by": "map(1, ts)"}, "NON_ORDERABLE_SEQUENCE: 'f' has a SEQUENCE BY of type map<int,int>"),
        ("id, ts", {"keys": ("idd",)}, "AUTOCDC_COLUMNS_NOT_FOUND_IN_SCHEMA: 'f' names the column 'idd'.* mean 'id'"),
        ("id, ts", {"columns": ColumnChoice(("ts",))}, "AUTOCDC_KEY_NOT_IN_SELECTED_SCHEMA: 'f' leaves its key 'id'"),
        ("id, ts AS __START_AT", {"sequence_by": "id", "scd_type": 2}, "AUTOCDC_RESERVED_COLUMN_NAME_PREFIX_CONFLICT"),
        ("id, ts", {"columns": ColumnChoice(("ts",), all_but=True), "scd_type": 2,
                    "track_history": ColumnChoice(("ts",))}, "'ts' in TRACK HISTORY ON but not in COLUMNS"),
    ],
)  # fmt: skip
def test_changes_that_do_not_fit_their_clauses_are_refused(
    spark: Any, columns: str, rules: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidDataset, match=f"p.sql:1:1: .*{words}"):
        change_rows(flow_of(**rules), spark.sql(f"SELECT {columns} FROM VALUES (1, 2) AS t(id, ts)"))


def test_a_change_without_a_sequence_stores_nothing_of_its_batch(spark: Any) -> None:
    flow = flow_of()
    rows = change_rows(flow, spark.sql("SELECT * FROM VALUES (1, 1), (2, NULL) AS t(id, ts)"))
    with pytest.raises(Exception, match=r"NULL_SEQUENCE\] A change for 't' has no sequence: \{\"id\":2\}"):
        packed(flow, rows).collect()


def flow_of(**rules: Any) -> Flow:
    """A flow of changes with these clauses."""
    changes_ = AutoCdc(**{"keys": ("id",), "sequence_by": "ts", **rules})
    return Flow(name="f", target="t", body=lambda: None, defined_at="p.sql:1:1", changes=changes_)
