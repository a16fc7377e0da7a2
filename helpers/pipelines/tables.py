"""The Delta tables behind datasets: made, compared with their definition, emptied, and asked for their version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.pipelines import leftovers, table_log
from helpers.pipelines.catalog import Catalog
from helpers.pipelines.errors import InvalidDataset, condition, explained
from helpers.pipelines.graph import Dataset
from helpers.pipelines.names import literal, quoted, quoted_part

OWNER = "pipelines.pipelineId"
KIND = "lakeprep.kind"
#: The folder of a schema that holds private tables.
PRIVATE = "_private"
_CLUSTERING = "clustering"


def version(spark: Any, name: str, *, folder: str | None = None) -> table_log.Version | None:
    """The newest commit of a Delta table; None when there is no such table or it is not Delta.

    ``folder``: where its data lie, if that is known; Spark needs a job to tell what the log there says at once.
    """
    found = table_log.newest_commit(folder or "")
    if found is not None:
        return found
    try:
        row = spark.sql(f"DESCRIBE HISTORY {quoted(name)} LIMIT 1").collect()[0]
    except Exception:
        return None
    return table_log.Version(f"{row.version}@{row.timestamp}", table_log.metadata(row.userMetadata))


def exists(spark: Any, name: str) -> bool:
    """Whether a table or view of that name can be read; delta.`/folder` names its data itself."""
    return "/" in name or bool(spark.catalog.tableExists(quoted(name)))


@dataclass(frozen=True)
class Stored:
    """A table as it is now."""

    properties: Mapping[str, str]
    partition_by: tuple[str, ...]
    cluster_by: tuple[str, ...]
    schema: Any
    location: str
    comment: str | None = None

    def laid_out_as(self, dataset: Dataset) -> bool:
        """Whether the files lie as the definition says."""
        wanted = _lower(dataset.partition_by), _lower(dataset.cluster_by)
        return (_lower(self.partition_by), _lower(self.cluster_by)) == wanted


def stored(spark: Any, dataset: Dataset, *, pipeline_id: str, catalog: Catalog) -> Stored | None:
    """The dataset's table, None when there is none; one that another pipeline or a user made is an error."""
    if catalog.lacks(dataset.name):
        return None
    table = _from_log(catalog.location(dataset.name)) or _from_spark(spark, dataset)
    if table is None:
        return None
    if table.properties.get(OWNER) != pipeline_id:
        raise _foreign(dataset)
    if table.properties.get(KIND) != dataset.kind:
        raise InvalidDataset(f"'{dataset.name}' was a {table.properties.get(KIND)} and is now a {dataset.kind} "
                             f"({dataset.defined_at}). Drop the table first, or rename the dataset.")
    if not dataset.private and f"/{PRIVATE}/" in table.location:
        spark.sql(f"DROP TABLE {quoted(dataset.name)}")  # an update that was cut off has left it in the catalog
        catalog.dropped(dataset.name)
        return None
    if dataset.private and not same_place(table.location, dataset.location):
        raise InvalidDataset(f"{dataset.defined_at}: '{dataset.name}' is now PRIVATE, and its table is published. "
                             f"Drop the table first: DROP TABLE {quoted(dataset.name)}.")
    return table


def _from_log(location: str | None) -> Stored | None:
    """A Delta table of this machine; None where its log cannot be read here, or does not tell all."""
    table = table_log.opened(location)
    if table is None:
        return None
    found, protocol = table.metadata(), table.protocol()
    # The columns of CLUSTER BY stand where this reader does not look.
    if _CLUSTERING in (protocol.writer_features or ()):
        return None
    versions = {"delta.minReaderVersion": str(protocol.min_reader_version),
                "delta.minWriterVersion": str(protocol.min_writer_version)}
    properties = {**found.configuration, **versions}
    return Stored(properties, tuple(found.partition_columns), (), table_log.columns(table), location or "",
                  found.description)


def _from_spark(spark: Any, dataset: Dataset) -> Stored | None:
    """The same, asked of Spark; DESCRIBE DETAIL would run a job over the table's log to count its files."""
    try:
        rows = spark.sql(f"DESCRIBE TABLE EXTENDED {quoted(dataset.name)}").collect()
    except Exception as error:
        if condition(error) != "TABLE_OR_VIEW_NOT_FOUND":
            raise
        return None
    partition_by, details = _described(rows)
    if details.get("Type") not in ("MANAGED", "EXTERNAL"):
        raise _foreign(dataset)
    listed = spark.sql(f"SHOW TBLPROPERTIES {quoted(dataset.name)}").collect()
    properties = {row.key: row.value for row in listed}
    cluster_by = tuple(".".join(path) for path in json.loads(properties.get("clusteringColumns", "[]")))
    return Stored(properties, partition_by, cluster_by, spark.table(quoted(dataset.name)).schema, details["Location"],
                  details.get("Comment"))


