"""What can go wrong before a stream starts, and how to recognise a stream that met a new field."""

from __future__ import annotations

from helpers.errors import LakeprepError

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
    """Whether a stream stopped because a file has new fields; a restart reads them."""
    seen: set[int] = set()
    current: BaseException | None = exc
    while current is not None and id(current) not in seen:
        if NEW_FIELDS in str(current):
            return True
        seen.add(id(current))
        current = current.__cause__ or current.__context__
    return False
