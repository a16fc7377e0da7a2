"""The tasks of one run as a graph, from left to right, with the path that decided how long the run took."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from helpers.charts import boxes
from helpers.charts.attempts import NO_RUN_YET, Link, deciding_path
from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.inputs import RunDict, state_word
from helpers.charts.layout import Layout, layered
from helpers.charts.tasks import TaskInRun, link_text, tally, tasks_of
from helpers.charts.texts import count, cut, label, plain, seconds
from helpers.charts.theme import THEMES, Theme, ThemeName, status_style

_MANY = 24  # tasks; with more, a box has two lines
_PAGE_PIXELS = 1240  # a wider graph keeps its width and is scrolled
_THICK = 3.5
_NAME_WIDTH = 25
_MOST_TOLD, _MOST_LINKS = 6, 9  # in the text
_ROW_PIXELS = {False: boxes.ROW_PIXELS, True: 50}
_NAME_LINE = {False: boxes.NAME_LINE, True: -0.17}
_LINES = {False: boxes.LINES, True: (0.19,)}


def job_graph(run: RunDict, *, theme: ThemeName = "light") -> Chart:
    """Draw the tasks of a run, ended or under way, as `helpers.jobs` records it; a task that never ran is hollow.

    A thick line is the path that decided the time: back from the task that ended last, each time to the upstream task
    that ended last. Of a repaired run it is that of the last repair.
    """
    colours, title = THEMES[theme], f"Tasks of {plain(run.get('run_name') or 'the job')}"
    tasks = tasks_of(run)
    if not tasks:
        return empty_chart(title=title, next_step=NO_RUN_YET, theme=colours)
    inputs = {key: task.last.get("depends_on") or [] for key, task in tasks.items()}
    layout, path, many = layered(inputs, groups={key: key for key in tasks}), deciding_path(run), len(tasks) > _MANY
    figure, canvas = go.Figure(), boxes.Canvas(colours)
    _add_edges(canvas, layout, tasks, path)
    for key, task in tasks.items():
        _add_task(canvas, layout.at[key], task, many=many)
    canvas.put_on(figure)
    legend = bool(path) and len(tasks) > 1
    if legend:
        line = {"color": colours.text, "width": _THICK}
        name = f"path that decided the time{_of(run)}"
        figure.add_scatter(name=name, mode="lines", x=[None], y=[None], line=line)
    _add_names(figure, layout, tasks, many=many, theme=colours)
    width = boxes.fit_axes(figure, layout)
    figure.update_layout(width=width if width > _PAGE_PIXELS else None)
    return finish(
        figure,
        title=f"{title}: {state_word(run.get('state'))}",
        text=_text(run, tasks, path),
        theme=colours,
        height=round(layout.rows * _ROW_PIXELS[many]) + 16,
        legend=legend,
        wide=True,
        min_width=width,
    )


def _add_edges(canvas: boxes.Canvas, layout: Layout, tasks: Mapping[str, TaskInRun], path: Sequence[Link]) -> None:
    theme, decided = canvas.theme, set(itertools.pairwise(link.task_key for link in path))
    for pair, points in sorted(layout.edges.items(), key=lambda edge: edge[0] in decided):
        status = tasks[pair[1]].status
        dash = "dot" if status == "EXCLUDED" else "solid"
        colour = theme.blue if status == "RUNNING" else theme.hollow
        colour, width = (theme.text, _THICK) if pair in decided else (colour, 1.2)
        canvas.edge(points, colour=colour, width=width, dash=dash)


def _add_task(canvas: boxes.Canvas, place: boxes.Place, task: TaskInRun, *, many: bool) -> None:
    theme, colour = canvas.theme, canvas.theme.role(status_style(task.status).role)
    edge = theme.text if task.link else (theme.rule if task.status == "SUCCESS" else colour)
    width = 2.2 if task.link else 1.2
    canvas.box(place, colour=colour, edge=edge, begun=task.begun, dotted=not task.begun, width=width)
    kind = [plain(task.last["type"]).replace("_", " ")] if task.last.get("type") and not many else []
    state = " · ".join([*kind, task.status, *(task.times[:1] if many else task.tries)])
    said = (task.outcome or task.iterations, theme.text)
    said = (boxes.shortened([task.error]), theme.vermillion) if task.error else said
    canvas.lines(place, [(state, colour), (" · ".join(task.times), theme.text), said], at=_LINES[many])


def _add_names(figure: go.Figure, layout: Layout, tasks: Mapping[str, TaskInRun], *, many: bool, theme: Theme) -> None:
    """Put the name and the shape of its state on each box."""
    styles = [status_style(task.status) for task in tasks.values()]
    figure.add_scatter(
        name="tasks",
        mode="markers+text",
        ids=list(tasks),
        x=[layout.at[key][0] - boxes.HALF_WIDTH + 0.065 for key in tasks],
        y=[layout.at[key][1] + _NAME_LINE[many] for key in tasks],
        text=[f"\u00a0<b>{label(key, width=_NAME_WIDTH)}</b>" for key in tasks],
        textposition="middle right",
        textfont={"size": 11, "color": theme.text},
        hovertext=[task.hover for task in tasks.values()],
        hoverinfo="text",
        cliponaxis=False,
        showlegend=False,
        marker={
            "symbol": [style.symbol for style in styles],
            "color": [theme.role(style.role) for style in styles],
            "size": 10,
        },
    )


def _text(run: RunDict, tasks: Mapping[str, TaskInRun], path: Sequence[Link]) -> str:
    head = f"{plain(run.get('run_name') or 'Job')}, run {state_word(run.get('state'))}"
    states = tally(Counter(task.status for task in tasks.values()))
    said = [f"{head}: {count(len(tasks), 'task')} ({states})"]
    if path:
        whole = seconds(sum(link.waited + link.ran for link in path))
        was = "was" if (run.get("state") or {}).get("result_state") else "is so far"
        said.append(f"the time{_of(run)}, {whole}, {was} decided by {_chain(path)}")
    told = [one for one in map(_told, tasks.values()) if one]
    said += told[:_MOST_TOLD]
    more = len(told) - _MOST_TOLD
    return "; ".join([*said, *([f"and {more} tasks more"] if more > 0 else [])]) + "."


def _told(task: TaskInRun) -> str:
    """Return what there is to say of a task, and nothing of one that just succeeded."""
    known = [one for one in (task.outcome, task.iterations, cut(task.error, width=160) if task.error else "") if one]
    if not known and task.status == "SUCCESS":
        return ""
    return " ".join([plain(task.key), task.status, *(f"({one})" for one in known)])


def _chain(path: Sequence[Link]) -> str:
    links = [link_text(link) for link in path]
    if len(links) > _MOST_LINKS:
        links = [*links[:4], f"{len(links) - 7} more", *links[-3:]]
    return " → ".join(links)


def _of(run: RunDict) -> str:
    return " of the last repair" if len(run.get("repair_history") or []) > 1 else ""
