"""Parquet and ORC files, whose columns have types of their own. Runs in Spark's Python workers too."""

from __future__ import annotations

import base64
import json
import math
import operator
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa

from helpers.autoloader.json_types import VOID, Number, Type, array, field, kind, struct

_WHOLE = ("byte", "short", "integer", "long")
_SIMPLE: dict[Type, pa.DataType] = {
    "boolean": pa.bool_(), "byte": pa.int8(), "short": pa.int16(), "integer": pa.int32(), "long": pa.int64(),
    "float": pa.float32(), "double": pa.float64(), "string": pa.string(), "binary": pa.binary(), "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"), "timestamp_ntz": pa.timestamp("us"),
}
_NAMES = {type_: name for name, type_ in _SIMPLE.items()} | {
    pa.uint8(): "short", pa.uint16(): "integer", pa.uint32(): "long", pa.uint64(): "decimal(20,0)", pa.null(): VOID,
    pa.float16(): "float", pa.large_string(): "string", pa.string_view(): "string",
    pa.large_binary(): "binary", pa.date64(): "date",
}


def file_schema(path: str, format: str) -> dict[str, Any]:
    """The columns of one file, as `StructType.jsonValue()` would give them."""
    return struct(field(each.name, spark_type(each.type)) for each in _schema(path, format))


def read_columns(path: str, format: str, names: Iterable[str]) -> pa.Table:
    """These columns of a file, all rows in the file's order."""
    if format == "parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(path) as file:
            return file.read(columns=list(names))
    from pyarrow import orc

    return orc.ORCFile(path).read(columns=list(names))


def spark_type(type_: pa.DataType) -> Type:
    """Spark's type for an Arrow type."""
    if pa.types.is_timestamp(type_):
        # Arrow gives the instants of the old INT96 form as nanoseconds without a zone.
        return "timestamp" if type_.tz or type_.unit == "ns" else "timestamp_ntz"
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_struct(type_):
        return struct(field(each.name, spark_type(each.type)) for each in type_)
    if pa.types.is_map(type_):
        return {"type": "map", "keyType": spark_type(type_.key_type), "valueType": spark_type(type_.item_type),
                "valueContainsNull": True}
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        return array(spark_type(type_.value_type))
    if pa.types.is_dictionary(type_):
        return spark_type(type_.value_type)
    if isinstance(type_, pa.BaseExtensionType):
        return spark_type(type_.storage_type)
    return _NAMES.get(type_, "binary")


def arrow_type(type_: Type) -> pa.DataType | None:
    """Arrow's type for one of Spark's; None where it has none."""
    if isinstance(type_, str):
        if type_.startswith("decimal("):
            digits, scale = type_[8:-1].split(",")
            return pa.decimal128(int(digits), int(scale))
        return _SIMPLE.get(type_)
    if kind(type_) == "array":
        return pa.list_(_part(type_["elementType"]))
    if kind(type_) == "map":
        return pa.map_(_part(type_["keyType"]), _part(type_["valueType"]))
    return pa.struct([(each["name"], _part(each["type"])) for each in type_["fields"]])


def conflicts(own: Type, found: Type, fits: Callable[[Type, Type], bool] = operator.eq) -> bool:
    """Whether a file has a part of a column, at any depth, with another type or with its name in another case."""
    kinds = kind(own), kind(found)
    if kinds == ("struct", "struct"):
        return any(conflicting(own, found, fits))  # type: ignore[arg-type]
    if kinds in (("array", "array"), ("map", "map")):
        return any(conflicts(own[part], found[part], fits)  # type: ignore[index]
                   for part in ("elementType", "keyType", "valueType") if part in own)
    return found != VOID and not fits(own, found) and arrow_type(own) is not None


def conflicting(
    own: dict[str, Any], found: dict[str, Any], fits: Callable[[Type, Type], bool] = operator.eq
) -> Iterator[tuple[str, str]]:
    """The fields of two structs of which `conflicts` is true: their names, one's own and the file's."""
    fields = {each["name"].lower(): each for each in own["fields"]}
    for its in found["fields"]:
        mine = fields.get(its["name"].lower())
        if mine and (mine["name"] != its["name"] or conflicts(mine["type"], its["type"], fits)):
            yield mine["name"], its["name"]


def holds(own: Type, found: Type) -> bool:
    """Whether a simple type takes every value of another one."""
    return widest(own, found) == own == widest(found, own)


def widest(known: Type, found: Type) -> Type:
    """The type that holds both, field by field; the known one where none does."""
    if known == found or found == VOID:
        return known
    if known == VOID:
        return found
    kinds = kind(known), kind(found)
    if kinds == ("struct", "struct"):
        return _widest_struct(known, found)  # type: ignore[arg-type]
    if kinds == ("array", "array"):
        return array(widest(known["elementType"], found["elementType"]))  # type: ignore[index]
    for order in (_WHOLE, ("float", "double"), ("byte", "short", "integer", "double"), ("date", "timestamp_ntz")):
        if known in order and found in order:
            return order[max(order.index(known), order.index(found))]  # type: ignore[arg-type]
    return _wider_decimal(kinds) or known


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers as they are written, times as ISO, bytes as base64."""
    if isinstance(value, dict):
        return {_key(name): plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return Number(value)
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)  # NaN and Infinity, which JSON has no numbers for
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, date | datetime | time | timedelta):
        return value.isoformat() if not isinstance(value, timedelta) else str(value)
    return value


def _key(value: Any) -> str:
    value = plain(value)
    return value if isinstance(value, str) else json.dumps(value)


def _part(type_: Type) -> pa.DataType:
    return arrow_type(type_) or pa.null()


def _schema(path: str, format: str) -> pa.Schema:
    if format == "parquet":
        import pyarrow.parquet as pq

        return pq.read_schema(path)
    from pyarrow import orc

    return orc.ORCFile(path).schema


def _widest_struct(known: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    types = {each["name"]: each["type"] for each in found["fields"]}
    kept = [field(each["name"], widest(each["type"], types.get(each["name"], VOID))) for each in known["fields"]]
    taken = {each["name"].lower() for each in kept}
    for name, type_ in types.items():
        if name.lower() not in taken:
            kept.append(field(name, type_))
            taken.add(name.lower())
    return struct(kept)


def _wider_decimal(kinds: tuple[str, str]) -> Type | None:
    if not all(each.startswith("decimal(") for each in kinds):
        return None
    sizes = [tuple(map(int, each[8:-1].split(","))) for each in kinds]
    scale = max(scale for _, scale in sizes)
    whole = max(digits - scale for digits, scale in sizes)
    return f"decimal({whole + scale},{scale})" if whole + scale <= 38 else None
