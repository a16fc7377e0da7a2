"""A task's process, and its kernel, end when their parent does, even by kill -9."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1


def follow_parent(parent: int, *, look_every: float = 0.5) -> None:
    """Kill this process when `parent` (its parent's id) is gone.

    At once on Linux, where the system does it; elsewhere within `look_every` seconds.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the line above; the thread sees that on its first look.
    threading.Thread(target=_watch, args=(parent, look_every), name="lifeline", daemon=True).start()


def _watch(parent: int, look_every: float) -> None:
    while os.getppid() == parent:
        time.sleep(look_every)
    os.kill(os.getpid(), signal.SIGKILL)
