"""`watch` until its first run has ended, on a clock that skips most of what it waits for while nothing runs.

.venv/bin/python -m tests.browser.hurried_watch HOME JOB.json
"""

from __future__ import annotations

import sys
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from helpers.jobs import load_job, watch_job
from helpers.jobs.clock import Clock
from helpers.runtime import Places

_NAP = 0.3
_EARLIER = 600.0  # seconds, so that what is skipped does not lead into the future


class HurriedClock(Clock):
    """Begins a while ago; an idle wait takes a moment and counts in full."""

    def __init__(self) -> None:
        self._skipped = -_EARLIER

    def now_ms(self) -> int:
        return super().now_ms() + round(self._skipped * 1000)

    def wait(self, queue: SimpleQueue[Any], *, seconds: float | None, idle: bool) -> Any | None:
        if not idle or seconds is None:
            return super().wait(queue, seconds=seconds, idle=idle)
        item = super().wait(queue, seconds=min(seconds, _NAP), idle=idle)
        self._skipped += max(0.0, seconds - _NAP) if item is None else 0.0
        return item


if __name__ == "__main__":
    watch_job(
        load_job(Path(sys.argv[2])),
        places=Places(Path(sys.argv[1])),
        say=lambda line: print(line, flush=True),
        once=True,
        clock=HurriedClock(),
    )
