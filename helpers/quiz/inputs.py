"""What a learner answers with: native radio buttons, checkboxes or a text field, each under the same names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import ipywidgets

from helpers.quiz.choices import lettered
from helpers.quiz.model import Option, Question

_CALM_SECONDS = 0.3


class Calm:
    """Runs an action once no more of it was asked for a moment.

    A front end may send a click, or Enter, before the last change of the input that it belongs to: a change waits
    while an earlier one is on its way. So a learner who types fast, or answers while a cell runs, is heard to the end.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._waiting: asyncio.TimerHandle | None = None

    def __call__(self) -> None:
        if self._waiting:
            self._waiting.cancel()
        try:
            self._waiting = asyncio.get_running_loop().call_later(_CALM_SECONDS, self._action)
        except RuntimeError:  # no loop, so no front end either
            self._action()


class Kit:
    """Makes widgets that share one layout and one style a kind: each of these is a model, saved with a notebook."""

    def __init__(self) -> None:
        self._layout = ipywidgets.Layout()
        self._styles: dict[type, Any] = {}

    def make(self, kind: type, **traits: Any) -> Any:
        shared = {"style": self._styles[kind]} if kind in self._styles else {}
        widget = kind(layout=self._layout, **shared, **traits)
        if hasattr(widget, "style"):
            self._styles.setdefault(kind, widget.style)
        return widget

    def html(self, value: str = "") -> Any:
        return self.make(ipywidgets.HTML, value=value)

    def column(self, children: list[Any], *, name: str) -> Any:
        """Widgets below each other, in an element of the CSS class ``name``."""
        box = self.make(ipywidgets.VBox, children=children)
        box.add_class(name)
        return box


class Input(Protocol):
    """A widget with the answer that it holds."""

    widget: Any

    def chosen(self) -> tuple[str, ...]:
        """The keys, or the text, that the learner has entered."""

    def show(self, chosen: tuple[str, ...]) -> None:
        """Enter an earlier answer."""


def make_input(question: Question, options: tuple[Option, ...], *, kit: Kit, submit: Callable[[], None]) -> Input:
    """The input for a kind of question; ``submit`` is called on Enter in a text field."""
    if question.blank:
        return Gap(question, kit=kit, submit=submit)
    # Labels of radio buttons are plain text, so code is not marked in them.
    labels = {option.key: f"{letter}) {option.text.replace('`', '')}" for letter, option in lettered(options).items()}
    return Checks(labels, kit=kit) if question.kind == "multiple" else Radios(labels, kit=kit)


class Radios:
    """One of several."""

    def __init__(self, labels: Mapping[str, str], *, kit: Kit) -> None:
        options = [(label, key) for key, label in labels.items()]
        self.widget = kit.make(ipywidgets.RadioButtons, options=options, value=None)

    def chosen(self) -> tuple[str, ...]:
        return (self.widget.value,) if self.widget.value else ()

    def show(self, chosen: tuple[str, ...]) -> None:
        self.widget.value = chosen[0]


class Checks:
    """Any number of several."""

    def __init__(self, labels: Mapping[str, str], *, kit: Kit) -> None:
        self._boxes = {
            key: kit.make(ipywidgets.Checkbox, description=label, value=False, indent=False)
            for key, label in labels.items()
        }
        self.widget = kit.column(list(self._boxes.values()), name="lakeprep-checks")

    def chosen(self) -> tuple[str, ...]:
        return tuple(key for key, box in self._boxes.items() if box.value)

    def show(self, chosen: tuple[str, ...]) -> None:
        for key, box in self._boxes.items():
            box.value = key in chosen


class Gap:
    """A text of the learner's own."""

    def __init__(self, question: Question, *, kit: Kit, submit: Callable[[], None]) -> None:
        self.widget = kit.make(ipywidgets.Text, description=f"Gap of {question.id}")
        # on_submit is deprecated, and a changed value alone also means that the field was only left.
        self.widget.on_msg(lambda _, content, __: submit() if content.get("event") == "submit" else None)

    def chosen(self) -> tuple[str, ...]:
        return (self.widget.value,) if self.widget.value.strip() else ()

    def show(self, chosen: tuple[str, ...]) -> None:
        self.widget.value = chosen[0]
