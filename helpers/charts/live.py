"""A pipeline graph that fills in while an update runs."""

from collections.abc import Callable

from helpers.charts.chart import Chart
from helpers.charts.inputs import UpdateDict
from helpers.charts.pipeline import pipeline_graph
from helpers.charts.theme import ThemeName


def show_live(*, theme: ThemeName = "light") -> Callable[[UpdateDict], None]:
    """Show an empty graph now and return the function that redraws it in place, given the update as it stands.

    It needs no widget: the same output is replaced, in JupyterLab, under papermill and on Databricks. An update that
    changes nothing is not redrawn. Without a notebook each new graph prints its text.
    """
    from IPython.display import display  # here, so that a command that only draws does not load IPython

    shown = pipeline_graph({}, theme=theme)
    handle = display(shown, display_id=True)

    def on_event(update: UpdateDict) -> None:
        nonlocal shown
        drawn: Chart = pipeline_graph(update, theme=theme)
        if (drawn.title, drawn.text) == (shown.title, shown.text):
            return
        shown = drawn
        if handle is None:
            print(drawn.text)
        else:
            handle.update(drawn)

    return on_event
