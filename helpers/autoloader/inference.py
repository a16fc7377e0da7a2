"""The first schema of a stream, from a sample of the files that are there."""

from __future__ import annotations

from typing import Any

from pyspark.errors import AnalysisException

from helpers.autoloader.blocks import Block
from helpers.autoloader.errors import EmptyLandingFolder, InvalidSchemaHint
from helpers.autoloader.hints import Hint, apply_hints, parse_hints
from helpers.autoloader.json_types import Type, field, infer, merge_all, nullable, settled, struct
from helpers.autoloader.landing import Landing, escaped
from helpers.autoloader.options import CloudOptions
from helpers.autoloader.records import Damaged, parse

_DAMAGED = "__damaged_line"


def infer_json(spark: Any, landing: Landing, options: CloudOptions) -> dict[str, Any]:
    """The schema of the sampled JSON or XML files; with `inferColumnTypes` off, every column is a string."""
    files = landing.sample()
    schema = _xml_by_spark(spark, files, options) if options.format == "xml" else _by_spark(spark, files, options)
    fields = [each for each in (schema or _by_hand(files, options))["fields"]
              if each["name"] not in (_DAMAGED, options.rescued_column)]
    if not fields:
        raise EmptyLandingFolder(f"The schema cannot be inferred: no file in {landing.path} holds a whole "
                                 f"{options.format.upper()} record. Land a file with records first, or give the "
                                 "schema with .schema(…).")
    if options.infer_column_types:
        return nullable(struct(fields))  # type: ignore[no-any-return]
    return struct(field(each["name"], "string") for each in fields)


def with_hints(spark: Any, schema: dict[str, Any], hints: str | None) -> dict[str, Any]:
    """The schema with the hinted types."""
    parsed = parse_hints(hints) if hints else ()
    return apply_hints(schema, parsed, hinted_types(spark, parsed)) if parsed else schema


def hinted_types(spark: Any, hints: tuple[Hint, ...]) -> tuple[Type, ...]:
    """What the SQL types of the hints are, by Spark's own parser."""
    columns = ", ".join(f"`{place}` {hint.ddl}" for place, hint in enumerate(hints))
    try:
        return tuple(each["type"] for each in parse_schema(spark, columns)["fields"])
    except Exception as error:
        culprit = hints[0].ddl if len(hints) == 1 else ", ".join(hint.ddl for hint in hints)
        raise InvalidSchemaHint(f"The schema hints name a type that Spark does not know, one of: {culprit}. "
                                "Write SQL types such as BIGINT or DECIMAL(10,2).") from error


def parse_schema(spark: Any, ddl: str) -> dict[str, Any]:
    """A schema written as the columns of a table are."""
    return spark.createDataFrame([], ddl).schema.jsonValue()  # type: ignore[no-any-return]


def _by_spark(spark: Any, files: list[str], options: CloudOptions) -> dict[str, Any] | None:
    reader = spark.read.format("json").options(**options.reader).option("columnNameOfCorruptRecord", _DAMAGED)
    reader = reader.option("allowSingleQuotes", "false").option("primitivesAsString", not options.infer_column_types)
    try:
        return reader.load([escaped(path) for path in files]).schema.jsonValue()  # type: ignore[no-any-return]
    except AnalysisException as error:
        if error.getCondition() != "COLUMN_ALREADY_EXISTS":
            raise
    # Two spellings of one name: Spark refuses to infer; the first spelling becomes the column, the other is rescued.
    return None


def _xml_by_spark(spark: Any, files: list[str], options: CloudOptions) -> dict[str, Any]:
    reader = spark.read.format("xml").options(**options.reader).option("columnNameOfCorruptRecord", _DAMAGED)
    return reader.load([escaped(path) for path in files]).schema.jsonValue()  # type: ignore[no-any-return]


def _by_hand(files: list[str], options: CloudOptions) -> dict[str, Any]:
    def types() -> Any:
        for path in files:
            for line in Block(path, 0, 1 << 62, options.multi_line).lines():
                try:
                    yield infer(parse(line))
                except Damaged:
                    continue

    return settled(merge_all(types()))  # type: ignore[return-value]
