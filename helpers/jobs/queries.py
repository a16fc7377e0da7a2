"""Saved queries: the JSON that `databricks queries get ID` prints, in a file `NAME.query.json` beside the definition.

Bundles have no resource for them, so a definition names a query by its id, here as there: the `id` in its file or, in a
file without one, the NAME.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from helpers.jobs.errors import JobError, MissingFile, Mistake, WrongValue

_END = ".query.json"
_OLD_MARKER = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
_KINDS = ("text_value", "numeric_value", "date_value", "enum_value")
_HOME = ("spark_catalog", "hive_metastore")


class QueryFileError(JobError):
    """A saved query that cannot be run as its file says."""


@dataclass(frozen=True)
class SavedQuery:
    """A query's text, where it runs, and its parameters: texts, or numbers."""

    text: str
    schema: str | None
    parameters: Mapping[str, str | Decimal]

    def with_parameters(self, given: Mapping[str, str]) -> dict[str, str | Decimal]:
        """Its parameters with those of a task, which win; a number stays one."""
        told = {name: _number(name, text) if isinstance(self.parameters.get(name), Decimal) else text
                for name, text in given.items()}  # fmt: skip
        return {**self.parameters, **told}


def query_files(folder: Path, query_id: str) -> list[Path]:
    """The files in the folder that hold the query of this id."""
    return [file for file in sorted(folder.glob(f"*{_END}")) if _id(file) == query_id]


def read_query(file: Path) -> SavedQuery:
    """Read a saved query; QueryFileError says what in it has no meaning here."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise QueryFileError(f"{file.name} cannot be read as JSON: {error}") from None
    text = document.get("query_text") if isinstance(document, dict) else None
    if not isinstance(text, str):
        raise QueryFileError(f"{file.name} has no query_text")
    if document.get("catalog", _HOME[0]) not in _HOME:
        said = f"catalog {document['catalog']} is not here; leave it out of the file, tables are found by their schema"
        raise QueryFileError(f"{file.name}: {said}")
    if old := _OLD_MARKER.search(text):
        raise QueryFileError(f"{file.name}: '{old[0]}' is the old form of a parameter; write :{old[1]}")
    given = [_parameter(file, one) for one in document.get("parameters") or ()]
    return SavedQuery(text, document.get("schema"), dict(given))


def mistakes(folder: Path, query_id: str, path: str) -> Iterator[Mistake]:
    """What is wrong with the query that a task names."""
    files = query_files(folder, query_id)
    if not files:
        said = f"no file *{_END} in {folder} has the id '{query_id}' or is named {query_id}{_END}"
        yield MissingFile(f"{said}; save the query there with: databricks queries get ID", path=path)
    elif len(files) > 1:
        yield WrongValue(f"{' and '.join(file.name for file in files)} have the id '{query_id}'", path=path)
    else:
        yield from _in_file(files[0], path)


def _in_file(file: Path, path: str) -> Iterator[Mistake]:
    from databricks.sdk.service.sql import Query

    from helpers.jobs.schema import check, without_empty

    try:
        read_query(file)
    except QueryFileError as error:
        yield WrongValue(str(error), path=path)
        return
    for mistake in check(without_empty(json.loads(file.read_text(encoding="utf-8"))), Query)[1]:
        yield type(mistake)(f"{file.name}, {mistake.path}: {mistake.message}", path=path)


def _id(file: Path) -> str:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = None  # said when the file is the one that a task names
    named = document.get("id") if isinstance(document, dict) else None
    return str(named or file.name.removesuffix(_END))


def _parameter(file: Path, one: Any) -> tuple[str, str | Decimal]:
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        raise QueryFileError(f"{file.name}: a parameter has a name and a value")
    kinds = [field for field in one if field.endswith("_value")]
    if len(kinds) != 1 or kinds[0] not in _KINDS:
        said = f"parameter '{one['name']}' has {' and '.join(kinds) or 'no value'}; one of {', '.join(_KINDS)} works"
        raise QueryFileError(f"{file.name}: {said}")
    kind, held = kinds[0], one[kinds[0]]
    values = {"date_value": held.get("date_value"), "enum_value": held.get("values")}.get(kind, held.get("value"))
    if kind == "enum_value":
        values = values[0] if isinstance(values, list) and len(values) == 1 else None
    if values is None:
        raise QueryFileError(f"{file.name}: parameter '{one['name']}' has no single fixed value in its {kind}")
    return one["name"], _number(one["name"], str(values)) if kind == "numeric_value" else str(values)


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise QueryFileError(f"the query's parameter '{name}' is a number, not '{text}'") from None
    if not number.is_finite():
        raise QueryFileError(f"the query's parameter '{name}' is a number, not '{text}'")
    return number
