"""dbutils.widgets: a notebook's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from helpers.errors import LakeprepError
from helpers.jobs.dbutils.parts import Part


class InputWidgetNotDefined(LakeprepError):
    """A widget is read that nobody made and no parameter fills."""


class Widgets(Part):
    """Each value is a string, and a parameter of the job wins over a widget's default."""

    _name = "dbutils.widgets"

    def __init__(self, parameters: Mapping[str, str]) -> None:
        self._parameters = dict(parameters)
        self._defaults: dict[str, str] = {}

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:
        """Make a widget of free text."""
        del label
        self._defaults.setdefault(name, _string(name, defaultValue))

    def combobox(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        """Make a widget of choices that takes other text too."""
        del choices
        self.text(name, defaultValue, label)

    def dropdown(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        """Make a widget of choices."""
        if defaultValue not in choices:
            raise ValueError(f"the default '{defaultValue}' of widget '{name}' is none of its choices {list(choices)}")
        self.text(name, defaultValue, label)

    def multiselect(self, name: str, defaultValue: str, choices: Sequence[str], label: str | None = None) -> None:
        """Make a widget of choices of which several may be chosen; its value has commas between them."""
        self.dropdown(name, defaultValue, choices, label)

    def get(self, name: str) -> str:
        """Give a widget's or a parameter's value."""
        values = self.getAll()
        if name not in values:
            said = f"call dbutils.widgets.text('{name}', ...) first, or pass it to the task"
            raise InputWidgetNotDefined(f"no widget or parameter is named '{name}'; {said}")
        return values[name]

    def getArgument(self, name: str, defaultValue: str | None = None) -> str | None:
        """The old form of get, with a default."""
        return self.getAll().get(name, defaultValue) if defaultValue is not None else self.get(name)

    def getAll(self) -> dict[str, str]:
        """Give every value by name."""
        return {**self._defaults, **self._parameters}

    def remove(self, name: str) -> None:
        """Remove a widget."""
        if name not in self._defaults:
            raise InputWidgetNotDefined(f"no widget is named '{name}', so it cannot be removed")
        del self._defaults[name]

    def removeAll(self) -> None:
        """Remove every widget."""
        self._defaults.clear()


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"the default of widget '{name}' is a string, not {type(value).__name__}")
    return value
