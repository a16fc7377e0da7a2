"""The rows of an AUTO CDC flow: from its source's columns to changes with a sequence and an operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from helpers.pipelines.cdc import DELETE, END, OPERATION, PREFIX, SEQUENCE, START, TRUNCATE, UPSERT
from helpers.pipelines.errors import InvalidDataset, nearest
from helpers.pipelines.graph import Flow
from helpers.pipelines.names import quoted_part
from helpers.sql import AutoCdc, ColumnChoice

_VALIDATION = "AUTOCDC_MICROBATCH_VALIDATION"
#: Types that Spark cannot put in order.
_NOT_ORDERED = ("map", "variant")


def rules_of(flow: Flow) -> AutoCdc:
    """What an AUTO CDC flow says about its changes."""
    assert flow.changes is not None
    return flow.changes


def change_rows(flow: Flow, frame: Any) -> Any:
    """The columns that the target takes, and each change's sequence and operation."""
    from pyspark.sql import functions as F

    rules = rules_of(flow)
    columns = _chosen(flow, rules, [field.name for field in frame.schema.fields])
    operation = F.lit(UPSERT)
    for condition, name in ((rules.apply_as_deletes, DELETE), (rules.apply_as_truncates, TRUNCATE)):
        if condition is not None:
            operation = F.when(_column(condition), F.lit(name)).otherwise(operation)
    rows = frame.select(*[F.col(quoted_part(name)) for name in columns], _column(rules.sequence_by).alias(SEQUENCE),
                        operation.alias(OPERATION))
    sequence = rows.schema[SEQUENCE].dataType
    if not comparable(sequence):
        raise InvalidDataset(f"{flow.defined_at}: {_VALIDATION}.NON_ORDERABLE_SEQUENCE: '{flow.name}' has a SEQUENCE "
                             f"BY of type {sequence.simpleString()}, which has no order. Use a number, a time or a "
                             "STRUCT of them.")
    return rows


def _column(expression: Any) -> Any:
    from pyspark.sql import functions as F

    return F.expr(expression) if isinstance(expression, str) else expression


def _chosen(flow: Flow, rules: AutoCdc, names: Sequence[str]) -> list[str]:
    """The source's columns that go into the target, checked."""
    choice = rules.columns or ColumnChoice((), all_but=True)
    given = {name.lower() for name in names}
    for name in (*rules.keys, *choice.names, *_tracked(rules)):
        if name.lower() not in given:
            raise InvalidDataset(f"{flow.defined_at}: AUTOCDC_COLUMNS_NOT_FOUND_IN_SCHEMA: '{flow.name}' names the "
                                 f"column '{name}', which its source does not have.{nearest(name, names)} "
                                 f"It has: {', '.join(names)}.")
    named = {name.lower() for name in choice.names}
    chosen = [name for name in names if (name.lower() in named) != choice.all_but]
    _check_chosen(flow, rules, [name.lower() for name in chosen])
    return chosen


def _tracked(rules: AutoCdc) -> tuple[str, ...]:
    return rules.track_history.names if rules.track_history else ()


def _check_chosen(flow: Flow, rules: AutoCdc, chosen: Sequence[str]) -> None:
    for name in rules.keys:
        if name.lower() not in chosen:
            raise InvalidDataset(f"{flow.defined_at}: AUTOCDC_KEY_NOT_IN_SELECTED_SCHEMA: '{flow.name}' leaves its key "
                                 f"'{name}' out of COLUMNS. Take it in.")
    for name in _tracked(rules):
        if name.lower() not in chosen:
            raise InvalidDataset(f"{flow.defined_at}: '{flow.name}' has '{name}' in TRACK HISTORY ON but not in "
                                 "COLUMNS. Take it into COLUMNS, or out of TRACK HISTORY ON.")
    reserved = (START.lower(), END.lower()) if rules.scd_type == 2 else ()
    for name in chosen:
        if name in reserved or name.startswith(PREFIX):
            raise InvalidDataset(f"{flow.defined_at}: AUTOCDC_RESERVED_COLUMN_NAME_PREFIX_CONFLICT: the source of "
                                 f"'{flow.name}' has a column '{name}', a name that AUTO CDC uses itself. Rename it, "
                                 "or leave it out with COLUMNS * EXCEPT.")


def target_schema(flow: Flow, rows: Any) -> Any:
    """The columns that the target shows, from :func:`change_rows`."""
    data = _data(rows)
    if rules_of(flow).scd_type == 2:
        for name in (START, END):
            data = data.add(name, rows.schema[SEQUENCE].dataType)
    return data


def stored_schema(rows: Any) -> Any:
    """The change table's columns: the data are one struct, so that no column's name is one that Delta keeps."""
    from pyspark.sql.types import StringType, StructType

    return (StructType().add("row", _data(rows)).add("sequence", rows.schema[SEQUENCE].dataType)
            .add("operation", StringType()))


def _data(rows: Any) -> Any:
    from pyspark.sql.types import StructType

    data = StructType()
    for field in rows.schema.fields:
        if field.name not in (SEQUENCE, OPERATION):
            data = data.add(field.name, field.dataType, metadata=field.metadata)
    return data


def packed(flow: Flow, rows: Any) -> Any:
    """Rows of :func:`stored_schema`; a change without key or sequence ends the stream, its batch is not stored."""
    from pyspark.sql import functions as F

    no_key = F.lit(False)
    for key in rules_of(flow).keys:
        no_key = no_key | F.col(quoted_part(key)).isNull()
    no_key = no_key & (F.col(OPERATION) != TRUNCATE)
    data = F.struct(*[F.col(quoted_part(name)) for name in rows.columns if name not in (SEQUENCE, OPERATION)])
    sequence = (F.when(F.col(SEQUENCE).isNull(), _refusal(flow, "NULL_SEQUENCE", "has no sequence", data))
                .when(no_key, _refusal(flow, "NULL_KEY", "has no key", data)).otherwise(F.col(SEQUENCE)))
    return rows.select(data.alias("row"), sequence.alias("sequence"), F.col(OPERATION).alias("operation"))


def _refusal(flow: Flow, condition: str, what: str, data: Any) -> Any:
    from pyspark.sql import functions as F

    return F.raise_error(F.concat(
        F.lit(f"[{_VALIDATION}.{condition}] A change for '{flow.target}' {what}: "), F.to_json(data),
        F.lit(f". Nothing of this micro-batch was stored. Let '{flow.name}' read a view that leaves such rows out.")))


def comparable(kind: Any) -> bool:
    """Whether Spark puts values of a type in order; a map or variant inside forbids it."""
    if kind.typeName() in _NOT_ORDERED:
        return False
    inner = [field.dataType for field in getattr(kind, "fields", ())]
    return all(comparable(each) for each in [*inner, *([kind.elementType] if hasattr(kind, "elementType") else [])])
