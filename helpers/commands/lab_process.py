"""JupyterLab in a process that ends with the command that started it, even by kill -9; its options are JupyterLab's."""

from __future__ import annotations

import os
import sys

from helpers.jobs.lifeline import follow_parent


def main(options: list[str]) -> None:
    follow_parent(os.getppid())
    from jupyterlab.labapp import main as jupyterlab

    jupyterlab(options)


if __name__ == "__main__":
    main(sys.argv[1:])
