"""What a stream does when a file has a new field: record it in the schema location, and stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpers.autoloader.blocks import local_path
from helpers.autoloader.json_types import Type, add_fields, as_strings, names
from helpers.autoloader.schema_store import SchemaStore


class UnknownFields(Exception):
    """A file has fields that the schema did not have; they are in the schema location now."""


class PartitionFolder(Exception):
    """A file arrived in a folder that names a partition."""


@dataclass(frozen=True)
class Evolution:
    """The schema of the stream, and where a new field is recorded (with its own type, or as a string)."""

    schema: dict[str, Any]
    location: str
    typed: bool
    root: str
    partitions_allowed: bool

    def check_folder(self, path: str) -> None:
        """Refuse `year=2024/a.json`: Databricks would add a column for it, and we would not."""
        folders = local_path(path).removeprefix(self.root).split("/")[:-1]
        if not self.partitions_allowed and any("=" in name for name in folders):
            raise PartitionFolder(
                f"{path} is in a partition folder (name=value). Partition columns are not supported here yet: "
                "land the file elsewhere, or set recursiveFileLookup to true to do without them.")

    def record(self, new: Type, path: str) -> UnknownFields:
        """Write the next version of the schema, and give the error to stop with."""
        new = new if self.typed else as_strings(new, self.schema)
        stored = SchemaStore(self.location).update(lambda latest: add_fields(latest or self.schema, new))  # type: ignore
        fields = ", ".join(f"`{name}`" for name in names(new))
        # The error condition is written out: this module is sent to servers that may not have the package.
        return UnknownFields(
            "[UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_RECORD_WITH_FILE_PATH] "
            f"Unknown fields {fields} in the file {path}. The schema location {self.location} has them now (version "
            f"{stored.version}), and nothing of this micro-batch was written: a retry reads them. "
            "Run the cell with readStream … load() and the query again."
        )
