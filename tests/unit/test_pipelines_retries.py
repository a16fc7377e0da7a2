"""Development and production: what is tried again, how often, and what restarts an update. Without Spark."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from helpers.pipelines import UpdateReport, expectations, run_update, running, update
from helpers.pipelines.graph import Dataset, Flow
from helpers.pipelines.home import PipelineHome
from helpers.pipelines.settings import PipelineSettings

PASSING, LASTING = "[DELTA_CONCURRENT_APPEND] Files were added", "[DIVIDE_BY_ZERO] Division by zero"
VIOLATION = f"[{expectations.VIOLATION}] Flow 'f' failed to meet the expectation."


@dataclass
class Updates:
    """Plays the updates of one run: what each of them ends with, and what each was asked for."""

    ends: list[str]
    asked: list[Any] = field(default_factory=list)

    def __call__(self, spark: Any, settings: Any, request: Any, *_: Any) -> Any:
        self.asked.append(request)
        end = self.ends[min(len(self.asked), len(self.ends)) - 1]
        state = "COMPLETED" if end == "well" else "FAILED"
        report = UpdateReport("i", "p", str(len(self.asked)), state, request.cause, request.full_refresh, 0)
        return SimpleNamespace(run=lambda: report, schema_changed=end == "new column", recoverable=end == "passing")


def session() -> Any:
    """A session that takes everything, in the schema `default`."""
    spark = MagicMock(session_id="s")
    spark.catalog.currentDatabase.return_value = "default"
    return spark


def ran(monkeypatch: pytest.MonkeyPatch, folder: Path, ends: list[str], **settings: Any) -> tuple[str, list[str]]:
    """The state in which a run ends, and the cause of each of its updates."""
    updates = Updates(ends)
    monkeypatch.setattr(update, "_Update", updates)
    report = run_update(session(), PipelineSettings(name="p", schema="shop", **settings), checkpoints=folder)
    return report.state, [request.cause for request in updates.asked]


@pytest.mark.parametrize(
    ("ends", "settings", "state", "causes"),
    [
        (["passing", "well"], {}, "FAILED", ["USER_ACTION"]),
        (["passing", "well"], {"development": False}, "COMPLETED", ["USER_ACTION", "RETRY_ON_FAILURE"]),
        (["passing"], {"development": False}, "FAILED", ["USER_ACTION", *["RETRY_ON_FAILURE"] * 5]),
        (["passing"], {"development": False, "update_retries": 0}, "FAILED", ["USER_ACTION"]),
        (["lasting"], {"development": False}, "FAILED", ["USER_ACTION"]),
        (["new column", "well"], {}, "COMPLETED", ["USER_ACTION", "SCHEMA_CHANGE"]),
        (["new column", "passing", "new column", "well"], {"development": False}, "COMPLETED",
         ["USER_ACTION", "SCHEMA_CHANGE", "RETRY_ON_FAILURE", "SCHEMA_CHANGE"]),
        (["new column"], {}, "FAILED", ["USER_ACTION", *["SCHEMA_CHANGE"] * update.MOST_RESTARTS]),
    ],
)  # fmt: skip
def test_production_updates_again_where_it_may_help_and_a_new_column_restarts_in_any_mode(
    ends: list[str], settings: dict[str, Any], state: str, causes: list[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    assert ran(monkeypatch, tmp_path, ends, **settings) == (state, causes)


def test_an_update_after_a_failure_empties_nothing_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    updates = Updates(["new column", "well"])
    monkeypatch.setattr(update, "_Update", updates)
    request = update.Request(refresh=["a"], full_refresh_selection=["b"])
    run_update(session(), PipelineSettings(name="p", schema="shop"), request, checkpoints=tmp_path)
    second = updates.asked[1]
    assert (second.refresh, second.full_refresh_selection, second.full_refresh) == (("a", "b"), (), False)


@pytest.mark.parametrize(
    ("errors", "retries", "tried", "ended"),
    [
        ([], 2, 1, "COMPLETED"),
        ([PASSING], 2, 2, "COMPLETED"),
        ([PASSING] * 3, 2, 3, PASSING),
        ([LASTING], 2, 1, LASTING),
        ([PASSING], 0, 1, PASSING),
        ([VIOLATION], 2, 1, VIOLATION),
    ],
)
def test_a_flow_is_tried_again_while_another_attempt_may_go_well(
    errors: list[str], retries: int, tried: int, ended: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts, told, left = [], [], list(errors)

    def run(*_: Any) -> str:
        attempts.append(1)
        if left:
            raise RuntimeError(left.pop(0))
        return "COMPLETED"

    monkeypatch.setattr(running, "run", run)
    context = SimpleNamespace(progress=lambda dataset, status, message, **_: told.append((status, message)))
    one = SimpleNamespace(_retries=retries, _context=context, _stop=SimpleNamespace(is_set=lambda: False))
    flow = Flow(name="f", target="t", body=lambda: None, defined_at="p.sql:1:1")
    try:
        found = running.Running._with_retries(one, Dataset(name="t", kind="STREAMING_TABLE", defined_at="x"), flow)
    except RuntimeError as error:
        found = str(error)
    assert (found, len(attempts)) == (ended, tried)
    assert [status for status, _ in told] == ["QUEUED"] * (tried - 1)
    assert all("Flow 'f' failed and is tried again" in message for _, message in told)


@pytest.mark.parametrize(("development", "given"), [(True, 0), (False, 7)])
def test_flows_are_tried_again_in_production_only(
    development: bool, given: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[int] = []

    def running_with(*_: Any, retries: int, **__: Any) -> Any:
        asked.append(retries)
        return MagicMock(failure=None)

    for module in ("effort", "graph_events", "Versions"):
        monkeypatch.setattr(update, module, MagicMock())
    monkeypatch.setattr(update, "Running", running_with)
    settings = PipelineSettings(name="p", schema="shop", development=development, flow_retries=7)
    one = update._Update(MagicMock(), settings, update.Request(), PipelineHome(tmp_path), MagicMock(), None, None, None)
    monkeypatch.setattr(one, "_set_up", lambda setup: None)
    assert one._run(MagicMock()) is None
    assert asked == [given]
