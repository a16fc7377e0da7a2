"""``create_sink``: a table or a folder outside of the pipeline that append flows write into.

Imitates https://docs.databricks.com/aws/en/ldp/developer/ldp-python-ref-sink.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from helpers.pipelines import names
from helpers.pipelines.errors import InvalidDataset, Unsupported, nearest
from helpers.pipelines.graph import Dataset, Sink
from helpers.pipelines.names import canonical
from helpers.pipelines.registry import caller, current

_TIMES = ("dateFormat", "timestampFormat", "timestampNTZFormat")
#: The options that each format takes here, beside its place.
_OPTIONS = {
    "delta": ("mergeSchema", "maxRecordsPerFile", "userMetadata"),
    "json": ("compression", "encoding", "ignoreNullFields", "lineSep", *_TIMES),
    "csv": ("charToEscapeQuoteEscaping", "compression", "delimiter", "emptyValue", "encoding", "escape", "header",
            "lineSep", "nullValue", "quote", "quoteAll", "sep", *_TIMES),
    "parquet": ("compression",),
    "text": ("compression", "lineSep"),
}


def create_sink(name: str, format: str, options: Mapping[str, str] | None = None) -> None:
    """Define a sink; ``options`` say where it is: ``path``, or for "delta" also ``tableName``, qualified."""
    where = caller()
    for argument, value in (("name", name), ("format", format)):
        if not isinstance(value, str) or not value:
            raise InvalidDataset(f"{where}: {argument} of create_sink takes a text, not {value!r}: "
                                 "dp.create_sink(\"s\", \"delta\", {\"tableName\": \"schema.t\"}).")
    given = {key: str(value) for key, value in (options or {}).items()}
    sink = Sink(_format(name, format, where), given)
    _check_place(name, sink, where)
    _check_options(name, sink, where)
    current("create_sink").datasets.append(
        (Dataset(name=canonical(name), kind="SINK", defined_at=where, sink=sink), None))


def _format(name: str, given: str, where: str) -> str:
    if given.lower() in _OPTIONS:
        return given.lower()
    raise Unsupported(f"{where}: the sink '{name}' has the format '{given}', which is not supported here. "
                      f"These are: {', '.join(_OPTIONS)}.")


def _check_place(name: str, sink: Sink, where: str) -> None:
    places = [key for key in ("path", "tableName") if sink.options.get(key)]
    wanted = "'path'" if sink.files else "one of 'path' and 'tableName'"
    if len(places) != 1 or (sink.files and places != ["path"]):
        raise InvalidDataset(f"{where}: the sink '{name}' of the format {sink.format} needs {wanted} in its options.")
    table = sink.options.get("tableName")
    if table and len(names.parts(table)) < 2:
        raise InvalidDataset(f"{where}: the sink '{name}' writes into the table '{table}'. Qualify it: schema.{table}.")


def _check_options(name: str, sink: Sink, where: str) -> None:
    known = {"path", "tableName", *_OPTIONS[sink.format]}
    for option in sink.options:
        if option.lower() not in {each.lower() for each in known}:
            raise Unsupported(f"{where}: the sink '{name}' of the format {sink.format} does not take the option "
                              f"'{option}' here.{nearest(option, known)} Remove it.")


def writer_options(sink: Sink) -> dict[str, Any]:
    """The options for Spark's writer: all but the place."""
    return {key: value for key, value in sink.options.items() if key not in ("path", "tableName")}
