"""A pipeline's definitions, from Python or from SQL, put together as an update does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from helpers.pipelines import dp, sources
from helpers.pipelines.definitions import collect
from helpers.pipelines.graph import Definitions
from helpers.pipelines.problems import Problems


def defined(define: Callable[[], Any], problems: Problems | None = None) -> Definitions:
    """What `define` tells `dp` or `dlt`."""
    with dp.defining(dp.Registry()) as registry:
        define()
    return collect(*registry.finished(), schema="shop", hooks=registry.hooks, problems=problems)


def from_sql(text: str) -> Definitions:
    """What a source file `s.sql` says; its parameter `limit` is 3."""
    registry = dp.Registry()
    sources.add_sql(registry, text, source="s.sql", parameters={"limit": "3"})
    return collect(*registry.finished(), schema="shop")
