"""Time as the runner sees it, so that tests can bring their own."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Any


class Clock:
    """The machine's time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, for the record."""
        return int(time.time() * 1000)

    def elapsed(self) -> float:
        """Seconds that only grow, for time-outs and retries."""
        return time.monotonic()

    def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any | None:
        """Give the queue's next item, or None after `seconds`; `idle` says that no process runs that could put one."""
        del idle
        try:
            return queue.get(timeout=seconds)
        except Empty:
            return None
