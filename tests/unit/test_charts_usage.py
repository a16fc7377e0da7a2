"""The server's CPU and memory below a run's timeline, and a run that shows itself in a notebook."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import IPython
import IPython.display
import pytest

from helpers import charts
from helpers.jobs.record import RunLog, load_run
from helpers.jobs.runs import Run
from helpers.jobs.shown import show
from helpers.runtime.processes import Process
from tests.unit.charts_fakes import START, run, task, trace, words

GIB = 1024**3
RUN = run(task("a", 0, 0, 20, "SUCCESS"), task("b", 0, 20, 60, "SUCCESS", "a"))


def sample(second: int, cpu: float, gib: float) -> charts.UsageDict:
    return {"time": START + second * 1000, "cpu": cpu, "memory": int(gib * GIB), "cores": 2, "total": 8 * GIB}


SAMPLES = [sample(-4, 2, 4), sample(0, 0.5, 1), sample(2, 1.5, 1.5), sample(40, 1, 2), sample(90, 2, 4)]


def panel(chart: charts.Chart, axis: str) -> list[tuple[list[float], list[float]]]:
    return [(list(one.x), list(one.y)) for one in chart.figure.data if one.yaxis == axis]


def test_cpu_and_memory_stand_under_the_run_s_own_time_with_a_hole_where_nothing_was_sampled() -> None:
    chart = charts.server_usage(RUN, SAMPLES)
    assert panel(chart, "y2") == [([0, 2], [0.5, 1.5]), ([40], [1])]
    assert panel(chart, "y3") == [([0, 2], [1, 1.5]), ([40], [2])]
    layout = chart.figure.layout
    assert (layout.yaxis2.title.text, layout.yaxis3.title.text) == ("CPU, cores", "Memory, GiB")
    assert {one.xaxis for one in chart.figure.data} == {None}
    assert layout.xaxis.anchor == "y3"
    assert layout.yaxis.domain[0] > layout.yaxis2.domain[1] > layout.yaxis2.domain[0] > layout.yaxis3.domain[1]


def test_the_usage_s_text_has_the_timeline_s_and_the_server_s_most_and_mean() -> None:
    chart = charts.server_usage(RUN, list(reversed(SAMPLES)))
    assert chart.text.startswith(charts.job_timeline(RUN).text)
    cpu = "at most 1.5 and on average 1.0 of the machine's 2 cores"
    memory = "at most 2.0 and on average 1.5 of the machine's 8 GiB"
    assert chart.text.endswith(f" The Spark server meanwhile: CPU {cpu}; memory {memory}.")
    assert f"CPU: {cpu}" in words(chart)
    assert list(trace(chart, "SUCCESS").x) == [20, 40]


def test_in_minutes_the_samples_are_in_minutes_too() -> None:
    long = run(task("a", 0, 0, 600, "SUCCESS"), end=600)
    assert panel(charts.server_usage(long, [sample(120, 1, 1), sample(126, 1, 1)]), "y2") == [([2, 2.1], [1, 1])]


def test_without_samples_the_timeline_stands_alone_and_says_so() -> None:
    chart = charts.server_usage(RUN, SAMPLES[:1])
    assert chart.figure.to_plotly_json() == charts.job_timeline(RUN).figure.to_plotly_json()
    assert chart.text.endswith("The server's CPU and memory were not sampled in that time.")
    assert "nothing to show yet" in charts.server_usage({}, SAMPLES).text


def test_the_usage_in_the_dark_is_the_dark_one() -> None:
    turned = charts.server_usage(RUN, SAMPLES).in_theme("dark").figure
    assert turned.to_plotly_json() == charts.server_usage(RUN, SAMPLES, theme="dark").figure.to_plotly_json()


def started(folder: Path) -> tuple[RunLog, Run]:
    """Return a run whose only task is under way, and its record."""
    folder.mkdir()
    log, me = RunLog(folder), Process.current()
    first = {
        "type": "run_started", "run_id": 7, "job_id": 1, "run_name": "retail", "job_parameters": {}, "ignored": [],
        "pid": me.pid, "process_start": me.start,
        "tasks": [{"run_id": 71, "task_key": "load", "type": "notebook", "depends_on": []}],
    }  # fmt: skip
    log.add(first, now_ms=START)
    begun = {"type": "task_started", "task_key": "load", "attempt_number": 0, "run_id": 71, "folder": "tasks/load-0"}
    return log, log.add(begun, now_ms=START)


class Outputs:
    """The outputs of a cell: what each shows, and an event for each update."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []
        self.updated = threading.Event()

    def display(self, bundle: dict[str, Any], *, raw: bool, display_id: bool) -> Any:
        assert raw
        assert display_id
        place = len(self.shown)
        self.shown.append(bundle)
        outputs = self

        class Handle:
            def update(self, bundle: dict[str, Any], *, raw: bool) -> None:
                outputs.shown[place] = bundle
                outputs.updated.set()

        return Handle()


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> Outputs:
    found = Outputs()
    monkeypatch.setattr(IPython.display, "display", found.display)
    monkeypatch.setattr(IPython, "get_ipython", lambda: type("Shell", (), {"kernel": object()}))
    return found


def test_a_run_under_way_shows_table_timeline_and_graph_and_follows_itself_to_its_end(
    tmp_path: Path, outputs: Outputs
) -> None:
    log, under_way = started(tmp_path / "7")
    thread = show(under_way, seconds=0.01)
    assert thread is not None
    texts = [bundle["text/plain"] for bundle in outputs.shown]
    assert ("run 7 · RUNNING" in texts[0], "retail: RUNNING after" in texts[1]) == (True, True)
    assert texts[2].startswith("retail, run RUNNING: 1 task (1 RUNNING); the time, ")
    assert all({"text/html", "application/vnd.plotly.v1+json"} & set(bundle) for bundle in outputs.shown)
    ended = {"type": "task_ended", "task_key": "load", "attempt_number": 0, "run_id": 71, "result_state": "SUCCESS"}
    log.add(ended, now_ms=START + 9000)
    log.add({"type": "run_ended", "life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}, now_ms=START + 9000)
    log.close()
    thread.join(30)
    assert [bundle["text/plain"] for bundle in outputs.shown] == [
        load_run(tmp_path / "7").text(),
        "retail: SUCCESS after 9.0 s, 1 task: load SUCCESS, 9.0 s.",
        "retail, run SUCCESS: 1 task (1 SUCCESS); the time, 9.0 s, was decided by load 9.0 s.",
    ]


def test_a_run_that_somebody_deletes_is_no_longer_followed(tmp_path: Path, outputs: Outputs) -> None:
    log, under_way = started(tmp_path / "7")
    log.close()
    (tmp_path / "7" / "events.jsonl").unlink()
    thread = show(under_way, seconds=0.01)
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive()


def test_displaying_an_ended_run_draws_it_once(tmp_path: Path, outputs: Outputs) -> None:
    log, _ = started(tmp_path / "7")
    end = {"type": "run_ended", "life_cycle_state": "TERMINATED", "result_state": "CANCELED"}
    ended = log.add(end, now_ms=START + 1000)
    log.close()
    ended._ipython_display_()
    assert ["CANCELED" in json.dumps(bundle) for bundle in outputs.shown] == [True, True, True]
    assert not outputs.updated.is_set()