def schema(spark: Any, name: str, *, location: str | None) -> Any:
    """A table's columns, from its log where that is on this machine."""
    table = table_log.opened(location)
    return spark.table(quoted(name)).schema if table is None else table_log.columns(table)


def _described(rows: Sequence[Any]) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """The partition columns and the details in what DESCRIBE TABLE EXTENDED gives; a column's row always has a type."""
    heads = {row.col_name: place for place, row in enumerate(rows) if not row.data_type}
    partition_by, first = [], heads.get("# Partition Information")
    for row in rows[first + 2:] if first is not None else ():  # behind the names of the columns
        if not row.data_type:
            break
        partition_by.append(row.col_name)
    first = heads.get("# Detailed Table Information", len(rows))
    return tuple(partition_by), {row.col_name: row.data_type for row in rows[first + 1:]}


def _foreign(dataset: Dataset) -> InvalidDataset:
    return InvalidDataset(f"The table '{dataset.name}' already exists and is not this pipeline's. "
                          f"Rename the dataset ({dataset.defined_at}), or drop the table.")


def keep_up(spark: Any, dataset: Dataset, table: Stored, schemas: Sequence[Any]) -> None:
    """Bring a table that stays up to its definition: properties, comments, and columns of its flows that it lacks."""
    changed = {key: value for key, value in dataset.properties.items()
               if str(table.properties.get(key)).lower() != value.lower() and not key.startswith("delta.feature.")}
    if changed:
        spark.sql(f"ALTER TABLE {quoted(dataset.name)} SET TBLPROPERTIES ({_pairs(changed)})")
    _comment(spark, dataset, table)
    add_columns(spark, dataset.name, table.schema, schemas)


def _comment(spark: Any, dataset: Dataset, table: Stored) -> None:
    """Give a table and its columns the comments that the definition says and they lack."""
    if dataset.comment and dataset.comment != table.comment:
        spark.sql(f"COMMENT ON TABLE {quoted(dataset.name)} IS {literal(dataset.comment)}")
    stored = {field.name.lower(): field.metadata.get("comment") for field in table.schema.fields}
    for column in dataset.columns:
        if column.comment and stored.get(column.name.lower(), column.comment) != column.comment:
            spark.sql(f"ALTER TABLE {quoted(dataset.name)} ALTER COLUMN {quoted_part(column.name)} "
                      f"COMMENT {literal(column.comment)}")


def same_columns(one: Any, other: Any) -> bool:
    """Equal names and types, in the same order; nullability is not compared, since a table's columns take NULL."""
    columns = [[(field.name, field.dataType.simpleString()) for field in schema.fields] for schema in (one, other)]
    return columns[0] == columns[1]


def add_columns(spark: Any, name: str, have: Any, schemas: Sequence[Any]) -> None:
    """Give a table the columns, at any depth, that the schemas have and it lacks."""
    for schema in schemas:
        if adds_fields(have, schema):
            nothing = spark.createDataFrame([], schema)
            nothing.write.format("delta").mode("append").option("mergeSchema", "true").saveAsTable(quoted(name))


def adds_fields(have: Any, want: Any) -> bool:
    """Whether one type has a field, at any depth, that the other lacks."""
    if hasattr(have, "fields") and hasattr(want, "fields"):
        known = {field.name.lower(): field.dataType for field in have.fields}
        return any(field.name.lower() not in known or adds_fields(known[field.name.lower()], field.dataType)
                   for field in want.fields)
    inner = [part for part in ("elementType", "keyType", "valueType") if hasattr(have, part) and hasattr(want, part)]
    return any(adds_fields(getattr(have, part), getattr(want, part)) for part in inner)


def retypes(have: Any, want: Any) -> bool:
    """Whether a column that both schemas have changes its type, other than by new fields inside it."""
    known = {field.name.lower(): field.dataType for field in have.fields}
    both = [(known[field.name.lower()], field.dataType) for field in want.fields if field.name.lower() in known]
    return any(old.simpleString() != new.simpleString() and not adds_fields(old, new) for old, new in both)


