"""What the sources of one pipeline define while they are loaded, and where in them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from helpers.pipelines.errors import InvalidDataset, InvalidSource
from helpers.pipelines.graph import Dataset, EventHook, Flow

#: The attribute in which a dataset function carries its expectations.
EXPECTATIONS = "__pipeline_expectations__"


@dataclass
class Registry:
    """What the sources of one pipeline define while they are loaded."""

    datasets: list[tuple[Dataset, Callable[..., Any] | None]] = field(default_factory=list)
    flows: list[Flow] = field(default_factory=list)
    hooks: list[EventHook] = field(default_factory=list)

    def finished(self) -> tuple[list[Dataset], list[Flow]]:
        """The definitions; expectations may stand above or below the dataset's decorator, so they are read last."""
        datasets = [replace(dataset, expectations=(*dataset.expectations, *getattr(function, EXPECTATIONS, ())))
                    for dataset, function in self.datasets]
        own = {id(function) for _, function in self.datasets}
        for flow in self.flows:
            if id(flow.body) not in own and hasattr(flow.body, EXPECTATIONS):
                raise InvalidDataset(f"{flow.defined_at}: the flow '{flow.name}' has expectations, which belong to its "
                                     f"target: dp.create_streaming_table(\"{flow.target}\", expect_all={{…}}). "
                                     "A sink takes none.")
        return datasets, list(self.flows)


_active: ContextVar[Registry | None] = ContextVar("active_pipeline", default=None)


@contextmanager
def defining(registry: Registry) -> Iterator[Registry]:
    """Everything defined inside goes into ``registry``."""
    token = _active.set(registry)
    try:
        yield registry
    finally:
        _active.reset(token)


def current(what: str) -> Registry:
    """The registry of the pipeline that is being loaded; ``what`` is to go into it."""
    registry = _active.get()
    if registry is None:
        raise InvalidSource(f"GRAPH_ELEMENT_DEFINED_OUTSIDE_OF_DECLARATIVE_PIPELINE: '{what}' is defined outside of a "
                            "pipeline. Put it into one: `with lab.pipeline(\"name\"):` around the definitions.")
    return registry


def place(function: Any) -> str:
    """``file:line`` of a function."""
    code = getattr(function, "__code__", None)
    return "notebook" if code is None else f"{_file_name(code.co_filename)}:{code.co_firstlineno}"


def caller() -> str:
    """``file:line`` of the source that called us, through however many of our own functions."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("helpers.pipelines."):
        frame = frame.f_back
    return f"{_file_name(frame.f_code.co_filename)}:{frame.f_lineno}"


def _file_name(name: str) -> str:
    return "notebook" if "ipykernel" in name or name.startswith("<") else name.replace("\\", "/").rsplit("/", 1)[-1]
