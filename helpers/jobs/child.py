"""`python -m helpers.jobs.child MODULE ARGUMENT...`: run a module as a task's process, tied to its runner's life."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Mapping, Sequence

from helpers.jobs.lifeline import follow_parent

RUNNER = "LAKEPREP_RUNNER_PID"


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run the module as `__main__`; its exit code is the process's."""
    follow_parent(int(environ[RUNNER]))
    sys.argv = list(arguments)
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
