"""One JSON object of a question file that knows where it stands, so that each complaint names its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from helpers.quiz.errors import QuestionBankError


@dataclass(frozen=True)
class Entry:
    """An object in a file; ``where`` is file and question, ``path`` the way from there to this object."""

    data: Mapping[str, Any]
    where: str
    path: str = ""

    def fail(self, field: str, why: str) -> NoReturn:
        """Refuse the file because of this field."""
        raise QuestionBankError(f"{self.where}, {self.path}{field}: {why}")

    def only(self, known: Collection[str]) -> None:
        """Refuse fields that nobody reads: they are misspelled, or belong to another kind."""
        for field in self.data:
            if field not in known:
                self.fail(field, f"unknown here. Known are {', '.join(sorted(known))}.")

    def text(self, field: str) -> str:
        """A text that must be there and not be empty."""
        value = self.data.get(field)
        if not isinstance(value, str) or not value.strip():
            self.fail(field, "is missing or empty: write a text." if value in (None, "") else "must be a text.")
        return value

    def optional(self, field: str) -> str:
        """A text that may be left out."""
        return self.text(field) if field in self.data else ""

    def flag(self, field: str) -> bool:
        """A true or false that is false when left out."""
        value = self.data.get(field, False)
        if not isinstance(value, bool):
            self.fail(field, "must be true or false.")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        """A list of at least one text, none of them twice."""
        values = self._list(field)
        if not values or not all(isinstance(value, str) and value.strip() for value in values):
            self.fail(field, "must be a list of one or more texts.")
        self.distinct(field, values)
        return tuple(values)

    def entries(self, field: str, *, name: str) -> Iterator[Entry]:
        """The objects of a list; in complaints each is called by its field ``name``, or by its place."""
        for place, value in enumerate(self._list(field)):
            if not isinstance(value, Mapping):
                self.fail(f"{field}[{place}]", "must be an object.")
            yield Entry(value, self.where, f"{self.path}{field}[{value.get(name, place)}].")

    def distinct(self, field: str, values: Collection[str]) -> None:
        """Refuse a value that comes twice."""
        seen: set[str] = set()
        for value in values:
            if value in seen:
                self.fail(field, f"{value!r} is there twice.")
            seen.add(value)

    def _list(self, field: str) -> list[Any]:
        value = self.data.get(field, [])
        if not isinstance(value, list):
            self.fail(field, "must be a list.")
        return value
