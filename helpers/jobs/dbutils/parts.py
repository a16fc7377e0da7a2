"""What every part of dbutils does: it helps, and says what it has when asked for what it has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NoReturn

from helpers.errors import LakeprepError


class NotEmulated(LakeprepError, AttributeError):
    """A part of dbutils that exists on Databricks only."""


class Part:
    """A part of dbutils; `_instead` says of what is missing what to do."""

    _name: ClassVar[str] = "dbutils"
    _instead: ClassVar[Mapping[str, str]] = {}

    def help(self, method: str = "") -> None:
        """Print what is here, or one method of it."""
        found = {name: item for name, item in self._public() if method in ("", name)}
        if not found:
            getattr(self, method)
        print("\n".join([self._name, *(f"  {_line(name, item)}" for name, item in found.items())]))

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_"):
            raise AttributeError(name)
        has = [known for known, _ in self._public()]
        instead = f"; {self._instead[name]}" if name in self._instead else ""
        listed = f"{', '.join(has[:-1])} and {has[-1]}" if len(has) > 1 else has[0]
        raise NotEmulated(f"{self._name}.{name} exists on Databricks only; here {self._name} has {listed}{instead}")

    def _public(self) -> Iterator[tuple[str, Any]]:
        """The parts and methods that are here, in the order in which they are written."""
        for names in (vars(self), vars(type(self))):
            yield from ((name, getattr(self, name)) for name in names if not name.startswith("_") and name != "help")


def _line(name: str, item: Any) -> str:
    """One part or method: how it is called, and its docstring's first line."""
    import inspect

    said = (inspect.getdoc(item) or "").partition("\n")[0]
    if not callable(item):
        return f"{name}: {said}"
    signature = inspect.signature(item)
    plain = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
    bare = signature.replace(parameters=plain, return_annotation=signature.empty)
    return f"{name}{bare}" + (f": {said}" if said else "")
