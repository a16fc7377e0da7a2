"""`publish`: the lessons from their solutions; `--check` only looks."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from helpers.publish import check, publish
from helpers.runtime.places import REPO_ROOT


def publish_lessons(*, only_check: bool, console: Console, root: Path = REPO_ROOT) -> int:
    """Give the exit code: 1 when a file of `lessons/` is not what its solution says."""
    if only_check:
        findings = check(root)
        _say(console, *findings)
        if not findings:
            _say(console, "Every lesson is what its solution says.")
        return 1 if findings else 0
    done = publish(root)
    _say(console, *(f"wrote {name}" for name in done.written), *done.orphaned)
    if not done.written:
        _say(console, "Every lesson was up to date.")
    return 1 if done.orphaned else 0


def _say(console: Console, *lines: object) -> None:
    for line in lines:
        console.print(str(line), markup=False, highlight=False, soft_wrap=True)
