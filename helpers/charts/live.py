"""A chart that fills in while an update or a job runs."""

from collections.abc import Callable
from typing import Any

from helpers.charts.chart import Chart
from helpers.charts.inputs import RunDict, UpdateDict
from helpers.charts.pipeline import pipeline_graph
from helpers.charts.theme import ThemeName


def show_live(draw: Callable[..., Chart] = pipeline_graph, *, theme: ThemeName = "light") -> Callable[[Any], None]:
    """Show an empty chart now and return the function that redraws it in place, given the update or run as it stands.

    It needs no widget: the same output is replaced, in JupyterLab, under papermill and on Databricks. A change that
    alters nothing is not redrawn. Without a notebook each new chart prints its text.
    """
    from IPython.display import display  # here, so that a command that only draws does not load IPython

    shown = draw({}, theme=theme)
    handle = display(shown, display_id=True)

    def on_event(state: UpdateDict | RunDict) -> None:
        nonlocal shown
        drawn = draw(state, theme=theme)
        if (drawn.title, drawn.text) == (shown.title, shown.text):
            return
        shown = drawn
        if handle is None:
            print(drawn.text)
        else:
            handle.update(drawn)

    return on_event
