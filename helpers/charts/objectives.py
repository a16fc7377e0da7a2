"""The exam at a glance: a tile an objective, a row a section, and how much of each is done."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import plotly.graph_objects as go

from helpers.charts.boxes import Canvas
from helpers.charts.chart import Chart, empty_chart, finish
from helpers.charts.texts import count, label, plain
from helpers.charts.theme import THEMES, Theme, ThemeName

if TYPE_CHECKING:
    from helpers.catalogue import ObjectiveStanding
    from helpers.exam import Section

_TILE_PIXELS = 166
_ROW_PIXELS = 144
_GAP = 0.05  # of a tile, on its right
_HEADING = 0.19  # of a row, above the tiles
_FOOT = 0.1  # of a row, below them
_BAR = 0.05  # of a row, the height of the bar at a tile's bottom
_TEXT_LINES = 5
_TEXT_WIDTH = 25


@dataclass(frozen=True)
class _State:
    """How an objective stands: its word in the legend, its colour role and its marker."""

    word: str
    role: str
    symbol: str


_DONE = _State("done", "green", "circle")
_BEGUN = _State("begun", "blue", "triangle-right")
_OPEN = _State("not begun", "amber", "circle-open")
_NO_LESSON = _State("no lesson yet", "hollow", "diamond-open")
_STATES = (_DONE, _BEGUN, _OPEN, _NO_LESSON)


@dataclass(frozen=True)
class _Tile:
    """One objective with the place of its upper left corner, in tiles and rows."""

    one: ObjectiveStanding
    state: _State
    x: int
    y: float


def exam_objectives(standings: Sequence[ObjectiveStanding], *, theme: ThemeName = "light") -> Chart:
    """Draw the objectives of the exam, as `helpers.catalogue.standing` gives them; what to do next is in the title."""
    colours, title = THEMES[theme], "Exam objectives"
    if not standings:
        return empty_chart(title=title, next_step="There is no exam to draw.", theme=colours)
    rows = [list(own) for _, own in itertools.groupby(standings, key=lambda one: one.section.number)]
    tiles = [
        _Tile(one, _state(one), x, y + _HEADING) for y, row in enumerate(rows) for x, one in enumerate(row)
    ]
    figure, canvas = go.Figure(), Canvas(colours)
    for y, row in enumerate(rows):
        _write(canvas, _heading(row), x=0, y=y + _HEADING / 2, ink=colours.text, size=13)
    for tile in tiles:
        _add_tile(canvas, tile)
    canvas.put_on(figure)
    _add_marks(figure, tiles, theme=colours)
    width = max(map(len, rows))
    figure.update_xaxes(visible=False, range=[-0.01, width])
    figure.update_yaxes(visible=False, range=[len(rows), 0])
    figure.update_layout(hovermode="closest", hoverdistance=60, legend={"traceorder": "normal"})
    return finish(
        figure,
        title=f"{title}: {_tally(standings)}. {next_words(standings)}",
        text=f"{title}: {_tally(standings)}. {next_words(standings)} {'; '.join(map(_row_text, rows))}.",
        theme=colours,
        height=len(rows) * _ROW_PIXELS,
        legend=True,
        wide=True,
        min_width=width * _TILE_PIXELS,
    )


def next_words(standings: Sequence[ObjectiveStanding]) -> str:
    """Say what to do next in one sentence."""
    following = min((one.next for one in standings if one.next), default=None)
    if following:
        return f"Next: lesson {plain(following)}."
    return "Everything that has a lesson is done." if any(one.all for one in standings) else "There is no lesson yet."


def _state(one: ObjectiveStanding) -> _State:
    if not one.all:
        return _NO_LESSON
    return _DONE if one.done == one.all else _BEGUN if one.done else _OPEN


def _tally(standings: Sequence[ObjectiveStanding]) -> str:
    states = [_state(one) for one in standings]
    words = {_BEGUN: "begun", _OPEN: "not begun", _NO_LESSON: "without a lesson"}
    rest = [f"{states.count(state)} {word}" for state, word in words.items() if state in states]
    return ", ".join([f"{states.count(_DONE)} of {count(len(standings))} done", *rest])


def _heading(row: Sequence[ObjectiveStanding]) -> str:
    section: Section = row[0].section
    share = f"{section.weight_percent} % of the exam"
    return f"<b>{section.number} {label(section.title)}</b>\u2002{share}\u2002·\u2002{_sums(row)}"


def _sums(row: Sequence[ObjectiveStanding]) -> str:
    done = sum(_state(one) is _DONE for one in row)
    return f"{done} of {count(len(row), 'objective')} done"


def _row_text(row: Sequence[ObjectiveStanding]) -> str:
    section = row[0].section
    said = [f"{one.id} {_words(one)}" for one in row if one.all]
    if missing := [one.id for one in row if not one.all]:
        said.append(f"no lesson yet for {', '.join(missing)}")
    return f"{section.number} {plain(section.title)} ({section.weight_percent} %): {', '.join(said)}"


def _words(one: ObjectiveStanding) -> str:
    if not one.all:
        return _NO_LESSON.word
    return f"all {one.all} done" if one.done == one.all else f"{one.done} of {one.all} done"


def _add_tile(canvas: Canvas, tile: _Tile) -> None:
    """Draw a tile: id and words on top, the text, and a bar; without a lesson it is dotted and has no bar."""
    theme, one, left, right = canvas.theme, tile.one, tile.x, tile.x + 1 - _GAP
    bottom, treated = tile.y + 1 - _HEADING - _FOOT, tile.state is not _NO_LESSON
    ink = theme.role(tile.state.role)
    box = {"type": "rect", "x0": left, "x1": right, "y0": tile.y, "y1": bottom, "layer": "below"}
    edge = {"color": theme.rule if treated else theme.hollow, "width": 1, "dash": "solid" if treated else "dot"}
    canvas.shapes.append({**box, "fillcolor": theme.page if treated else theme.surface, "line": edge})
    words = _words(one)
    _write(canvas, words, x=right, y=tile.y + 0.09, ink=ink if treated else theme.muted, shift=-6, anchor="right")
    _write(canvas, f"<b>{label(one.id)}</b>", x=left, y=tile.y + 0.09, ink=theme.text, shift=22)
    _write(
        canvas,
        _wrapped(one.text),
        x=left,
        y=tile.y + 0.18,
        ink=theme.text if treated else theme.muted,
        shift=8,
        size=10,
        top=True,
    )
    if treated:
        bar = {**box, "y0": bottom - _BAR, "line": {"width": 0}}
        canvas.shapes.append({**bar, "fillcolor": theme.rule})
        canvas.shapes.append({**bar, "x1": left + (right - left) * one.share, "fillcolor": ink})


def _add_marks(figure: go.Figure, tiles: Sequence[_Tile], *, theme: Theme) -> None:
    """Put the sign of its state on each tile, one legend entry a state."""
    for state in _STATES:
        own = [tile for tile in tiles if tile.state is state]
        figure.add_scatter(
            name=state.word,
            mode="markers",
            x=[tile.x + 0.075 for tile in own],
            y=[tile.y + 0.09 for tile in own],
            ids=[tile.one.id for tile in own],
            hovertext=[_hover(tile.one) for tile in own],
            hoverinfo="text",
            cliponaxis=False,
            showlegend=bool(own),
            marker={
                "symbol": state.symbol,
                "size": 10,
                "color": theme.role(state.role),
                "line": {"color": theme.role(state.role), "width": 2},
            },
        )


def _hover(one: ObjectiveStanding) -> str:
    done = f"{one.exercises_done} of {count(one.exercises, 'exercise')}"
    right = f"{one.questions_right} of {count(one.questions, 'question')} right"
    said = f"{done}, {right}" if one.all else _NO_LESSON.word
    following = f"next: lesson {plain(one.next)}" if one.next else ""
    text = textwrap.wrap(f"{one.id} {plain(one.text)}", 70)
    return "<br>".join(label(line, width=120) for line in (*text, said, following) if line)


def _wrapped(text: str) -> str:
    # A setting's name is broken at its last dot rather than anywhere.
    words = (word if len(word) <= _TEXT_WIDTH else ". ".join(word.rsplit(".", 1)) for word in plain(text).split())
    lines = textwrap.wrap(" ".join(words).replace("`", ""), _TEXT_WIDTH, max_lines=_TEXT_LINES, placeholder=" …")
    return "<br>".join(label(line) for line in lines)


def _write(
    canvas: Canvas,
    text: str,
    *,
    x: float,
    y: float,
    ink: str,
    size: int = 11,
    shift: int = 0,
    anchor: str = "left",
    top: bool = False,
) -> None:
    canvas.texts.append(
        {
            "text": text,
            "x": x,
            "y": y,
            "xshift": shift,
            "xanchor": anchor,
            "yanchor": "top" if top else "middle",
            "align": "left",
            "showarrow": False,
            "borderpad": 0,
            "font": {"size": size, "color": ink},
        }
    )
