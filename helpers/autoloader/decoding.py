"""Texts that Spark hands to its Python workers as they are in the file. Runs there too."""

from __future__ import annotations

import pyarrow as pa


def texts(values: pa.Array) -> list[str | None]:
    """A column of strings as Python's; bytes that are no UTF-8 are replaced, as Spark does where it decodes."""
    try:
        return values.to_pylist()  # type: ignore[no-any-return]
    except UnicodeDecodeError:
        raw = values.cast(pa.binary()).to_pylist()
        return [value if value is None else value.decode("utf-8", errors="replace") for value in raw]
