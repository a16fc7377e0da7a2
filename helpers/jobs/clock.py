"""Time as the runner sees it, so that tests can bring their own."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import Any

#: A signal that comes just before a wait begins is seen only when the wait ends, so no wait is longer than this.
_NAP = 0.5


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
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            left = _NAP if until is None else min(_NAP, max(0.0, until - time.monotonic()))
            try:
                return queue.get(timeout=left)
            except Empty:
                if until is not None and time.monotonic() >= until:
                    return None
