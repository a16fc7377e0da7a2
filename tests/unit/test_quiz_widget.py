"""The widget without a browser: what it holds, what it does when clicked, and where it cannot be shown."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient

from helpers.progress import Progress
from helpers.quiz import Quiz, load_questions

ROOT = Path(__file__).resolve().parents[2]
VIEW = "application/vnd.jupyter.widget-view+json"
LESSON = "05_auto_loader"
IDS = [f"05.q{number}" for number in (1, 2, 3)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.jsonl"


def made(path: Path) -> Quiz:
    questions = [question for question in load_questions(LESSON) if question.id in IDS]
    return Quiz(questions, progress=Progress(path), seed="ada")


def shown(quiz: Quiz) -> Any:
    """The box that a notebook shows."""
    model = quiz._repr_mimebundle_()[VIEW]["model_id"]
    return ipywidgets.widgets.widget._instances[model]


def card(quiz: Quiz, question: str) -> tuple[Any, Any, Any]:
    """Input, button and feedback of a question."""
    box = next(each for each in shown(quiz).children[2:] if f"<b>{question}</b>" in each.children[0].value)
    return box.children[1], box.children[2], box.children[3]


def progress_line(quiz: Quiz) -> str:
    return shown(quiz).children[1].value


def test_a_click_answers_remembers_and_shows_feedback(path: Path) -> None:
    quiz = made(path)
    radios, button, feedback = card(quiz, "05.q1")
    assert radios.value is None
    radios.value = "available-now"
    button.click()
    assert "05.q1 is right." in feedback.value
    assert Progress(path).question("05.q1").correct
    assert "1 of 3 right" in progress_line(quiz)


def test_checkboxes_answer_together(path: Path) -> None:
    quiz = made(path)
    boxes, button, feedback = card(quiz, "05.q2")
    chosen = [option.key == "new-checkpoint" for option in quiz.options("05.q2")]
    for box, wanted in zip(boxes.children, chosen, strict=True):
        box.value = wanted
    button.click()
    assert "1 of your 1 is right, 2 are missing." in feedback.value


def test_enter_in_a_text_field_answers_and_its_text_is_escaped(path: Path) -> None:
    quiz = made(path)
    field, _, feedback = card(quiz, "05.q3")
    field.value = "<b>json</b>"
    field._handle_custom_msg({"event": "submit"}, [])
    assert "<b>json</b>" not in feedback.value
    assert "&lt;b&gt;json&lt;/b&gt;" in feedback.value
    assert Progress(path).question("05.q3").chosen == ("<b>json</b>",)


@pytest.mark.parametrize("question", IDS)
def test_a_click_without_an_answer_asks_for_one_and_counts_nothing(path: Path, question: str) -> None:
    _, button, feedback = card(made(path), question)
    button.click()
    assert "Give an answer first." in feedback.value
    assert Progress(path).question(question).attempts == 0


def test_feedback_is_announced_from_a_region_that_is_there_from_the_start(path: Path) -> None:
    for question in IDS:
        feedback = card(made(path), question)[2]
        assert feedback.value.startswith('<div role="status" aria-live="polite"')


def test_an_earlier_answer_is_entered_with_its_feedback(path: Path) -> None:
    earlier = made(path)
    earlier.answer("05.q1", "once")
    earlier.answer("05.q2", "restart-skips", "new-checkpoint")
    earlier.answer("05.q3", "json")
    later = made(path)
    assert card(later, "05.q1")[0].value == "once"
    assert sum(box.value for box in card(later, "05.q2")[0].children) == 2
    assert card(later, "05.q3")[0].value == "json"
    assert "05.q1 is not right." in card(later, "05.q1")[2].value
    assert "0 of 3 right" in progress_line(later)


def test_an_answer_by_call_shows_in_the_widget(path: Path) -> None:
    quiz = made(path)
    radios, _, feedback = card(quiz, "05.q1")
    quiz.answer("05.q1", "available-now")
    assert radios.value == "available-now"
    assert "05.q1 is right." in feedback.value
    assert "1 of 3 right" in progress_line(quiz)


def test_an_answer_that_cannot_be_saved_says_so(path: Path) -> None:
    quiz = made(path)
    radios, button, feedback = card(quiz, "05.q1")
    path.mkdir()
    radios.value = "once"
    button.click()
    assert "Your answer was not saved:" in feedback.value


def test_every_input_has_a_label_for_a_screen_reader(path: Path) -> None:
    quiz = made(path)
    radios, button, _ = card(quiz, "05.q1")
    assert all(label[:3] in ("a) ", "b) ", "c) ", "d) ") for label, _ in radios.options)
    assert button.description == "Check 05.q1"
    assert all(box.description for box in card(quiz, "05.q2")[0].children)
    assert card(quiz, "05.q3")[0].description == "Gap of 05.q3"


def test_without_ipywidgets_a_quiz_is_its_text(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == "ipywidgets" or name == "helpers.quiz.widget":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    quiz = made(path)
    monkeypatch.setattr(builtins, "__import__", without)
    assert quiz._repr_mimebundle_() == {"text/plain": quiz.text()}


def test_a_widget_that_fails_leaves_the_text_and_the_reason(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no comm here")

    quiz = made(path)
    monkeypatch.setattr(ipywidgets, "Layout", fail)
    bundle = quiz._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert bundle["text/plain"].startswith(quiz.text())
    assert "no comm here" in bundle["text/plain"]


def test_one_quiz_that_is_shown_twice_is_one_widget(path: Path) -> None:
    quiz = made(path)
    assert quiz._repr_mimebundle_()[VIEW] == quiz._repr_mimebundle_()[VIEW]


def test_a_notebook_without_a_front_end_runs_and_stays_small(tmp_path: Path) -> None:
    setup = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\n"
        "from helpers.progress import Progress\n"
        "from helpers.quiz import Quiz, load_questions\n"
        f"progress = Progress(Path({str(tmp_path / 'progress.jsonl')!r}))\n"
        f"quiz = Quiz(load_questions({LESSON!r}), progress=progress, seed='ada')\n"
        "quiz"
    )
    cells = [nbformat.v4.new_code_cell(source) for source in (setup, 'quiz.answer("05.q1", "once")')]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=str(tmp_path))
    first, second = (cell.outputs[0].data for cell in notebook.cells)
    assert first["text/plain"].startswith("0 of 10 right")
    assert second["text/plain"].startswith("✗ 05.q1 is not right.")
    assert len(json.dumps([cell.outputs for cell in notebook.cells])) < 16_000
    assert len(json.dumps(notebook)) < 120_000
