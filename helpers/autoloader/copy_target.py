"""The Delta table that COPY INTO loads: where it is, which load a commit was, and what it says of new rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import functions as F

from helpers.autoloader.columns import column
from helpers.autoloader.copy_log import CopyLog
from helpers.autoloader.errors import AutoLoaderError
from helpers.autoloader.landing import local

_WIDENING = (("tinyint", "smallint", "int", "bigint"), ("tinyint", "smallint", "int", "double"), ("float", "double"))
_FOLDER = "_copy_into_log"


class CopyTargetError(AutoLoaderError):
    """The target is not a table that COPY INTO can load, or refuses the rows."""


@dataclass(frozen=True)
class Commit:
    """A load that is part of the table."""

    attempt: str
    rows: int


@dataclass(frozen=True)
class Target:
    """A Delta table; `name` as SQL writes it. A table that is made anew has another `table_id`, and loads anew."""

    spark: Any
    name: str
    location: str
    table_id: str

    @classmethod
    def find(cls, spark: Any, name: str) -> Target:
        """The table of that name, or at that path (delta.`/path`)."""
        detail = spark.sql(f"DESCRIBE DETAIL {name}").first()
        if detail.format != "delta":
            raise CopyTargetError(f"COPY INTO loads Delta tables, and {name} is {detail.format}. "
                                  f"Make it with CREATE TABLE {name}.")
        return cls(spark, name, local(detail.location), detail.id)

    @property
    def log(self) -> CopyLog:
        """What was loaded into it."""
        return CopyLog(Path(self.location) / _FOLDER / self.table_id)

    @property
    def schema(self) -> Any:
        """Its columns now."""
        return self.spark.table(self.name).schema

    def append(self, frame: Any, *, number: int, attempt: str, merge_schema: bool) -> None:
        """Add the rows as load `number`; Delta leaves them out, without a word, when there is such a load."""
        load = {"table": self.table_id, "number": number, "attempt": attempt}
        options = {"txnAppId": f"copy-into-{self.table_id}", "txnVersion": str(number),
                   "userMetadata": json.dumps({"copyInto": load}), "mergeSchema": str(merge_schema).lower()}
        self._widened(frame).write.format("delta").mode("append").options(**options).save(self.location)

    def _widened(self, frame: Any) -> Any:
        """The frame with its numbers in the table's wider types: Delta would refuse INT for BIGINT."""
        known = {each.name.lower(): each.dataType for each in self.schema}
        casts = {}
        for each in frame.schema:
            type_ = known.get(each.name.lower(), each.dataType)
            if type_ != each.dataType and _fits(each.dataType.simpleString(), type_.simpleString()):
                casts[each.name] = column(each.name).cast(type_)
        return frame.withColumns(casts) if casts else frame

    def commit(self, number: int) -> Commit | None:
        """The commit of load `number`, from the table's history."""
        history = self.spark.sql(f"DESCRIBE HISTORY {self.name}").select("userMetadata", "operationMetrics")
        for row in history.filter(F.col("userMetadata").contains('"copyInto"')).collect():
            found = _copy_of(row.userMetadata)
            if (found.get("table"), found.get("number")) == (self.table_id, number):
                return Commit(str(found["attempt"]), int((row.operationMetrics or {}).get("numOutputRows", 0)))
        return None

    def refuse_other_columns(self, frame: Any, *, merge_schema: bool) -> None:
        """Raise for columns that the table does not have, or has with another type."""
        known = {each.name.lower(): each.dataType for each in self.schema}
        for each in frame.schema:
            type_ = known.get(each.name.lower())
            if type_ is None and not merge_schema:
                raise CopyTargetError(f"The files have a column '{each.name}', and {self.name} has none of that name. "
                                      "Set COPY_OPTIONS ('mergeSchema' = 'true') to add it, or name the columns that "
                                      "you want in a SELECT.")
            if type_ is not None and not _fits(each.dataType.simpleString(), type_.simpleString()):
                raise CopyTargetError(
                    f"The files' column '{each.name}' is {each.dataType.simpleString()}, and in {self.name} it is "
                    f"{type_.simpleString()}. Cast it in a SELECT, or set FORMAT_OPTIONS ('inferSchema' = 'true').")

    def refuse_violations(self, frame: Any) -> None:
        """Raise for rows that break NOT NULL or a CHECK constraint of the table."""
        rules = self._rules(set(frame.columns))
        if not rules:
            return
        row = frame.agg(*[F.count_if(~F.coalesce(rule(), F.lit(True))).alias(f"r{place}")
                          for place, (_, rule) in enumerate(rules)]).first()
        broken = [f"{name} ({count} rows)" for (name, _), count in zip(rules, row, strict=True) if count]
        if broken:
            raise CopyTargetError(f"The files break what {self.name} demands: {', '.join(broken)}. Nothing was "
                                  "written. Correct the files.")

    def _rules(self, columns: set[str]) -> list[tuple[str, Callable[[], Any]]]:
        rules = [(f"{each.name} NOT NULL", _not_null(each.name)) for each in self.schema
                 if not each.nullable and each.name in columns]
        for row in self.spark.sql(f"SHOW TBLPROPERTIES {self.name}").collect():
            if row.key.startswith("delta.constraints."):
                rules.append((f"CHECK {row.value}", lambda text=row.value: F.expr(text)))
        return rules


def _fits(type_: str, wanted: str) -> bool:
    """Whether a column takes the type as it is, or without any loss."""
    return type_ == wanted or any(type_ in order and wanted in order[order.index(type_):] for order in _WIDENING)


def _not_null(name: str) -> Callable[[], Any]:
    return lambda: column(name).isNotNull()


def _copy_of(metadata: str) -> dict[str, Any]:
    try:
        return dict(json.loads(metadata)["copyInto"])
    except (ValueError, KeyError, TypeError):
        return {}
