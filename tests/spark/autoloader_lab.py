"""What every test of Auto Loader sets up: a landing folder, a schema location, a checkpoint and a table."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession

from helpers.autoloader import unknown_field_message
from helpers.classic import is_classic


@dataclass(frozen=True)
class Lab:
    """One stream from files of one format to one table."""

    spark: SparkSession
    root: Path
    format: str = "json"

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    def land(self, name: str, *lines: str | dict[str, Any]) -> Path:
        """A file of these lines; a dictionary is a JSON record."""
        path = self.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("".join(text if text.endswith("\n") else f"{text}\n" for text in texts), encoding="utf-8")
        return self.stamped(path)

    def land_records(self, name: str, *records: dict[str, Any]) -> Path:
        """A file of these records in the lab's format, CSV with the header of the first."""
        if self.format == "json":
            return self.land(f"{name}.json", *records)
        text = io.StringIO()
        writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        return self.land(f"{name}.csv", text.getvalue())

    def stamped(self, path: Path) -> Path:
        """The file with a later time than all before it: files are read in the order in which they came."""
        stamp = 1_700_000_000 + len(list(self.landing.rglob("*")))
        os.utime(path, (stamp, stamp))
        return path

    def read(self, schema: Any = None, *, reader: Mapping[str, str] | None = None, **options: str) -> Any:
        """The stream; `options` are those of cloudFiles, without the prefix, and `reader` has the others."""
        stream = self.spark.readStream.format("cloudFiles").option("cloudFiles.format", self.format)
        if schema is None:
            stream = stream.option("cloudFiles.schemaLocation", str(self.root / "state"))
            stream = stream.option("cloudFiles.inferColumnTypes", "true")
        else:
            stream = stream.schema(schema)
        stream = stream.options(**{f"cloudFiles.{name}": value for name, value in options.items()})
        return stream.options(**(reader or {})).load(str(self.landing))

    def start(self, frame: Any, **trigger: Any) -> Any:
        writer = frame.writeStream.option("checkpointLocation", str(self.root / "state")).option("mergeSchema", "true")
        return writer.trigger(**(trigger or {"availableNow": True})).start(str(self.root / "table"))

    def run(self, frame: Any = None) -> None:
        """One availableNow run into the table."""
        self.start(self.read() if frame is None else frame).awaitTermination()

    def stops_at_new_fields(self, frame: Any = None) -> str:
        """The message of a run that must stop at a new field."""
        with pytest.raises(StreamingQueryException) as caught:
            self.run(frame)
        message = unknown_field_message(caught.value)
        assert message is not None
        # The learner who waits for the stream reads just this; a classic session says it among the error's causes.
        if not is_classic(self.spark):
            assert str(caught.value) == message
        assert message.startswith("[UNKNOWN_FIELD_EXCEPTION.NEW_FIELDS_IN_RECORD_WITH_FILE_PATH]")
        return message

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        table = self.spark.read.format("delta").load(str(self.root / "table"))
        return sorted((tuple(row) for row in table.select(*columns or ["*"]).collect()), key=repr)

    def columns(self) -> list[str]:
        return self.spark.read.format("delta").load(str(self.root / "table")).columns

    def versions(self) -> list[str]:
        return sorted(path.name for path in (self.root / "state" / "_schemas").iterdir())

    def rescued(self, column: str = "_rescued_data") -> list[dict[str, Any]]:
        """What was rescued, without the file it was in."""
        texts = [text for (text,) in self.rows(column) if text is not None]
        found = [{name: value for name, value in json.loads(text).items() if name != "_file_path"} for text in texts]
        return sorted(found, key=repr)


def new_lab(spark: SparkSession, root: Path, format: str = "json") -> Lab:
    """A lab with an empty landing folder."""
    (root / "landing").mkdir()
    return Lab(spark, root, format)


def types(frame: Any) -> dict[str, str]:
    """Column names and their types, as SQL writes them."""
    return {each.name: each.dataType.simpleString() for each in frame.schema}
