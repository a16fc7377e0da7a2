"""What a source asks a classic session's JVM to run: seen where pyspark hands its calls to the JVM."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Methods of the JVM's DataFrame, writers and tables that run something.
_ACTIONS = frozenset({
    "collectToPython", "collectAsArrowToPython", "toPythonIterator", "getRowsToPython", "tailToPython", "showString",
    "htmlString", "count", "isEmpty", "save", "saveAsTable", "insertInto", "append", "overwrite",
    "overwritePartitions", "create", "replace", "createOrReplace", "start", "toTable", "merge"})
_CALL = "c"
#: By thread: what is called before an action of that thread. Flows are built side by side.
_refusals: dict[int, Callable[[], None]] = {}
_lock = threading.Lock()


@contextmanager
def watched(spark: Any, refuse: Callable[[], None]) -> Iterator[None]:
    """Inside, ``refuse`` is called before each request of this thread that runs something; it may raise."""
    client, me = spark.sparkContext._gateway._gateway_client, threading.get_ident()
    with _lock:
        if not _refusals:
            client.send_command = _asking(client.send_command)
        _refusals[me] = refuse
    try:
        yield
    finally:
        with _lock:
            del _refusals[me]
            if not _refusals:
                del client.send_command  # the class has the method still


def _asking(send: Callable[..., Any]) -> Callable[..., Any]:
    def asked(command: str, *arguments: Any, **named: Any) -> Any:
        refuse = _refusals.get(threading.get_ident())
        if refuse is not None and _runs(command):
            refuse()
        return send(command, *arguments, **named)

    return asked


def _runs(command: str) -> bool:
    """py4j writes a call as lines: its kind, the object, the method, the arguments."""
    kind, target, method, *_ = (*command.split("\n", 3), "", "")
    return kind == _CALL and target.startswith("o") and method in _ACTIONS
