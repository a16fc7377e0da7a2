"""The quiz as native form elements; all state is the quiz's, this only shows it and passes answers on."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets

from helpers.errors import LakeprepError
from helpers.quiz import markup
from helpers.quiz.inputs import Calm, Kit, make_input
from helpers.quiz.model import Question
from helpers.quiz.text import TASKS, score_line

if TYPE_CHECKING:
    from helpers.quiz.quiz import Quiz

_CSS = """<style>
.lakeprep-quiz { max-width: 60em; padding: 0 2px; overflow: visible; color: var(--jp-content-font-color1, inherit); }
.lakeprep-quiz .widget-html, .lakeprep-quiz .widget-html-content {
  height: auto; margin: 0; line-height: 1.5; white-space: normal; color: inherit; }
.lakeprep-quiz a { color: var(--jp-content-link-color, inherit); text-decoration: underline; }
.lakeprep-quiz p { margin: 0 0 6px; }
.lakeprep-quiz code { padding: 0 3px; border-radius: 2px; font-family: var(--jp-code-font-family, monospace);
  font-size: .92em; color: inherit; background: var(--jp-layout-color2, rgba(128, 128, 128, .15)); }
.lakeprep-quiz pre { margin: 0 0 8px; padding: 8px 12px; overflow-x: auto; line-height: 1.4; border-radius: 3px;
  color: inherit; background: var(--jp-layout-color2, rgba(128, 128, 128, .15)); }
.lakeprep-quiz pre code { padding: 0; background: none; }
.lakeprep-question { padding: 12px 0; overflow: visible; border-top: 1px solid var(--jp-border-color2, #999); }
.lakeprep-task { color: var(--jp-content-font-color2, inherit); }
.lakeprep-question .widget-vbox, .lakeprep-question .widget-radio, .lakeprep-question .widget-checkbox {
  width: 100%; height: auto; margin: 0; overflow: visible; }
.lakeprep-question .widget-radio-box { width: 100%; margin: 0 !important; }
.lakeprep-question .widget-radio-box label, .lakeprep-question .widget-checkbox label {
  display: flex; align-items: flex-start; gap: 8px; width: 100%; height: auto; margin: 0; padding: 3px 4px;
  line-height: 1.5; white-space: normal; overflow: visible; color: inherit; cursor: pointer; }
.lakeprep-question label input[type=radio], .lakeprep-question label input[type=checkbox] {
  flex: none; order: -1; width: 13px; height: 13px; margin: 3px 0 0; }
.lakeprep-question .widget-text { width: 100%; max-width: 32em; }
.lakeprep-question .widget-text label { width: auto; color: inherit; }
.lakeprep-question .widget-text input { font-family: var(--jp-code-font-family, monospace); }
.lakeprep-question .widget-button { width: auto; align-self: flex-start; margin: 8px 0; padding: 0 16px; }
.lakeprep-question :focus-visible { outline: 2px solid var(--jp-brand-color1, currentColor); outline-offset: 1px; }
.lakeprep-quiz .jupyter-widgets-disconnected::before { content: none; }
.lakeprep-quiz.jupyter-widgets-disconnected .widget-button { display: none; }
.lakeprep-quiz.jupyter-widgets-disconnected::before { font: inherit; font-weight: bold; color: inherit;
  content: "This quiz has lost its kernel. Run its cell again: your answers are kept."; }
</style>"""


class QuizView:
    """The widgets of one quiz; ``box`` is what a notebook displays."""

    def __init__(self, quiz: Quiz) -> None:
        self._quiz = quiz
        kit = Kit()
        self._progress = kit.html()
        self._cards = {each.id: _Card(quiz, each, kit=kit, answered=self._progressed) for each in quiz.questions}
        boxes = [kit.html(_CSS), self._progress, *(card.box for card in self._cards.values())]
        self.box = kit.column(boxes, name="lakeprep-quiz")
        self._progressed()

    def refresh(self, question_id: str) -> None:
        """Show an answer that was given by a call."""
        self._cards[question_id].resume()
        self._progressed()

    def _progressed(self) -> None:
        self._progress.value = f"<p><b>{score_line(self._quiz.score)}</b></p>"


class _Card:
    """One question: its text, its input, a button, and the region where feedback is announced."""

    def __init__(self, quiz: Quiz, question: Question, *, kit: Kit, answered: Callable[[], None]) -> None:
        self._quiz, self._question, self._answered = quiz, question, answered
        submit = Calm(self._submit)
        self._input = make_input(question, quiz.options(question.id), kit=kit, submit=submit)
        self._feedback = kit.html()
        button = kit.make(ipywidgets.Button, description=f"Check {question.id}")
        button.on_click(lambda _: submit())
        parts = [kit.html(_head(question)), self._input.widget, button, self._feedback]
        self.box = kit.column(parts, name="lakeprep-question")
        self._say("")
        self.resume()

    def resume(self) -> None:
        """Enter the last answer and show what was said to it."""
        if standing := self._quiz.standing(self._question.id):
            self._input.show(standing.chosen)
            self._say(markup.feedback(standing))

    def _submit(self) -> None:
        chosen = self._input.chosen()
        if not chosen:
            self._say("<p>Give an answer first.</p>")
            return
        try:
            feedback = self._quiz.submit(self._question.id, *chosen)
        except (LakeprepError, OSError) as error:
            # An error in a widget's callback would only reach a log that nobody reads.
            self._say(f"<p>Your answer was not saved: {html.escape(str(error))}</p>")
            return
        self._say(markup.feedback(feedback))
        self._answered()

    def _say(self, content: str) -> None:
        # The region is there from the start, so that a screen reader knows it before it changes.
        self._feedback.value = f'<div role="status" aria-live="polite" aria-atomic="true">{content}</div>'


def _head(question: Question) -> str:
    task = f'<p class="lakeprep-task"><b>{question.id}</b> · {TASKS[question.kind]}</p>'
    code = markup.code_block(question.code) if question.code else ""
    return task + markup.paragraphs(question.stem) + code
