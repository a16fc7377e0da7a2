"""End a process when our standard input closes, which it does when whoever holds its other end dies:
`python -m helpers.runtime.reaper PID START`."""

from __future__ import annotations

import signal
import sys

from helpers.runtime.processes import Process


def main(pid: str, start: str) -> int:
    sys.stdin.buffer.read()
    Process(int(pid), start).signal(signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
