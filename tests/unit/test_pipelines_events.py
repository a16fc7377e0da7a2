"""What an update tells its event log, event by event, and what a job's task asks of an update: all without Spark."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from threading import Event
from typing import Any
from unittest.mock import MagicMock

import pytest

from helpers.pipelines import UpdateReport, dp, graph_events, sources, task, update
from helpers.pipelines.definitions import collect
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.event_log import EventLog
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.plan import Plan, arrange, selected
from helpers.pipelines.reads import Discovery
from helpers.pipelines.running import Running
from helpers.pipelines.runs import Context
from helpers.pipelines.settings import PipelineSettings
from helpers.pipelines.state import Board
from helpers.runtime.errors import ServerDied

SQL = """
CREATE STREAMING TABLE bronze AS SELECT * FROM STREAM src;
CREATE TEMPORARY VIEW some AS SELECT * FROM bronze;
CREATE MATERIALIZED VIEW gold AS SELECT * FROM some JOIN raw.other USING (id);
CREATE STREAMING TABLE both;
CREATE FLOW one AS INSERT INTO both BY NAME SELECT * FROM STREAM bronze;
CREATE FLOW two AS INSERT INTO ONCE both BY NAME SELECT * FROM src;
CREATE STREAMING TABLE latest;
CREATE FLOW changed AS AUTO CDC INTO latest FROM STREAM bronze KEYS (id) SEQUENCE BY id;
"""


def planned(**request: Any) -> Plan:
    with dp.defining(dp.Registry()) as registry:
        dp.create_streaming_table("history")
        dp.create_auto_cdc_from_snapshot_flow("history", "gold", ["id"])
    sources.add_sql(registry, SQL, source="s.sql", parameters={})
    definitions = collect(*registry.finished(), schema="shop")
    discovery = Discovery(None, lambda name: None, frozenset)
    reads = {flow.name: discovery.of(flow, None) for flow in definitions.flows}  # type: ignore[arg-type]
    asked = {"refresh": (), "full_refresh": False, "full_refresh_selection": (), "half_reset": (), **request}
    return arrange(definitions, reads, schema="shop", exists=lambda name: True,
                   selection=selected(definitions, schema="shop", **asked))


@pytest.fixture
def events() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def log(tmp_path: Path, events: list[dict[str, Any]]) -> EventLog:
    return EventLog(tmp_path, "p-1", "retail", "update-1", listener=events.append)  # type: ignore[arg-type]


def details(events: list[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    return [json.loads(event["details"])[event_type] for event in events if event["event_type"] == event_type]


def one_update(folder: Path, events: list[dict[str, Any]], **request: Any) -> Any:
    """An update that has a log and does nothing by itself."""
    settings = PipelineSettings(name="retail", schema="shop")
    return update._Update(MagicMock(), settings, update.Request(**request), PipelineHome(folder), MagicMock(), None,
                          events.append, None)


def test_an_update_tells_its_cause_and_what_it_was_asked_for(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    one_update(tmp_path, events, refresh=["a"], full_refresh_selection=("b", "c"), cause="JOB_TASK")._announce()
    one_update(tmp_path, events, full_refresh=True, cause="RETRY_ON_FAILURE")._announce()
    assert details(events, "create_update") == [
        {"cause": "JOB_TASK", "full_refresh": False, "validate_only": False, "refresh_selection": ["a"],
         "full_refresh_selection": ["b", "c"]},
        {"cause": "RETRY_ON_FAILURE", "full_refresh": True, "validate_only": False, "refresh_selection": [],
         "full_refresh_selection": []},
    ]  # fmt: skip


@pytest.mark.parametrize("cause", ["USER_ACTION", "JOB_TASK", "SCHEMA_CHANGE", "RETRY_ON_FAILURE"])
def test_only_an_update_that_a_user_starts_tells_of_a_user(
    cause: str, tmp_path: Path, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    one_update(tmp_path, events, cause=cause)._announce()
    wanted = [{"action": "START", "user_name": "ada"}] if cause == "USER_ACTION" else []
    assert details(events, "user_action") == wanted


def test_a_full_refresh_resets_before_it_sets_up_and_only_when_nothing_is_wrong(
    tmp_path: Path, events: list[dict[str, Any]]
) -> None:
    steps: list[str] = []

    def set_up(plan: Plan, error: Exception | None = None) -> list[str]:
        """The states that the log tells, and between them what happens to the tables."""
        steps.clear()
        one = one_update(tmp_path, events)
        one.log.listener = lambda event: steps.extend(step["state"] for step in details([event], "update_progress"))
        setup = MagicMock(plan=plan, schemas={})
        setup.analyse.side_effect = lambda: steps.append("(analysed)") if error is None else _raise(error)
        setup.reset.side_effect = lambda: steps.append("(emptied)")
        one._set_up(setup)
        return steps

    assert set_up(planned()) == ["SETTING_UP_TABLES", "(analysed)"]
    full = planned(full_refresh=True)
    assert set_up(full) == ["(analysed)", "RESETTING", "(emptied)", "SETTING_UP_TABLES"]
    with pytest.raises(InvalidDataset):
        set_up(full, InvalidDataset("a column is not there"))
    assert steps == []


def _raise(error: Exception) -> None:
    raise error


def test_each_flow_is_defined_with_its_kind_and_what_it_reads(log: EventLog, events: list[dict[str, Any]]) -> None:
    graph_events.tell_definitions(log, planned(), {})
    told = {event["origin"]["flow_name"]: json.loads(event["details"])["flow_definition"] for event in events
            if event["event_type"] == "flow_definition"}
    assert {flow: (each["flow_type"], each["input_datasets"], each["output_dataset"]) for flow, each in told.items()
            } == {
        "bronze": ("APPEND", ["src"], "bronze"), "some": ("COMPLETE", ["bronze"], "some"),
        "gold": ("COMPLETE", ["some", "raw.other"], "gold"), "one": ("APPEND", ["bronze"], "both"),
        "two": ("APPEND", ["src"], "both"), "changed": ("CHANGE", ["bronze"], "latest"),
        "history": ("SNAPSHOT_CHANGE", ["gold"], "history"),
    }  # fmt: skip


def test_an_event_says_where_it_comes_from(log: EventLog, events: list[dict[str, Any]], tmp_path: Path) -> None:
    graph_events.tell_queue(log, planned(refresh=["both"]))
    told = {event["origin"]["flow_name"]: json.loads(event["details"])["flow_progress"]["status"] for event in events}
    assert told == {**dict.fromkeys(("bronze", "some", "gold", "changed", "history"), "EXCLUDED"),
                    "one": "QUEUED", "two": "QUEUED"}
    (one,) = [event for event in events if event["origin"]["flow_name"] == "one"]
    origin = {name: one["origin"][name] for name in ("pipeline_id", "pipeline_name", "update_id", "dataset_name")}
    assert origin == {"pipeline_id": "p-1", "pipeline_name": "retail", "update_id": "update-1",
                      "dataset_name": "both"}
    assert {event["maturity_level"] for event in events} == {"STABLE"}
    # A flow has one id, in every event and update of its pipeline.
    again = EventLog(tmp_path / "later", "p-1", "retail", "update-2", listener=events.append)  # type: ignore[arg-type]
    graph_events.tell_queue(again, planned())
    ids = {(event["origin"]["flow_name"], event["origin"]["flow_id"]) for event in events}
    assert len(ids) == len({flow_id for _, flow_id in ids}) == 7


def flows(plan: Plan, log: EventLog) -> Any:
    """The flows of an update, of which none has begun."""
    board = Board(UpdateReport("p-1", "retail", "update-1", "RUNNING", "USER_ACTION", False, 0), None)
    board.draw(plan)
    running = Running.__new__(Running)
    running.plan, running.board = plan, board
    running._stop, running._begun, running._done = Event(), Event(), Event()
    running._context = Context(*[MagicMock()] * 2, board, log, *[MagicMock()] * 5)
    return running


def progress(events: list[dict[str, Any]], status: str) -> list[tuple[str, str]]:
    return [(event["origin"]["dataset_name"], event["origin"]["flow_name"]) for event in events
            if json.loads(event["details"])["flow_progress"]["status"] == status]


def test_each_flow_of_a_skipped_dataset_is_told_and_no_other(log: EventLog, events: list[dict[str, Any]]) -> None:
    running = flows(planned(), log)
    running._skip("both")
    assert progress(events, "SKIPPED") == [("both", "one"), ("both", "two")]
    assert running.board.report.dataset("both").status == "SKIPPED"


@pytest.mark.parametrize(("ends_by", "status", "end"), [
    (ServerDied("gone"), "FAILED", {"state": "FAILED", "incomplete": True}),
    (InvalidDataset("wrong"), "FAILED", {"state": "FAILED"}),
    (KeyboardInterrupt(), "STOPPED", {"state": "CANCELED", "incomplete": True}),
    (KeyboardInterrupt(), "COMPLETED", {"state": "CANCELED"}),
    (None, "COMPLETED", {"state": "COMPLETED"}),
])  # fmt: skip
def test_an_update_that_was_cut_off_says_that_its_counts_may_be_incomplete(
    ends_by: BaseException | None, status: str, end: dict[str, Any], tmp_path: Path, events: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = one_update(tmp_path, events)
    one.board.draw(planned(refresh=["both", "latest"]))

    def phases() -> None:
        one.board.set("latest", status="COMPLETED")
        one.board.set("both", status=status)
        if ends_by is not None:
            raise ends_by

    monkeypatch.setattr(one, "_phases", phases)
    with pytest.raises(KeyboardInterrupt) if isinstance(ends_by, KeyboardInterrupt) else nullcontext():
        one.run()
    assert details(events, "update_progress")[-1] == end


@pytest.mark.parametrize("interrupted", [True, False])
def test_an_interrupt_stops_the_flows_that_still_wait_too(
    interrupted: bool, log: EventLog, events: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = flows(planned(refresh=["both", "latest"]), log)
    running.board.set("latest", status="COMPLETED")
    monkeypatch.setattr(running, "_prepare_event_log", lambda: None)
    monkeypatch.setattr(running, "_loop", lambda *_: running._stop.set() if interrupted else None)
    running._schedule()
    assert progress(events, "STOPPED") == ([("both", "one"), ("both", "two")] if interrupted else [])


@pytest.mark.parametrize(
    ("spec", "asked"),
    [
        ({}, update.Request(cause="JOB_TASK")),
        ({"full_refresh": True}, update.Request(full_refresh=True, cause="JOB_TASK")),
        ({"full_refresh": False, "refresh_selection": ["a"], "full_refresh_selection": ["b"]},
         update.Request(refresh=["a"], full_refresh_selection=["b"], cause="JOB_TASK")),
    ],
)  # fmt: skip
def test_a_jobs_task_asks_for_what_its_definition_says(
    spec: dict[str, Any], asked: update.Request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[Any] = []

    def run_update(session: Any, settings: Any, request: Any, **_: Any) -> UpdateReport:
        requests.append((settings, request))
        return UpdateReport("i", "p", "u", "COMPLETED", request.cause, request.full_refresh, 0)

    monkeypatch.setattr(task, "run_update", run_update)
    monkeypatch.setattr(task, "attach", lambda places: "session")
    monkeypatch.setattr(task, "load_settings", lambda path, *, parameters: (path.name, parameters))
    given = {"settings": "/p/pipeline.json", "parameters": {"day": "2"}, "result": str(tmp_path / "result.json"),
             "events": str(tmp_path / "events.jsonl"), **spec}
    (tmp_path / "spec.json").write_text(json.dumps(given))
    assert task.main([str(tmp_path / "spec.json")]) == 0
    assert requests == [(("pipeline.json", {"day": "2"}), asked)]
    assert json.loads((tmp_path / "result.json").read_text())["cause"] == "JOB_TASK"
