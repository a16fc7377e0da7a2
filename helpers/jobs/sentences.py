"""An error as the record keeps it."""

from __future__ import annotations

import re

ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
TRACE_LINES = 12
_LONGEST = 500


def sentence(name: str, message: str) -> str:
    """Give an error's class and the first paragraph of what it says, on one line without colours."""
    paragraph = ESCAPES.sub("", message).strip().split("\n\n")[0]
    said = " ".join(paragraph.split())
    said = said if len(said) <= _LONGEST else said[: _LONGEST - 3] + "..."
    return f"{name}: {said}" if said else name
