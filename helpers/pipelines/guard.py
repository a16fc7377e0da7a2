"""No actions while a dataset function is called: it describes a query, and the pipeline runs it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from helpers.classic import is_classic
from helpers.pipelines.classic_calls import watched
from helpers.pipelines.errors import InvalidDataset
from helpers.pipelines.graph import Flow
from helpers.sql.changes import changes

#: What a session's client is asked for when a DataFrame runs.
_RUNS = ("to_table", "to_table_as_iterator", "to_pandas", "execute_command", "execute_command_as_iterator")
_WRITES = ("write_operation", "write_operation_v2", "write_stream_operation_start", "merge_into_table_command")
_WATCHING = (__name__, "helpers.pipelines.classic_calls")
#: Spark's own modules, and ours that stand before its `sql` and run COPY INTO.
_SPARKS = ("pyspark.", "py4j.", "helpers.runtime.statements", "helpers.autoloader.statements",
           "helpers.autoloader.copy_")


@contextmanager
def no_actions(spark: Any, flow: Flow) -> Iterator[None]:
    """Inside, an action of the flow's function is an error; what our own code runs for it is not."""
    if is_classic(spark):
        with watched(spark, lambda: _refuse(flow)):
            yield
        return
    client = getattr(spark, "client", None)
    names = [name for name in _RUNS if callable(getattr(client, name, None))]
    for name in names:
        setattr(client, name, _guarded(getattr(client, name), flow))
    try:
        yield
    finally:
        for name in names:
            delattr(client, name)  # the class has the method still


def _guarded(method: Callable[..., Any], flow: Flow) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        if _runs(method.__name__, arguments):
            _refuse(flow)
        return method(*arguments, **named)

    return call


def _refuse(flow: Flow) -> None:
    """Raise where the source has asked for what is about to run."""
    action = _action()
    if action is not None:
        raise InvalidDataset(
            f"{flow.defined_at}: ATTEMPT_ANALYSIS_IN_PIPELINE_QUERY_FUNCTION: the function of '{flow.name}' runs "
            f"an action ({action}). Return the query as a DataFrame; the pipeline runs and writes it.")


def _action() -> str | None:
    """The method of Spark that the source has called; None where our own code did."""
    frame, last = sys._getframe(1), ""
    while frame is not None and frame.f_globals.get("__name__") in _WATCHING:
        frame = frame.f_back  # type: ignore[assignment]
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith(_SPARKS):
            return None if module.startswith("helpers.") else last
        if type(frame.f_locals.get("self")).__name__ == "GroupedData":
            return None  # its count, for example, is one more column
        last, frame = frame.f_code.co_name, frame.f_back  # type: ignore[assignment]
    return last


def _runs(method: str, arguments: tuple[Any, ...]) -> bool:
    """Whether a request is an action; a command may also make a view or register a function."""
    if not method.startswith("execute_command") or not arguments:
        return True
    command = arguments[0]
    kind = command.WhichOneof("command_type")
    if kind != "sql_command":
        return kind in _WRITES
    return changes(command.sql_command.sql or command.sql_command.input.sql.query)
