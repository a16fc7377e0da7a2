"""The repository's files in the workspace: only what changed is uploaded, what is gone here is deleted there.

`lakeprep.json` beside them records what was uploaded. It is written before and after, so that a deployment that was cut
off leaves a record of what to upload again. A file that is not in the record was put there by somebody else, and stays.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from helpers.deploy.connection import Hand
from helpers.deploy.sources import Source

RECORD = "lakeprep.json"
_VERSION = 1
#: What a file has in the record while it is on its way.
_PENDING = ""
_AT_ONCE = 8


@dataclass(frozen=True)
class Changes:
    """What an upload changes; `record` is what the workspace holds afterwards, digests by path."""

    upload: tuple[Source, ...]
    delete: tuple[str, ...]
    record: Mapping[str, str]


def changes(files: Iterable[Source], *, record: Mapping[str, str]) -> Changes:
    """Compare the files with what an earlier deployment uploaded; pure."""
    files = tuple(files)
    wanted = {file.path: file.digest for file in files}
    upload = tuple(file for file in files if record.get(file.path) != file.digest)
    return Changes(upload, tuple(sorted(record.keys() - wanted.keys())), wanted)


def synchronise(hand: Hand, files: Iterable[Source], root: str) -> None:
    """Make the folder `root` of the workspace hold the files."""
    record = _read_record(hand.client, root)
    found = changes(files, record=record)
    if not found.upload and not found.delete:
        hand.say(f"{root} is up to date")
        return
    if not hand.dry:
        hand.client.workspace.mkdirs(root)
        _write_record(hand.client, root, {**record, **dict.fromkeys((file.path for file in found.upload), _PENDING)})
    if found.upload:
        hand.do("upload", f"{len(found.upload)} files to {root}", lambda: _upload(hand.client, found.upload, root))
    for path in found.delete:
        hand.do("delete", f"{root}/{path}", lambda path=path: _delete(hand.client, f"{root}/{path}"))
    if not hand.dry:
        _write_record(hand.client, root, found.record)


def _upload(client: Any, files: tuple[Source, ...], root: str) -> None:
    from databricks.sdk.service.workspace import ImportFormat

    for folder in sorted({f"{root}/{file.path}".rpartition("/")[0] for file in files}):
        client.workspace.mkdirs(folder)

    def one(file: Source) -> None:
        # AUTO makes a notebook of a .ipynb file and leaves .py and .sql files what they are.
        client.workspace.upload(f"{root}/{file.path}", file.content, format=ImportFormat.AUTO, overwrite=True)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(one, files):
            pass


def _delete(client: Any, path: str) -> None:
    from databricks.sdk.errors import NotFound

    with contextlib.suppress(NotFound):
        client.workspace.delete(path.removesuffix(".ipynb"))


def _read_record(client: Any, root: str) -> dict[str, str]:
    from databricks.sdk.errors import NotFound
    from databricks.sdk.service.workspace import ExportFormat

    try:
        with client.workspace.download(f"{root}/{RECORD}", format=ExportFormat.AUTO) as file:
            found = json.loads(file.read())
        return dict(found["files"]) if found["version"] == _VERSION else {}
    except (NotFound, ValueError, KeyError, TypeError):
        # A first deployment; or a damaged record, without which everything is uploaded again.
        return {}


def _write_record(client: Any, root: str, files: Mapping[str, str]) -> None:
    from databricks.sdk.service.workspace import ImportFormat

    text = json.dumps({"version": _VERSION, "files": dict(sorted(files.items()))}, indent=1)
    client.workspace.upload(f"{root}/{RECORD}", text.encode(), format=ImportFormat.AUTO, overwrite=True)
