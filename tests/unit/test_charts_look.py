"""Colours, notebook display and the graph that fills in."""

import inspect
from dataclasses import asdict
from typing import Any

import IPython.display
import pandas as pd
import pytest

from helpers import charts
from helpers.charts.theme import DARK, LIGHT, Theme, in_theme
from tests.unit.charts_samples import every_chart

UPDATE: dict[str, Any] = {
    "pipeline_name": "retail",
    "state": "RUNNING",
    "datasets": [{"name": "bronze", "kind": "STREAMING_TABLE", "inputs": [], "status": "QUEUED"}],
}


def luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_marks_can_be_read_on_their_ground(theme: Theme) -> None:
    for ground in (theme.surface, theme.page):
        for ink in ("text", "muted", "green", "vermillion", "amber", "purple", "grey", "blue"):
            assert contrast(theme.role(ink), ground) >= 4.5, (ink, ground)
        assert contrast(theme.hollow, ground) >= 3


def test_no_colour_has_two_roles_so_that_a_figure_can_change_its_theme() -> None:
    colours = [*asdict(LIGHT).values(), *asdict(DARK).values()]
    assert len(set(colours)) == len(colours)


def test_a_chart_in_the_dark_is_the_dark_chart() -> None:
    light, dark = every_chart(), every_chart("dark")
    assert {name for name in charts.__all__ if callable(getattr(charts, name)) and _draws(name)} <= set(light)
    for name, chart in light.items():
        assert chart.in_theme("dark").figure.to_plotly_json() == dark[name].figure.to_plotly_json(), name


def test_every_axis_with_ticks_says_what_it_shows() -> None:
    for name, chart in every_chart().items():
        layout = chart.figure.layout.to_plotly_json()
        drawn = {(one.xaxis or "x", one.yaxis or "y") for one in chart.figure.data if one.type in ("bar", "scatter")}
        for axis in {one for pair in drawn for one in pair}:
            found = layout[f"{axis[0]}axis{axis[1:]}"]
            hidden = found.get("visible") is False or found.get("showticklabels") is False
            assert hidden or len(found["title"]["text"]) > 2, (name, axis)


def test_every_chart_is_told_in_one_line_of_a_sentence() -> None:
    for name, chart in every_chart().items():
        assert "\n" not in chart.text, name
        assert len(chart.text) > 40, name
        assert chart.text.endswith("."), name
        assert "nothing to show yet" not in chart.text, name


def _draws(name: str) -> bool:
    return inspect.get_annotations(getattr(charts, name), eval_str=False).get("return") in (charts.Chart, "Chart")


def test_a_name_that_is_a_colour_keeps_its_value_in_the_dark() -> None:
    frame = pd.DataFrame([(LIGHT.blue, 5, 1, 1)], columns=["price_tier", "revenue", "quantity", "products"])
    chart = charts.revenue_by_price_tier(frame)
    assert list(in_theme(chart.figure, DARK).data[0].x) == [LIGHT.blue]


def test_a_notebook_shows_the_figure_and_a_headless_run_the_text() -> None:
    chart = charts.pipeline_graph(UPDATE)
    bundle = chart._repr_mimebundle_()
    assert bundle["text/plain"] == str(chart) == chart.text
    assert {"text/html", "application/vnd.plotly.v1+json"} & set(bundle)


def test_a_text_twin_is_one_line() -> None:
    chart = charts.pipeline_graph({**UPDATE, "pipeline_name": "two\nlines\u202e"})
    assert "\n" not in chart.text
    assert chart.text.startswith("Pipeline two lines, update RUNNING: 1 dataset (1 QUEUED)")


def test_a_chart_without_its_title_keeps_the_size_of_its_plot() -> None:
    chart = charts.pipeline_graph(UPDATE)
    bare = chart.untitled()
    room = [one.figure.layout.height - one.figure.layout.margin.t for one in (chart, bare)]
    assert room[0] == room[1]
    assert (bare.figure.layout.title.text, bare.title) == ("", chart.title)


class Handle:
    """A display handle that keeps what it is given."""

    def __init__(self) -> None:
        self.shown: list[charts.Chart] = []

    def update(self, chart: charts.Chart) -> None:
        self.shown.append(chart)


def test_a_live_graph_replaces_its_own_output_and_only_when_something_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    handle, first = Handle(), []

    def display(chart: charts.Chart, *, display_id: bool) -> Handle:
        assert display_id
        first.append(chart)
        return handle

    monkeypatch.setattr(IPython.display, "display", display)
    on_event = charts.show_live()
    done = {**UPDATE, "datasets": [{**UPDATE["datasets"][0], "status": "COMPLETED"}]}
    for event in (UPDATE, UPDATE, done):
        on_event(event)
    assert "nothing to show yet" in first[0].text
    assert ["1 QUEUED" in chart.text for chart in handle.shown] == [True, False]


def test_a_live_graph_without_a_notebook_prints_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    on_event = charts.show_live()
    on_event(UPDATE)
    assert capsys.readouterr().out.splitlines()[-1] == charts.pipeline_graph(UPDATE).text
