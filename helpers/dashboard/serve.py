"""Streamlit in a process that ends with the command that started it, even by kill -9; its arguments are Streamlit's."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from helpers.jobs.lifeline import follow_parent

_APP = Path(__file__).with_name("app.py")
_NEEDED = ("pandas", "pyarrow", "deltalake", "helpers.charts", "helpers.pipelines.report")


def main(options: list[str]) -> None:
    follow_parent(os.getppid())
    # So that the first reader does not wait for them. Not beside anything: plotly looks into a half-loaded pandas.
    for name in _NEEDED:
        import_module(name)
    from streamlit.web.cli import main as streamlit

    streamlit(["run", str(_APP), *options])


if __name__ == "__main__":
    main(sys.argv[1:])
