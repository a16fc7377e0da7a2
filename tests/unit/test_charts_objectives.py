"""The picture of the exam objectives says in words and shapes what its colours say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from helpers import charts
from helpers.catalogue import ObjectiveStanding, load_exam
from helpers.charts.theme import LIGHT

EXAM = load_exam()


def standings(found: Mapping[str, tuple[int, int, str | None]]) -> tuple[ObjectiveStanding, ...]:
    """Every objective, with what is done of how many questions and the next lesson for those that are named."""
    return tuple(_standing(section, objective, found) for section in EXAM.sections for objective in section.objectives)


def _standing(section: Any, objective: Any, found: Mapping[str, tuple[int, int, str | None]]) -> ObjectiveStanding:
    done, questions, following = found.get(objective.id, (0, 0, None))
    share = done / questions if questions else 0.0
    return ObjectiveStanding(objective.id, objective.text, section, 0, 0, done, questions, share, following)


SOME = {"2.1": (4, 4, None), "2.3": (1, 4, "06_schema_evolution"), "4.1": (0, 3, "12_jobs")}


def written(chart: charts.Chart) -> list[str]:
    return [annotation.text for annotation in chart.figure.layout.annotations]


def test_all_33_objectives_and_7_weighted_sections_are_there() -> None:
    chart = charts.exam_objectives(standings(SOME))
    ids = [name for trace in chart.figure.data for name in trace.ids]
    assert sorted(ids) == sorted(objective.id for section in EXAM.sections for objective in section.objectives)
    headings = [text for text in written(chart) if "% of the exam" in text]
    assert [(section.title in text, f"{section.weight_percent} %" in text) for section, text in
            zip(EXAM.sections, headings, strict=True)] == [(True, True)] * 7


def test_each_state_has_a_word_a_sign_and_a_colour_of_its_own() -> None:
    chart = charts.exam_objectives(standings(SOME))
    looks = {trace.name: (trace.marker.symbol, trace.marker.color, trace.ids) for trace in chart.figure.data}
    assert {name: ids for name, (_, _, ids) in looks.items() if name != "no lesson yet"} == {
        "done": ("2.1",),
        "begun": ("2.3",),
        "not begun": ("4.1",),
    }
    assert len(looks["no lesson yet"][2]) == 30
    assert len({symbol for symbol, _, _ in looks.values()}) == len({colour for _, colour, _ in looks.values()}) == 4
    assert {"all 4 done", "1 of 4 done", "0 of 3 done", "no lesson yet"} <= set(written(chart))


def test_an_objective_without_a_lesson_is_dotted_and_has_no_bar() -> None:
    shapes = charts.exam_objectives(standings(SOME)).figure.layout.shapes
    dotted = [shape for shape in shapes if shape.line.dash == "dot"]
    bars = [shape.x1 - shape.x0 for shape in shapes if shape.fillcolor in (LIGHT.green, LIGHT.blue, LIGHT.amber)]
    assert len(dotted) == 30
    assert [round(length / 0.95, 2) for length in bars] == [1.0, 0.25, 0.0]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (SOME, "1 of 33 done, 1 begun, 1 not begun, 30 without a lesson. Next: lesson 06_schema_evolution."),
        ({"2.1": (4, 4, None)}, "1 of 33 done, 32 without a lesson. Everything that has a lesson is done."),
        ({}, "0 of 33 done, 33 without a lesson. There is no lesson yet."),
    ],
)
def test_the_title_says_how_far_you_are_and_what_is_next(
    found: Mapping[str, tuple[int, int, str | None]], said: str
) -> None:
    chart = charts.exam_objectives(standings(found))
    assert chart.title == f"Exam objectives: {said}"


def test_the_text_twin_says_what_the_tiles_say() -> None:
    text = charts.exam_objectives(standings(SOME)).text
    assert "\n" not in text
    assert "2 Data Ingestion and Loading (21 %): 2.1 all 4 done, 2.3 1 of 4 done, no lesson yet for 2.2, 2.4" in text
    assert "5 Implementing CI/CD (10 %): no lesson yet for 5.1, 5.2, 5.3, 5.4;" in text


def test_the_dark_picture_is_the_same_one_in_dark_colours() -> None:
    some = standings(SOME)
    turned = charts.exam_objectives(some).in_theme("dark").figure
    assert turned.to_plotly_json() == charts.exam_objectives(some, theme="dark").figure.to_plotly_json()


def test_no_line_of_a_tile_is_longer_than_the_tile() -> None:
    chart = charts.exam_objectives(standings({}))
    texts = [text for text in written(chart) if "<b>" not in text]
    assert max(len(line) for text in texts for line in text.split("<br>")) <= 26


def test_without_objectives_it_says_so() -> None:
    assert "nothing to show yet" in charts.exam_objectives(()).text
