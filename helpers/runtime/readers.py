"""What `spark.read` of either session refuses: an option that Spark's own reader passes over without a word."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_RESCUED = "rescuedDataColumn"


class ToldReader:
    """Stands before a DataFrameReader among the bases of a class."""

    def option(self, key: str, value: Any) -> Any:
        _check((key,))
        return super().option(key, value)  # type: ignore[misc]

    def options(self, **options: Any) -> Any:
        _check(options)
        return super().options(**options)  # type: ignore[misc]


def _check(names: Iterable[str]) -> None:
    for name in names:
        if name.lower() == _RESCUED.lower():
            from helpers.autoloader import UnsupportedOption

            raise UnsupportedOption(f"spark.read has no option '{name}' here, it would rescue nothing. Read with "
                                    f"spark.sql(\"SELECT * FROM read_files('…', {_RESCUED} => '_rescued_data')\").")
