"""`cloudFiles.allowOverwrites`: a file that was written anew under its old name is read again, whole.

Spark's file source knows a file by its path, and keeps the paths in the stream's checkpoint. So before a stream starts,
each file whose modification time is no longer the one in there is taken out, and Spark finds it as a new one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from helpers.autoloader.blocks import local_path
from helpers.autoloader.landing import Landing, local
from helpers.autoloader.stream_log import Entry, rewrite, source_logs

#: An option of Spark's source, which does not know it: so a stream's plan tells which of its sources are meant.
MARK = "lakeprepAllowOverwrites"


def before_command(command: Any, views: dict[str, frozenset[str]]) -> None:
    """Look at what a Connect client is about to send: the start of a stream, or a view that streams may name.

    `views` keeps the paths behind the session's temporary views, by name.
    """
    kind = command.WhichOneof("command_type")
    if kind == "create_dataframe_view":
        view = command.create_dataframe_view
        views[view.name.lower()] = marked_paths(view.input, views)
    elif kind == "write_stream_operation_start":
        start = command.write_stream_operation_start
        checkpoint = next((text for name, text in start.options.items() if name.lower() == "checkpointlocation"), "")
        paths = marked_paths(start.input, views)
        if paths and checkpoint:
            forget_overwritten(checkpoint, paths)


def marked_paths(plan: Any, views: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The paths of the sources in a Connect plan that allow overwrites, those behind temporary views too."""
    found: set[str] = set()
    for message in _messages(plan):
        kind = message.DESCRIPTOR.name
        if kind == "DataSource" and message.options.get(MARK) == "true":
            found |= set(message.paths)
        elif kind in ("NamedTable", "SQL"):
            text = (message.query if kind == "SQL" else message.unparsed_identifier).lower()
            found |= {path for name, paths in views.items() if _names(text, name) for path in paths}
    return frozenset(found)


def forget_overwritten(checkpoint: str, paths: frozenset[str]) -> None:
    """Take the files under `paths` that were written anew out of a stream's checkpoint."""
    for log in source_logs(Path(local(checkpoint))):
        times = {entry["path"]: entry["timestamp"] for entry in log.entries()}
        anew = {uri: now for uri, then in times.items()
                if (now := _modified(local_path(uri))) not in (None, then) and _under(local_path(uri), paths)}
        committed = log.committed()

        def change(entry: Entry, anew: dict[str, int | None] = anew, committed: int = committed) -> Entry | None:
            if entry["path"] not in anew:
                return entry
            # A micro-batch that is still to be written will read the file as it is now.
            return None if entry["batchId"] <= committed else {**entry, "timestamp": anew[entry["path"]]}

        for path in log.files() if anew else ():
            rewrite(path, change)


def _messages(message: Any) -> Iterator[Any]:
    """A protobuf message and all messages in it; plans are deep, so this does not recurse."""
    waiting = [message]
    while waiting:
        yield (message := waiting.pop())
        for _, value in message.ListFields():
            items = value if hasattr(value, "add") else [value]
            waiting += [item for item in items if hasattr(item, "ListFields")]


def _names(text: str, view: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(view.replace('`', '``'))}(?!\w)", text) is not None


def _under(path: str, landings: frozenset[str]) -> bool:
    return any(Path(path).is_relative_to(Landing(landing).root) for landing in landings)


def _modified(path: str) -> int | None:
    """The modification time as Spark notes it, in milliseconds; None for a file that is gone."""
    try:
        return os.stat(path).st_mtime_ns // 1_000_000
    except OSError:
        return None