def create(spark: Any, dataset: Dataset, schemas: Sequence[Any], *, pipeline_id: str) -> None:
    """Put an empty table with the definition's columns where it belongs, in place of an older one, in one commit."""
    fields = {field.name.lower(): field for schema in reversed(schemas) for field in schema.fields}
    order = dict.fromkeys(field.name.lower() for schema in schemas for field in schema.fields)
    columns = [_column(dataset, field.name, field.dataType.simpleString(), field.metadata.get("comment"))
               for field in map(fields.__getitem__, order)]
    columns += [_column(dataset, column.name, column.type, None) for column in dataset.columns
                if column.type and column.name.lower() not in fields]
    statement = _create(dataset, columns, pipeline_id)
    leftovers.making(lambda: spark.sql(statement))


def named(dataset: Dataset, frame: Any) -> Any:
    """A column list without types gives the query's columns their names, by position."""
    if not dataset.columns or any(column.type for column in dataset.columns):
        return frame
    if len(dataset.columns) != len(frame.columns):
        raise InvalidDataset(f"{dataset.defined_at}: '{dataset.name}' lists {len(dataset.columns)} columns, its "
                             f"query gives {len(frame.columns)}: {', '.join(frame.columns)}. List all of them or none.")
    return frame.toDF(*[column.name for column in dataset.columns])


def check_declared(spark: Any, dataset: Dataset, schema: Any, *, whole: bool) -> None:
    """Columns that are declared with types must be the query's. ``whole``: all of them, as its own query gives."""
    typed = {column.name.lower(): column.type for column in dataset.columns if column.type}
    if not typed:
        return
    declared = _types(spark, dataset)
    given = {field.name.lower(): field.dataType for field in schema.fields}
    problems = [f"'{name}' is declared but the query does not give it" for name in typed if whole and name not in given]
    problems += [f"the query gives '{name}', which is not declared" for name in given if name not in typed]
    problems += [f"'{name}' is declared {typed[name]} but the query gives {given[name].simpleString().upper()}"
                 for name, wanted in declared.items() if name in given and wanted != given[name].simpleString()]
    if problems:
        raise InvalidDataset(
            f"{dataset.defined_at}: USER_SPECIFIED_AND_INFERRED_SCHEMA_NOT_COMPATIBLE: '{dataset.name}': "
            f"{'; '.join(problems)}. Cast or rename in the query, or change the declaration.")


def _types(spark: Any, dataset: Dataset) -> dict[str, str]:
    ddl = ", ".join(f"{quoted_part(column.name)} {column.type}" for column in dataset.columns if column.type)
    try:
        fields = spark.createDataFrame([], ddl).schema.fields
    except Exception as error:
        raise InvalidDataset(f"{dataset.defined_at}: the columns of '{dataset.name}' cannot be read: "
                             f"{explained(error, target=dataset.name)}") from None
    return {field.name.lower(): field.dataType.simpleString() for field in fields}


def _create(dataset: Dataset, columns: Sequence[str], pipeline_id: str) -> str:
    properties = {**dataset.properties, OWNER: pipeline_id, KIND: dataset.kind}
    parts = [f"CREATE OR REPLACE TABLE {quoted(dataset.name)} ({', '.join(columns)}) USING delta"]
    if dataset.location:
        parts.append(f"LOCATION {literal(dataset.location)}")
    if dataset.partition_by:
        parts.append(f"PARTITIONED BY ({_names(dataset.partition_by)})")
    if dataset.cluster_by:
        parts.append(f"CLUSTER BY ({_names(dataset.cluster_by)})")
    if dataset.comment:
        parts.append(f"COMMENT {literal(dataset.comment)}")
    return " ".join([*parts, f"TBLPROPERTIES ({_pairs(properties)})"])


def _column(dataset: Dataset, name: str, kind: str, comment: str | None) -> str:
    declared = next((column for column in dataset.columns if column.name.lower() == name.lower()), None)
    text = f"{quoted_part(name)} {kind}{' NOT NULL' if declared and declared.not_null else ''}"
    comment = declared.comment if declared and declared.comment else comment
    return f"{text} COMMENT {literal(comment)}" if comment else text


def _lower(names: Sequence[str]) -> list[str]:
    return [name.replace("`", "").lower() for name in names]


def _names(names: Sequence[str]) -> str:
    return ", ".join(quoted(name) for name in names)


def _pairs(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{literal(key)} = {literal(value)}" for key, value in properties.items())


def same_place(one: str | None, other: str | None) -> bool:
    """Whether two folders' names, with a scheme or without, mean the same."""
    return one is not None and other is not None and table_log.local_path(one) == table_log.local_path(other)
