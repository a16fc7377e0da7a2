"""The part of a file that one Spark task reads: its raw lines, and a look whether all their fields are known.

Runs in Spark's Python workers. A block is what `_metadata` names: a file, a first byte and a length. As in Spark, a
block begins after its first line end, unless it is the file's first, and has the line that begins right behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.json as pj

from helpers.autoloader.json_types import Type, kind

_PIECE = 1 << 24
_BLANK = b" \t\r\n"


@dataclass(frozen=True)
class Block:
    """Bytes `start` to `start + length` of the file that the URI `path` names; with `multi_line`, one record's text."""

    path: str
    start: int
    length: int
    multi_line: bool = False

    def read(self) -> bytes:
        """The block's whole lines; a compressed file is one block."""
        name = local_path(self.path)
        with pa.input_stream(name, compression="detect") as stream:
            if not isinstance(stream, pa.CompressedInputStream):
                return _lines_between(name, self.start, self.start + self.length)
            return bytes(stream.read())

    def lines(self) -> Iterator[str]:
        """The lines that are not blank, as text; all of it as one where records go over several lines."""
        return text_lines(self.read(), multi_line=self.multi_line)


def text_lines(data: bytes, *, multi_line: bool = False) -> Iterator[str]:
    """The lines that are not blank, as text; with `multi_line`, all of it as one."""
    if multi_line:
        text = data.decode("utf-8-sig", errors="replace").strip()
        yield from [text] if text else []
        return
    for line in data.splitlines():
        if line.strip(_BLANK):
            yield line.decode("utf-8", errors="replace").removeprefix("\ufeff")


def local_path(uri: str) -> str:
    """The file system's name for what `_metadata.file_path` shows."""
    return unquote(urlsplit(uri).path)


def only_known_fields(data: bytes, schema: Type) -> bool:
    """Whether `data` is surely one object a line, with no field beyond the schema; False means "look closer"."""
    options = pj.ReadOptions(use_threads=False, block_size=_PIECE)
    try:
        table = pj.read_json(pa.BufferReader(data), read_options=options)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    return table.num_rows == lines and _known(pa.struct(table.schema), schema)


def _lines_between(name: str, start: int, end: int) -> bytes:
    with open(name, "rb") as file:
        file.seek(start)
        if start:
            file.readline()
        first = file.tell()
        return b"" if first > end else file.read(end - first) + file.readline()


def _known(found: pa.DataType, type_: Type) -> bool:
    if pa.types.is_struct(found) and kind(type_) == "struct":
        types = {each["name"]: each["type"] for each in type_["fields"]}  # type: ignore[index]
        return all(each.name in types and _known(each.type, types[each.name]) for each in found)
    if pa.types.is_struct(found) and kind(type_) == "map":
        return all(_known(each.type, type_["valueType"]) for each in found)  # type: ignore[index]
    if pa.types.is_list(found) and kind(type_) == "array":
        return _known(found.value_type, type_["elementType"])  # type: ignore[index]
    return True
