"""AUTO CDC as one MERGE: replay the changes of the keys that were touched, and write what differs. Text only, no Spark.

The change table keeps every change of a target: ``row`` (a struct of its columns), ``sequence`` and ``operation``. The
rows of a key are a function of its changes alone, whatever their order of arrival, so that applying a change twice, or
again after a kill, changes nothing. Changes of one key with equal sequences are ordered by what they hold: a truncate
comes first, then upserts, then deletes.

Imitates https://docs.databricks.com/aws/en/ldp/cdc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from helpers.pipelines.names import quoted, quoted_part
from helpers.sql import AutoCdc

#: A snapshot is no change: it marks up to which version snapshots have become changes.
UPSERT, DELETE, TRUNCATE, SNAPSHOT = "upsert", "delete", "truncate", "snapshot"
START, END = "__START_AT", "__END_AT"
#: Names that start so are this module's.
PREFIX = "__cdc_"
SEQUENCE, OPERATION = f"{PREFIX}sequence", f"{PREFIX}operation"


@dataclass(frozen=True)
class Field:
    """A column of the target, or a field of one. ``comparable``: Spark can compare its values (not maps)."""

    name: str
    comparable: bool = True
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True)
class Span:
    """The versions of the change table: what is new since ``after`` (everything when None), as it is at ``upto``."""

    after: int | None
    upto: int


@dataclass(frozen=True)
class Target:
    """What the MERGE is about. ``changes``: the change table; ``fields``: its data; ``tracked``: by TRACK HISTORY."""

    name: str
    changes: str
    fields: tuple[Field, ...]
    tracked: tuple[str, ...]
    rules: AutoCdc

    @property
    def keys(self) -> tuple[str, ...]:
        """The key columns, as the row spells them."""
        wanted = [key.lower() for key in self.rules.keys]
        return tuple(sorted((field.name for field in self.fields if field.name.lower() in wanted),
                            key=lambda name: wanted.index(name.lower())))

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that tell two rows of the target apart."""
        return (*self.keys, START) if self.rules.scd_type == 2 else self.keys

    @property
    def columns(self) -> tuple[Field, ...]:
        """All columns of the target."""
        history = (Field(START), Field(END)) if self.rules.scd_type == 2 else ()
        return (*self.fields, *history)


def merge(target: Target, span: Span) -> str:
    """The statement that brings the target up to ``span.upto``; it counts the rows that it inserts and so on."""
    marks = f" WHERE operation <> '{SNAPSHOT}'" if target.rules.snapshots else ""
    parts = [("log", f"SELECT * FROM {quoted(target.changes)} VERSION AS OF {span.upto}{marks}")]
    if span.after is not None:
        parts.append(("touched", _touched(target, span)))
    parts += [("events", _events(target, span)), *_steps(target)]
    parts += [*_runs(target), ("wanted", _history())] if target.rules.scd_type == 2 else [("wanted", _latest(target))]
    parts.append(("present", _present(target, span)))
    steps = ",\n".join(f"{name} AS ({text})" for name, text in parts)
    names = [quoted_part(column.name) for column in target.columns]
    same = " AND ".join(f"target.{_q(name)} = source.{_q(name)}" for name in target.identity)
    return f"""MERGE INTO {quoted(target.name)} AS target USING (WITH {steps}
{_difference(target)}) AS source ON {same}
WHEN MATCHED AND source.__cdc_gone THEN DELETE
WHEN MATCHED THEN UPDATE SET {', '.join(f'{name} = source.{name}' for name in names)}
WHEN NOT MATCHED AND NOT source.__cdc_gone THEN INSERT ({', '.join(names)})
  VALUES ({', '.join(f'source.{name}' for name in names)})"""


def _q(name: str) -> str:
    return quoted_part(name)


def _key_names(target: Target) -> list[str]:
    return [f"__cdc_key_{place}" for place in range(len(target.keys))]


def _keys(target: Target) -> str:
    return ", ".join(f"row.{_q(key)} AS {name}" for key, name in zip(target.keys, _key_names(target), strict=True))


def _touched(target: Target, span: Span) -> str:
    """The keys with new changes; a new truncate touches every key."""
    new = f"table_changes('{quoted(target.changes)}', {(span.after or 0) + 1}, {span.upto})"
    text = f"SELECT DISTINCT {_keys(target)} FROM {new} WHERE operation <> '{TRUNCATE}'"
    if target.rules.apply_as_truncates is not None:
        text += (f"\nUNION SELECT {_keys(target)} FROM log WHERE operation <> '{TRUNCATE}' "
                 f"AND EXISTS (SELECT 1 FROM {new} WHERE operation = '{TRUNCATE}')")
    return text


def _events(target: Target, span: Span) -> str:
    """The changes of those keys that no truncate has made void; ``__cdc_order`` settles equal sequences."""
    tie = "row" if all(field.comparable for field in target.fields) else "to_json(row)"
    order = f"struct(sequence, operation = '{DELETE}' AS deletes, {tie} AS tie) AS __cdc_order"
    names = _key_names(target)
    text = (f"SELECT row, sequence AS {SEQUENCE}, operation AS {OPERATION}, {order}, {_keys(target)} "
            "FROM log")
    if span.after is not None:
        on = " AND ".join(f"log.row.{_q(key)} = touched.{name}" for key, name in zip(target.keys, names, strict=True))
        text += f" LEFT SEMI JOIN touched ON {on}"
    text += f" WHERE operation <> '{TRUNCATE}'"
    if target.rules.apply_as_truncates is not None:
        cut = f"(SELECT max(sequence) FROM log WHERE operation = '{TRUNCATE}')"
        text += f" AND coalesce(sequence >= {cut}, true)"
    return text


