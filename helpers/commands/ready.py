"""What a command needs besides the Python environment, and how it is shown while it is made."""

from __future__ import annotations

import os
from types import TracebackType

from rich.console import Console

from helpers.runtime.jars import ensure_jars, jars_folder
from helpers.runtime.java import find_java
from helpers.runtime.settings import Settings


class Reporter:
    """Shows the newest line of something that takes a while: in place on a terminal, else one line after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("") if console.is_terminal else None
        self._running = False

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None and self._running:
            self._status.stop()

    def __call__(self, text: str) -> None:
        if self._status is None:
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
            return
        self._status.update(text)
        if not self._running:
            self._status.start()
            self._running = True


def fetch_jars(console: Console) -> None:
    """Fetch Delta's JARs where they are missing, showing how many of how many there are."""
    settings = Settings.from_environment(os.environ)
    with Reporter(console) as report:
        ensure_jars(
            jars_folder(),
            java=find_java(settings.java),
            ivy_settings=settings.ivy_settings,
            report=report,
            environ=os.environ,
        )
