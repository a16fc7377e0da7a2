"""What can go wrong before a stream starts, and how to recognise a stream that met a new field."""

from __future__ import annotations

from collections.abc import Iterator

from helpers.classic import stack_trace
from helpers.errors import LakeprepError

# helpers/autoloader/evolution.py writes both: it may not import this module.
_RETRY_HELPS = "a retry reads them"
NEW_FIELDS = "UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_RECORD_WITH_FILE_PATH"


class AutoLoaderError(LakeprepError):
    """Base of the errors below."""


class UnsupportedOption(AutoLoaderError):
    """An option, a value or a format that is misspelled, or that exists on Databricks and not here."""


class MissingSchemaLocation(AutoLoaderError):
    """The schema is to be inferred and nobody said where to keep it."""


class EmptyLandingFolder(AutoLoaderError):
    """There is nothing to infer a schema from."""


class LandingFolderNotFound(AutoLoaderError):
    """The folder to read does not exist."""


class UnsupportedPath(AutoLoaderError):
    """A path or a folder layout that cannot be read here."""


class InvalidSchemaHint(AutoLoaderError):
    """A schema hint that does not parse or does not fit the schema."""


class DamagedSchemaFile(AutoLoaderError):
    """A file in the schema location that is not what Auto Loader wrote."""


def is_unknown_field_error(exc: BaseException) -> bool:
    """Whether a stream stopped because a file has new fields, and a restart reads them.

    With `failOnNewColumns` a restart does not help, so the answer is no; `unknown_field_message` knows both.
    """
    return _RETRY_HELPS in (unknown_field_message(exc) or "")


def unknown_field_message(exc: BaseException) -> str | None:
    """The sentences that say which new fields are in which file; None for any other error.

    A stream's error names only the failed write; the cause is in the server's stack trace.
    """
    for text in _texts(exc):
        start = text.find(f"[{NEW_FIELDS}]")
        if start >= 0:
            return text[start:].partition("\n")[0].strip()
    return None


def _texts(exc: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    current: BaseException | None = exc
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield str(current)
        yield stack_trace(current)
        current = current.__cause__ or current.__context__