def _steps(target: Target) -> list[tuple[str, str]]:
    """Each change with the whole row that it leads to: its own, or with IGNORE NULL UPDATES one of those before it."""
    keys = ", ".join(_key_names(target))
    kept = f"{keys}, {SEQUENCE}, {OPERATION}, __cdc_order"
    if not target.rules.ignore_null_updates:
        columns = ", ".join(f"row.{_q(field.name)} AS {_q(field.name)}" for field in target.fields)
        return [("steps", f"SELECT {kept}, {columns} FROM events")]
    # A delete ends what an update can leave as it was.
    lives = (f"SELECT *, count_if({OPERATION} = '{DELETE}') OVER (PARTITION BY {keys} ORDER BY __cdc_order "
             "ROWS UNBOUNDED PRECEDING) AS __cdc_life FROM events")
    columns = ", ".join(f"{_filled('row', field)} AS {_q(field.name)}" for field in target.fields)
    window = f"PARTITION BY {keys}, __cdc_life ORDER BY __cdc_order ROWS UNBOUNDED PRECEDING"
    return [("lives", lives), ("steps", f"SELECT {kept}, {columns} FROM lives WINDOW before AS ({window})")]


def _filled(path: str, field: Field) -> str:
    """The last value that is not NULL; of a struct, each of its fields on its own."""
    at = f"{path}.{_q(field.name)}"
    last = f"last_value(CASE WHEN {OPERATION} = '{UPSERT}' THEN {at} END) IGNORE NULLS OVER before"
    if not field.fields:
        return last
    inner = ", ".join(f"{_filled(at, part)} AS {_q(part.name)}" for part in field.fields)
    return f"CASE WHEN {last} IS NOT NULL THEN struct({inner}) END"


def _latest(target: Target) -> str:
    """SCD type 1: where the last change of a key leaves it."""
    newest = (f"SELECT * FROM steps QUALIFY row_number() OVER (PARTITION BY {', '.join(_key_names(target))} "
              "ORDER BY __cdc_order DESC) = 1")
    return f"SELECT * FROM ({newest}) WHERE {OPERATION} = '{UPSERT}'"


def _history() -> str:
    """SCD type 2: the last row of each run, from the run's first sequence to the next run's."""
    last = "(__cdc_next_run IS NULL OR __cdc_next_run <> __cdc_run)"
    return f"SELECT * FROM runs WHERE {OPERATION} = '{UPSERT}' AND {last}"


def _runs(target: Target) -> list[tuple[str, str]]:
    """A run: changes of a key one after the other that leave the tracked columns as they were."""
    keys = ", ".join(_key_names(target))
    once = (f"SELECT * FROM steps QUALIFY row_number() OVER (PARTITION BY {keys}, {SEQUENCE} "
            "ORDER BY __cdc_order DESC) = 1")
    fields = [field for field in target.fields if field.name in target.tracked]
    values = ", ".join(_value("", field) for field in fields)
    tracked = f"struct({values})" if values else "true"
    unchanged = f"lag({OPERATION}) OVER one = '{UPSERT}' AND lag({tracked}) OVER one <=> {tracked}"
    opens = f"{OPERATION} = '{DELETE}' OR NOT coalesce({unchanged}, false) AS __cdc_opens"
    window = f"WINDOW one AS (PARTITION BY {keys} ORDER BY {SEQUENCE})"
    numbered = f"SELECT *, count_if(__cdc_opens) OVER one AS __cdc_run FROM opened {window}"
    runs = (f"SELECT *, min({SEQUENCE}) OVER (PARTITION BY {keys}, __cdc_run) AS {START}, "
            f"lead({SEQUENCE}) OVER one AS {END}, lead(__cdc_run) OVER one AS __cdc_next_run FROM numbered {window}")
    return [("once", once), ("opened", f"SELECT *, {opens} FROM once {window}"), ("numbered", numbered), ("runs", runs)]


def _value(table: str, field: Field) -> str:
    """A column in a form that Spark can compare."""
    name = f"{table}.{_q(field.name)}" if table else _q(field.name)
    return name if field.comparable else f"to_json({name})"


def _present(target: Target, span: Span) -> str:
    """The target's rows of those keys."""
    text = f"SELECT * FROM {quoted(target.name)} AS t"
    if span.after is None:
        return text
    pairs = zip(target.keys, _key_names(target), strict=True)
    return f"{text} LEFT SEMI JOIN touched ON " + " AND ".join(f"t.{_q(key)} = touched.{name}" for key, name in pairs)


def _difference(target: Target) -> str:
    """The rows to write and, as ``__cdc_gone``, those to remove; rows that are right already are left out."""
    first = _q(target.keys[0])
    chosen = [f"coalesce(wanted.{_q(column.name)}, present.{_q(column.name)}) AS {_q(column.name)}"
              if column.name in target.identity else f"wanted.{_q(column.name)}" for column in target.columns]
    on = " AND ".join(f"wanted.{_q(name)} = present.{_q(name)}" for name in target.identity)
    same = " AND ".join(f"{_value('wanted', column)} <=> {_value('present', column)}" for column in target.columns)
    return (f"SELECT {', '.join(chosen)}, wanted.{first} IS NULL AS __cdc_gone "
            f"FROM wanted FULL OUTER JOIN present ON {on} "
            f"WHERE wanted.{first} IS NULL OR present.{first} IS NULL OR NOT ({same})")


def tracked_columns(fields: Sequence[Field], rules: AutoCdc) -> tuple[str, ...]:
    """The columns whose changes open a new version: those that TRACK HISTORY ON says, all by default."""
    choice = rules.track_history
    if choice is None:
        return tuple(field.name for field in fields)
    named = {name.lower() for name in choice.names}
    return tuple(field.name for field in fields if (field.name.lower() in named) != choice.all_but)
