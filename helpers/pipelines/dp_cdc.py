"""``create_auto_cdc_flow`` and ``create_auto_cdc_from_snapshot_flow``: change data capture from a Python source.

Imitates https://docs.databricks.com/aws/en/ldp/developer/ldp-python-ref-apply-changes and …-from-snapshot.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

from helpers import sql
from helpers.pipelines.building import bare
from helpers.pipelines.conditions import has_query
from helpers.pipelines.errors import InvalidDataset, Unsupported, nearest
from helpers.pipelines.graph import Flow
from helpers.pipelines.names import canonical, quoted
from helpers.pipelines.registry import caller, current
from helpers.sql import AutoCdc, ColumnChoice

_EXAMPLE = "dp.create_auto_cdc_flow(target=\"t\", source=\"s\", keys=[\"id\"], sequence_by=\"ts\")"
_LATER = ("system_sequence_by", "ignore_null_updates_column_list", "ignore_null_updates_except_column_list",
          "columns_to_update", "where")
_SNAPSHOTS = "dp.create_auto_cdc_from_snapshot_flow(target=\"t\", source=\"s\", keys=[\"id\"])"


def create_auto_cdc_flow(
    target: str,
    source: str,
    keys: Sequence[Any],
    sequence_by: Any,
    ignore_null_updates: bool = False,
    apply_as_deletes: Any = None,
    apply_as_truncates: Any = None,
    column_list: Sequence[Any] | None = None,
    except_column_list: Sequence[Any] | None = None,
    stored_as_scd_type: str | int = 1,
    track_history_column_list: Sequence[Any] | None = None,
    track_history_except_column_list: Sequence[Any] | None = None,
    name: str | None = None,
    once: bool = False,
    **others: Any,
) -> None:
    """Apply the changes that ``source`` streams to ``target``, a streaming table without a query.

    Columns are names or ``col("name")``; conditions and ``sequence_by`` are SQL text or Column expressions.
    """
    where = caller()
    _refuse(others, where)
    for argument, value in (("target", target), ("source", source)):
        if not isinstance(value, str) or not value:
            raise InvalidDataset(f"{where}: {argument} takes the name of a table, not {value!r}: {_EXAMPLE}.")
    _check_arguments(where, stored_as_scd_type, apply_as_truncates,
                     track_history_column_list or track_history_except_column_list)
    changes = AutoCdc(
        keys=_keys(keys, where), sequence_by=_expression("sequence_by", sequence_by, where),
        ignore_null_updates=bool(ignore_null_updates),
        apply_as_deletes=_condition("apply_as_deletes", apply_as_deletes, where),
        apply_as_truncates=_condition("apply_as_truncates", apply_as_truncates, where),
        columns=_choice("column_list", column_list, "except_column_list", except_column_list, where),
        scd_type=2 if str(stored_as_scd_type) == "2" else 1,
        track_history=_choice("track_history_column_list", track_history_column_list,
                              "track_history_except_column_list", track_history_except_column_list, where),
        once=bool(once),
    )
    body = sql.parse_query(f"SELECT * FROM STREAM {quoted(bare(source))}", source=where, parameters={})
    current("create_auto_cdc_flow").flows.append(Flow(
        name=canonical(name or bare(target)), target=canonical(bare(target)), body=body, defined_at=where,
        changes=changes))


def create_auto_cdc_from_snapshot_flow(
    target: str,
    source: Any,
    keys: Sequence[Any],
    stored_as_scd_type: str | int = 1,
    track_history_column_list: Sequence[Any] | None = None,
    track_history_except_column_list: Sequence[Any] | None = None,
    once: bool = False,
) -> None:
    """Bring ``target`` to what whole snapshots say: keys that the next one lacks are deleted.

    ``source``: a table or view, looked at once an update, or a function that gives (DataFrame, version) after the
    version it is called with (None at first), and None when there is no further snapshot.
    """
    where = caller()
    if not isinstance(target, str) or not target:
        raise InvalidDataset(f"{where}: target takes the name of a table, not {target!r}: {_SNAPSHOTS}.")
    if not callable(source) and not (isinstance(source, str) and source):
        raise InvalidDataset(f"{where}: source takes the name of a table or view, or a function, not {source!r}: "
                             f"{_SNAPSHOTS}.")
    _check_arguments(where, stored_as_scd_type, None, track_history_column_list or track_history_except_column_list)
    changes = AutoCdc(
        keys=_keys(keys, where), sequence_by=None, scd_type=2 if str(stored_as_scd_type) == "2" else 1,
        track_history=_choice("track_history_column_list", track_history_column_list,
                              "track_history_except_column_list", track_history_except_column_list, where),
        once=bool(once), snapshots=True)
    body = source
    if isinstance(source, str):
        body = sql.parse_query(f"SELECT * FROM {quoted(bare(source))}", source=where, parameters={})
    current("create_auto_cdc_from_snapshot_flow").flows.append(Flow(
        name=canonical(bare(target)), target=canonical(bare(target)), body=body, defined_at=where, changes=changes))


def _refuse(others: Mapping[str, Any], where: str) -> None:
    """Arguments that Databricks has and this engine has not, where they say something, and those that nobody has."""
    for argument, value in others.items():
        if argument not in _LATER:
            raise InvalidDataset(f"{where}: '{argument}' is no argument of create_auto_cdc_flow."
                                 f"{nearest(argument, inspect.signature(create_auto_cdc_flow).parameters)} {_EXAMPLE}.")
        if value is not None:
            raise Unsupported(f"{where}: create_auto_cdc_flow({argument}=…) is not supported here yet. Remove it.")


def _check_arguments(where: str, scd_type: Any, truncates: Any, tracked: Any) -> None:
    if str(scd_type) not in ("1", "2"):
        raise InvalidDataset(f"{where}: stored_as_scd_type is 1 or 2, not {scd_type!r}.")
    if str(scd_type) == "2" and truncates is not None:
        raise InvalidDataset(f"{where}: apply_as_truncates is for stored_as_scd_type=1 only. Remove it.")
    if str(scd_type) == "1" and tracked:
        raise InvalidDataset(f"{where}: track_history_column_list and track_history_except_column_list need "
                             "stored_as_scd_type=2.")


def _keys(keys: Any, where: str) -> tuple[str, ...]:
    found = _names("keys", keys, where)
    if not found:
        raise InvalidDataset(f"{where}: AUTOCDC_EMPTY_KEYS: keys must name at least one column: {_EXAMPLE}.")
    return found


def _names(argument: str, columns: Any, where: str) -> tuple[str, ...]:
    if isinstance(columns, str) or not isinstance(columns, Sequence):
        raise InvalidDataset(f"{where}: {argument} takes a list of columns, for example [\"id\"], not {columns!r}.")
    found = tuple(_name(argument, column, where) for column in columns)
    if len({name.lower() for name in found}) < len(found):
        raise InvalidDataset(f"{where}: {argument} names a column twice: {', '.join(found)}.")
    return found


def _name(argument: str, column: Any, where: str) -> str:
    # A Column shows its name only in what it prints.
    printed = re.fullmatch(r"Column<'(.*)'>", str(column))
    text = column if isinstance(column, str) else printed[1] if printed else ""
    text = text[1:-1] if re.fullmatch(r"`[^`]+`", text) else text
    if not text or (printed and re.search(r"[.(]", text)):
        raise InvalidDataset(f"{where}: AUTOCDC_NON_COLUMN_IDENTIFIER: {argument} takes column names, not {column!r}.")
    return text


def _choice(named: str, names: Any, excepted: str, others: Any, where: str) -> ColumnChoice | None:
    if names is not None and others is not None:
        raise InvalidDataset(f"{where}: give {named} or {excepted}, not both.")
    if names is not None:
        return ColumnChoice(_names(named, names, where))
    return ColumnChoice(_names(excepted, others, where), all_but=True) if others is not None else None


def _expression(argument: str, value: Any, where: str) -> Any:
    if (isinstance(value, str) and value.strip()) or type(value).__name__ == "Column":
        return value
    raise InvalidDataset(f"{where}: {argument} takes SQL text or a Column, not {value!r}: {_EXAMPLE}.")


def _condition(argument: str, value: Any, where: str) -> Any:
    if value is None:
        return None
    if isinstance(value, str) and has_query(value):
        raise InvalidDataset(f"{where}: {argument} may not contain a subquery. Stream a view that joins the other "
                             "table, and write the condition on its columns.")
    return _expression(argument, value, where)
