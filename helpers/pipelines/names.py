"""Table names: their parts, their quoting, and whether one means a dataset of this pipeline."""

from __future__ import annotations

import re

from helpers.pipelines.errors import InvalidDataset, Unsupported

_PART = re.compile(r"`((?:[^`]|``)+)`|([^.`]+)")
#: Folders that a pipeline keeps beside its tables' checkpoints.
_RESERVED = frozenset({"_events", "_resets", "_views"})


def parts(name: str) -> tuple[str, ...]:
    """The parts of a dotted name, without backticks; a dot inside backticks divides nothing."""
    return tuple(quoted.replace("``", "`") if quoted else plain.strip() for quoted, plain in _PART.findall(name))


def quoted(name: str) -> str:
    """A dotted name with each part in backticks."""
    return ".".join(quoted_part(part) for part in parts(name))


def quoted_part(part: str) -> str:
    """One name in backticks."""
    return "`" + part.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A SQL string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def canonical(name: str) -> str:
    """A name as definitions keep it: lower case, in backticks only where a part needs them."""
    return ".".join(part if re.fullmatch(r"\w+", part) else quoted_part(part) for part in parts(name.lower()))


def own(name: str, schema: str) -> str | None:
    """The last part, in lower case, where the name can mean a table of the pipeline's schema; else None."""
    *prefix, last = (part.lower() for part in parts(name))
    mine = ([], [schema.lower()], ["spark_catalog", schema.lower()])
    return last if prefix in mine else None


def dataset_name(name: str, *, schema: str, where: str) -> str:
    """The name that a definition gives, checked: it also names a folder and a table of the pipeline's own schema."""
    found = own(name, schema)
    if found is None:
        raise Unsupported(f"{where}: '{name}' lies outside of the pipeline's schema '{schema}', where this engine does "
                          f"not publish. Write '{parts(name)[-1]}'.")
    if not re.fullmatch(r"\w+", found) or found in _RESERVED:
        raise InvalidDataset(f"{where}: '{name}' cannot be a name here. Use letters, digits and underscores.")
    return found
