"""What a stream does when a file has a new field: record it and stop, only stop, or go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpers.autoloader.json_types import VOID, Type, add_fields, as_strings, kind, names, struct
from helpers.autoloader.schema_store import SchemaStore

_STOPPING = ("addNewColumns", "failOnNewColumns")


class UnknownFields(Exception):
    """A file has fields that the schema does not have."""


@dataclass(frozen=True)
class Evolution:
    """The fields that a stream reads from its files, and its `cloudFiles.schemaEvolutionMode`.

    With `addNewColumns` a new field is recorded in the schema location, with its own type (`typed`) or as a string.
    `reserved` are lower-case names of columns that are not read from the files: a field of that name is never new.
    """

    schema: dict[str, Any]
    mode: str
    location: str = ""
    typed: bool = True
    reserved: frozenset[str] = frozenset()

    @property
    def stops(self) -> bool:
        """Whether a new field stops the stream; else it is rescued, or dropped where nothing is rescued."""
        return self.mode in _STOPPING

    def unreserved(self, new: Type) -> Type:
        """A fragment of new fields without the reserved ones; void when none is left."""
        if kind(new) != "struct":
            return new
        kept = [each for each in new["fields"] if each["name"].lower() not in self.reserved]  # type: ignore[index]
        return struct(kept) if kept else VOID

    def error(self, new: Type, path: str) -> UnknownFields:
        """What to stop with; with `addNewColumns`, the next version of the schema is written before."""
        fields = ", ".join(f"`{name}`" for name in names(new))
        # The error condition is written out: this module is sent to servers that may not have the package.
        return UnknownFields(
            "[UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_RECORD_WITH_FILE_PATH] "
            f"Unknown fields {fields} in the file {path}. {self._advice(new)}"
        )

    def _advice(self, new: Type) -> str:
        if self.mode == "failOnNewColumns":
            return ("Nothing of this micro-batch was written, and with failOnNewColumns the schema stays as it is, so "
                    "a retry stops here again. Give the fields with cloudFiles.schemaHints (or in your own schema), "
                    "or remove the file; then run the cell with readStream … load() and the query again.")
        return (f"The schema location {self.location} has them now (version {self._record(new)}), and nothing of this "
                "micro-batch was written: a retry reads them. "
                "Run the cell with readStream … load() and the query again.")

    def _record(self, new: Type) -> int:
        new = new if self.typed else as_strings(new, self.schema)
        return SchemaStore(self.location).update(lambda latest: add_fields(latest or self.schema, new)).version  # type: ignore
