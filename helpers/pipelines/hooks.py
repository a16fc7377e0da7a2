"""Event hooks: functions of a pipeline's sources that get each event of an update.

Imitates https://docs.databricks.com/aws/en/ldp/event-hooks.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from helpers.pipelines.graph import EventHook


class Hooks:
    """Calls every hook; one that has failed more often in a row than it may is not called again."""

    def __init__(self, hooks: Sequence[EventHook] = ()) -> None:
        self._failures = dict.fromkeys(hooks, 0)

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Give an event to the hooks, with its details as a dictionary; their errors end nothing."""
        for hook, failures in self._failures.items():
            if hook.most_failures is not None and failures > hook.most_failures:
                continue
            try:
                hook.function({**event, "details": json.loads(event["details"])})
                self._failures[hook] = 0
            except Exception as error:
                self._failures[hook] = failures + 1
                name = getattr(hook.function, "__name__", "hook")
                warnings.warn(f"The event hook '{name}' failed: {type(error).__name__}: {error}", stacklevel=2)
